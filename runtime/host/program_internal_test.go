package host

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/plugingen/plugingen/runtime/handshake"
)

// deaf is what a launcher may return at its worst; each field names what it does not do.
type deaf struct {
	out, err   io.Reader
	done       chan struct{}
	blocked    chan struct{} // what blocks ends with it
	exitBlocks bool
	killBlocks bool
	panics     bool
	killed     chan struct{}
	released   chan struct{}
}

func newDeaf() *deaf {
	block := make(chan struct{})
	return &deaf{out: blocking{block}, err: blocking{block}, done: make(chan struct{}), blocked: block, killed: make(chan struct{}, 99), released: make(chan struct{}, 99)}
}

func (d *deaf) ID() string            { return "deaf" }
func (d *deaf) Stdout() io.Reader     { return d.out }
func (d *deaf) Stderr() io.Reader     { return d.err }
func (d *deaf) Done() <-chan struct{} { return d.done }

func (d *deaf) Exit() Exit {
	if d.exitBlocks {
		<-d.blocked
	}
	return Exit{Code: 3}
}

func (d *deaf) Terminate(ctx context.Context) error { return d.Kill(ctx) }

func (d *deaf) Kill(context.Context) error {
	d.killed <- struct{}{}
	if d.panics {
		panic("kill")
	}
	if d.killBlocks {
		<-d.blocked
	}
	return nil
}

func (d *deaf) Release() {
	d.released <- struct{}{}
	if d.panics {
		panic("release")
	}
	<-d.blocked
}

// blocking never has anything to read.
type blocking struct{ until chan struct{} }

func (b blocking) Read([]byte) (int, error) {
	<-b.until
	return 0, io.EOF
}

type launcherFunc func(context.Context) (Launched, error)

func (f launcherFunc) Launch(ctx context.Context, _ Launch) (Launched, error) { return f(ctx) }

func deafConfig(l Launcher) Config {
	return Config{
		Handshake:    handshake.Config{MagicCookieKey: "K", MagicCookieValue: "v", Transports: []string{"tcp"}},
		Path:         "image",
		TLS:          TLSOff,
		Logger:       slog.New(slog.DiscardHandler),
		Launcher:     l,
		StartTimeout: time.Minute,
	}
}

// TestOpenIsBounded has launchers and programs that do nothing that they should. Time is virtual.
func TestOpenIsBounded(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*deaf)
		most   time.Duration // beyond StartTimeout
		want   error
	}{
		"nothing ends":   {func(d *deaf) { d.killBlocks = true }, 2*launcherTimeout + killTimeout + launcherTimeout, context.DeadlineExceeded},
		"exit blocks":    {func(d *deaf) { d.exitBlocks = true; close(d.done) }, 2 * launcherTimeout, nil},
		"panics":         {func(d *deaf) { d.panics = true }, killTimeout, context.DeadlineExceeded},
		"stdout is nil":  {func(d *deaf) { d.out = nil }, 0, ErrLauncher},
		"ended at once":  {func(d *deaf) { close(d.done) }, launcherTimeout, ErrExited},
		"output is kept": {func(*deaf) {}, killTimeout + launcherTimeout, context.DeadlineExceeded},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := newDeaf()
				c.change(d)
				start := time.Now()
				_, err := Open(t.Context(), deafConfig(launcherFunc(func(context.Context) (Launched, error) { return d, nil })))
				if err == nil || !errors.Is(err, c.want) && c.want != nil {
					t.Errorf("error %v, want %v", err, c.want)
				}
				if took := time.Since(start) - time.Minute; took > c.most {
					t.Errorf("took %v beyond StartTimeout, want at most %v", took, c.most)
				}
				synctest.Wait()
				if len(d.released) != 1 {
					t.Errorf("released %d times, want once", len(d.released))
				}
				endDeaf(d)
			})
		})
	}
}

// endDeaf lets the goroutines end that wait for it.
func endDeaf(d *deaf) {
	close(d.blocked)
	if !isClosed(d.done) {
		close(d.done)
	}
	<-time.After(time.Hour) // of virtual time
}

func TestLaunchIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		late, d := make(chan struct{}), newDeaf()
		_, err := Open(t.Context(), deafConfig(launcherFunc(func(context.Context) (Launched, error) {
			<-late
			return d, nil
		})))
		e, ok := errors.AsType[*Error](err)
		if !ok || e.Stage != StageLaunch || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("error %v", err)
		}
		close(late)
		synctest.Wait()
		if len(d.killed) == 0 || len(d.released) == 0 {
			t.Errorf("what came late was killed %d and released %d times, want once each", len(d.killed), len(d.released))
		}
		endDeaf(d)
	})
}

func TestLauncherPanics(t *testing.T) {
	for name, f := range map[string]launcherFunc{
		"panic":   func(context.Context) (Launched, error) { panic("no docker") },
		"nothing": func(context.Context) (Launched, error) { return nil, nil },
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Open(t.Context(), deafConfig(f))
			if !errors.Is(err, ErrLauncher) || !strings.Contains(err.Error(), "launch") {
				t.Errorf("error %v, want ErrLauncher", err)
			}
		})
	}
}

func TestTranslationIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDeaf()
		p, err := newProgram(deafTranslator{d})
		if err != nil {
			t.Fatal(err)
		}
		for name, f := range map[string]translation{
			"resolve":   func(_ context.Context, n, a string) (string, string, error) { return p.resolve(n, a) },
			"announced": func(_ context.Context, n, a string) (string, string, error) { return p.announced(n, a) },
		} {
			start := time.Now()
			if _, _, err := f(t.Context(), "tcp", "127.0.0.1:1"); !errors.Is(err, ErrLauncher) || time.Since(start) != launcherTimeout {
				t.Errorf("%s: %v after %v", name, err, time.Since(start))
			}
		}
		p.release()
		endDeaf(d)
	})
}

type deafTranslator struct{ *deaf }

func (d deafTranslator) PluginToHost(context.Context, string, string) (string, string, error) {
	<-d.blocked
	return "", "", nil
}

func (d deafTranslator) HostToPlugin(context.Context, string, string) (string, string, error) {
	<-d.blocked
	return "", "", nil
}
