//go:build unix

package host_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/plugingen/plugingen/runtime/handshake"
	"github.com/plugingen/plugingen/runtime/host"
)

// TestLauncher has plugins that other launchers than the host's own start, and that see their socket folder elsewhere.
func TestLauncher(t *testing.T) {
	for name, launcher := range map[string]host.Launcher{
		"through a shell":   shellLauncher{},
		"by package exec":   execLauncher{},
		"folder elsewhere":  elsewhereLauncher{execLauncher{}},
		"both":              elsewhereLauncher{shellLauncher{}},
		"the host's own":    host.ProcessLauncher{},
		"own, folder moved": elsewhereLauncher{host.ProcessLauncher{}},
	} {
		t.Run(name, func(t *testing.T) {
			if _, moves := launcher.(elsewhereLauncher); moves && runtime.GOOS != "linux" {
				t.Skip("needs /proc/self/cwd")
			}
			s := newStage(t)
			cfg := s.config("good")
			cfg.Launcher, cfg.TLS = launcher, host.TLSMutual
			p := s.open(cfg)
			if got := mustDo(t, p, "hello"); got != "hello" {
				t.Errorf("do: %q", got)
			}
			if !strings.HasPrefix(p.ID(), "process ") {
				t.Errorf("id %q", p.ID())
			}
			if err := p.Close(); err != nil {
				t.Errorf("close: %v", err)
			}
		})
	}
}

// TestLauncherFaults plays what happens to plugins that a foreign launcher has started.
func TestLauncherFaults(t *testing.T) {
	for _, c := range []struct {
		fault, deed string
		want        error
	}{
		{"plain", "exit-5", host.ErrExited},
		{"ignore-shutdown", "", host.ErrKilled},
		{"grandchild", "", nil},
	} {
		t.Run(c.fault, func(t *testing.T) {
			s := newStage(t)
			cfg := s.config(c.fault)
			cfg.Launcher = execLauncher{waitDelay: time.Second} // a grandchild must not hold up the test
			brief(&cfg)
			p := s.open(cfg)
			if c.deed != "" {
				_, _ = do(t.Context(), p.Conn(), c.deed)
				await(t, p.Done(), "the plugin ends")
			}
			if err := p.Close(); !errors.Is(err, c.want) {
				t.Errorf("close: %v, want %v", err, c.want)
			}
			s.killProcesses() // this launcher knows of no groups
		})
	}
}

func TestLauncherStartFaults(t *testing.T) {
	s := newStage(t)
	cfg := s.config("exit")
	cfg.Launcher = execLauncher{}
	if e := s.openFails(t.Context(), cfg); e.ExitCode != 3 || !strings.Contains(strings.Join(e.Stderr, "\n"), "boom") {
		t.Errorf("exit code %d, stderr %q", e.ExitCode, e.Stderr)
	}
	cfg = s.config("hang")
	cfg.Launcher = execLauncher{}
	if e := s.openFails(s.cancelOn("hanging"), cfg); !errors.Is(e, context.Canceled) || e.Stage != host.StageHandshake {
		t.Errorf("%v", e)
	}
}

// TestTranslationIsChecked has a launcher that sends the host where a plugin may not.
func TestTranslationIsChecked(t *testing.T) {
	for _, c := range []struct {
		network, address string
		want             error
	}{
		{"tcp", "192.0.2.1:1", host.ErrRemote},
		{"tcp", "127.0.0.1:0", handshake.ErrAddress},
		{"unix", "relative", handshake.ErrAddress},
		{"pipe", "/x", handshake.ErrNetwork},
		{"tcp", "127.0.0.1:9", host.ErrTLS}, // which was to be out of others' reach
		{"", "", errLost},
	} {
		t.Run(c.network+" "+c.address, func(t *testing.T) {
			s := newStage(t)
			cfg := s.config("good")
			cfg.Launcher = liar{host.ProcessLauncher{}, c.network, c.address}
			e := s.openFails(t.Context(), cfg)
			if !errors.Is(e, c.want) || e.Stage != host.StageNegotiate || e.Hint == "" {
				t.Errorf("%v, hint %q; want %v", e, e.Hint, c.want)
			}
		})
	}
}

// shellLauncher starts programs through another one.
type shellLauncher struct{}

func (shellLauncher) Launch(ctx context.Context, l host.Launch) (host.Launched, error) {
	l.Path, l.Args = "/bin/sh", append([]string{"-c", `exec "$0" "$@"`, l.Path}, l.Args...)
	return host.ProcessLauncher{}.Launch(ctx, l)
}

// execLauncher is a launcher that owes nothing to the host's own. A waitDelay of zero is for ever.
type execLauncher struct{ waitDelay time.Duration }

func (x execLauncher) Launch(_ context.Context, l host.Launch) (host.Launched, error) {
	cmd := exec.Command(l.Path, l.Args...)
	cmd.Dir, cmd.Env = l.Dir, l.Env
	outR, outW := io.Pipe()
	errR, errW := io.Pipe()
	cmd.Stdout, cmd.Stderr = outW, errW
	cmd.WaitDelay = x.waitDelay
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	e := &executed{cmd: cmd, out: outR, err: errR, done: make(chan struct{})}
	go func() {
		defer close(e.done)
		_ = cmd.Wait()
		_, _ = outW.Close(), errW.Close()
	}()
	return e, nil
}

type executed struct {
	cmd      *exec.Cmd
	out, err *io.PipeReader
	done     chan struct{}
}

func (e *executed) ID() string                      { return "process " + e.cmd.Path }
func (e *executed) Stdout() io.Reader               { return e.out }
func (e *executed) Stderr() io.Reader               { return e.err }
func (e *executed) Done() <-chan struct{}           { return e.done }
func (e *executed) Terminate(context.Context) error { return e.cmd.Process.Signal(syscall.SIGTERM) }
func (e *executed) Kill(context.Context) error      { return e.cmd.Process.Kill() }
func (e *executed) Release()                        { _, _ = e.out.Close(), e.err.Close() }

func (e *executed) Exit() host.Exit {
	if status, ok := e.cmd.ProcessState.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		return host.Exit{Code: -1, Signal: "signal " + status.Signal().String()}
	}
	return host.Exit{Code: e.cmd.ProcessState.ExitCode()}
}

// elsewhereLauncher starts programs that see their socket folder under a name that means nothing to the host.
type elsewhereLauncher struct{ host.Launcher }

const elsewhere = "/proc/self/cwd"

func (e elsewhereLauncher) Launch(ctx context.Context, l host.Launch) (host.Launched, error) {
	l.Dir = filepath.Dir(l.SocketDir)
	l.Env = append(l.Env, handshake.EnvUnixSocketDir+"="+filepath.Join(elsewhere, filepath.Base(l.SocketDir)))
	launched, err := e.Launcher.Launch(ctx, l)
	if err != nil {
		return nil, err
	}
	return moved{launched, l.Dir}, nil
}

type moved struct {
	host.Launched
	dir string
}

func (m moved) PluginToHost(_ context.Context, network, address string) (string, string, error) {
	rest, ok := strings.CutPrefix(address, elsewhere)
	if !ok {
		return "", "", errors.New("the plugin has not listened where it was told to: " + address)
	}
	return network, m.dir + rest, nil
}

func (m moved) HostToPlugin(_ context.Context, network, address string) (string, string, error) {
	return network, strings.Replace(address, m.dir, elsewhere, 1), nil
}

var errLost = errors.New("the container has no such port")

// liar translates all addresses to one; to none when that is empty.
type liar struct {
	host.Launcher
	network, address string
}

func (l liar) Launch(ctx context.Context, what host.Launch) (host.Launched, error) {
	launched, err := l.Launcher.Launch(ctx, what)
	return lying{launched, l}, err
}

type lying struct {
	host.Launched
	liar liar
}

func (l lying) PluginToHost(context.Context, string, string) (string, string, error) {
	if l.liar.network == "" {
		return "", "", errLost
	}
	return l.liar.network, l.liar.address, nil
}

func (l lying) HostToPlugin(_ context.Context, network, address string) (string, string, error) {
	return network, address, nil
}

// A launcher that starts plugins through another program, here a shell.
func ExampleLauncher() {
	p, err := host.Open(context.Background(), host.Config{
		Handshake: testHandshake(),
		Path:      os.Args[0],
		Env:       []string{faultEnv + "=" + "good"},
		Launcher:  shellLauncher{},
		Logger:    slog.New(slog.DiscardHandler),
	})
	if err != nil {
		panic(err)
	}
	fmt.Println(p.Ping(context.Background()), p.Close())
	// Output: <nil> <nil>
}
