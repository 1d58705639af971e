//go:build unix

package host_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"os/signal"
	goruntime "runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/plugingen/plugingen/runtime"
	"github.com/plugingen/plugingen/runtime/host"
	"github.com/plugingen/plugingen/runtime/plugin"
	"github.com/plugingen/plugingen/runtime/plugintest"
)

// openAtOnce opens n plugins concurrently.
func (s *stage) openAtOnce(n int, cfg host.Config) []*host.Plugin {
	s.t.Helper()
	plugins := make([]*host.Plugin, n)
	var opening sync.WaitGroup
	for i := range plugins {
		opening.Go(func() {
			p, err := host.Open(s.t.Context(), cfg)
			if err != nil {
				s.t.Error(err)
				return
			}
			plugins[i] = p
			s.t.Cleanup(func() { _ = p.Close() })
		})
	}
	opening.Wait()
	return plugins
}

func threads(t *testing.T) int {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/task")
	if err != nil {
		t.Skip(err)
	}
	return len(entries)
}

// TestTwoHundredAtOnce opens them all at once, and closes them with one call.
func TestTwoHundredAtOnce(t *testing.T) { // row 30
	s := newStage(t)
	before := threads(t)
	cfg := s.config("good")
	cfg.StartTimeout, cfg.StopTimeout = time.Hour, time.Hour // the stage has a guard
	plugins := s.openAtOnce(many, cfg)
	if t.Failed() {
		return
	}
	for _, p := range plugins {
		if got := mustDo(t, p, "hello"); got != "hello" {
			t.Errorf("do: %q", got)
		}
	}
	// Starts have a thread each for a moment, so on a large machine the number says nothing.
	if more := threads(t) - before; more > many*3/4 && goruntime.GOMAXPROCS(0) <= 8 {
		t.Errorf("%d more threads for %d plugins: each one's end is waited for by a thread", more, many)
	}
	if err := host.CloseAll(t.Context()); err != nil {
		t.Errorf("close: %v", err)
	}
	for _, p := range plugins {
		select {
		case <-p.Done():
		default:
			t.Fatalf("%s is still there", p.ID())
		}
	}
}

// TestCloseAllIsBounded has plugins that do not end when they are asked, and hours to do so.
func TestCloseAllIsBounded(t *testing.T) {
	s := newStage(t)
	cfg := s.config("hang-shutdown")
	cfg.StopTimeout = time.Hour
	plugins := s.openAtOnce(3, cfg)
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errMind)
	if err := host.CloseAll(ctx); !errors.Is(err, errMind) || !errors.Is(err, host.ErrKilled) {
		t.Errorf("%v, want that it was cut short, and that they were killed", err)
	}
	for _, p := range plugins {
		await(t, p.Done(), "the plugin is gone")
	}
}

// TestCloseAllEndsStarts has a plugin that is still being opened.
func TestCloseAllEndsStarts(t *testing.T) {
	s := newStage(t)
	cfg := s.config("hang")
	failed := make(chan error, 1)
	go func() {
		p, err := host.Open(t.Context(), cfg)
		if err == nil {
			_ = p.Close()
		}
		failed <- err
	}()
	s.log.await(t, "hanging")
	if err := host.CloseAll(t.Context()); err != nil {
		t.Errorf("close: %v", err)
	}
	if err := <-failed; !errors.Is(err, host.ErrClosed) {
		t.Errorf("open: %v, want ErrClosed", err)
	}
}

// TestCloseAllLetsGo has a plugin that this host is attached to, and one that ended before.
func TestCloseAllLetsGo(t *testing.T) {
	s := newStage(t)
	ended := s.open(s.config("plain"))
	_, _ = do(t.Context(), ended.Conn(), "exit-5")
	await(t, ended.Done(), "the plugin ends")
	to := plugintest.Serve(t, plugin.Config{Handshake: testHandshake(), Services: map[int][]runtime.Implementation{1: {deeds()}}})
	attached := s.attach(to)
	for range 2 {
		if err := host.CloseAll(t.Context()); err != nil {
			t.Errorf("close: %v", err)
		}
	}
	await(t, attached.Done(), "it is let go")
	if got := mustDo(t, s.attach(to), "hello"); got != "hello" {
		t.Errorf("do: %q", got)
	}
}

// closingHost opens a plugin that would outlive it, and ends as it is told.
func closingHost() int {
	cfg := host.Config{
		Handshake: testHandshake(),
		Path:      os.Args[0],
		Env:       []string{faultEnv + "=plain", markEnv + "=" + os.Getenv(markEnv), "GORACE=atexit_sleep_ms=0"},
		SocketDir: os.Args[2],
		Logger:    slog.New(slog.DiscardHandler),
	}
	if _, err := host.Open(context.Background(), cfg); err != nil {
		fmt.Println(err)
		return 1
	}
	switch os.Args[1] {
	case "panic":
		defer host.CloseOnPanic()
		panic("the host is at fault")
	case "return":
		defer func() { _ = host.CloseAll(context.Background()) }()
		defer host.CloseOnPanic()
		return 0
	case "signal":
		defer host.CloseOnSignal()()
	case "other signal":
		host.CloseOnSignal()() // not any more
		defer host.CloseOnSignal(syscall.SIGHUP)()
	case "ignored signal":
		signal.Ignore(syscall.SIGINT)
		defer host.CloseOnSignal()()
		if !signal.Ignored(syscall.SIGINT) {
			fmt.Println("what was ignored is heeded")
			return 1
		}
	}
	fmt.Println("ready")
	return hang("hanging")
}

// TestHostsThatEnd has hosts that end in other ways than by Close, and plugins that do not notice.
func TestHostsThatEnd(t *testing.T) {
	for _, c := range []struct {
		how  string
		send syscall.Signal
		want string
	}{
		{"return", 0, "exit status 0"},
		{"panic", 0, "exit status 2"},
		{"signal", syscall.SIGTERM, "signal: terminated"},
		{"signal", syscall.SIGINT, "signal: interrupt"},
		{"other signal", syscall.SIGHUP, "signal: hangup"},
		{"ignored signal", syscall.SIGTERM, "signal: terminated"},
	} {
		t.Run(c.how+" "+c.want, func(t *testing.T) {
			if c.send != 0 && signal.Ignored(c.send) {
				t.Skip("whoever runs this test has it ignore the signal, and so do its children")
			}
			s := newStage(t) // which demands that no process, socket or folder is left
			cfg := s.config("closing-host")
			cmd := exec.CommandContext(t.Context(), cfg.Path, c.how, s.dir)
			cmd.Env = append(os.Environ(), cfg.Env...)
			var stderr strings.Builder
			cmd.Stderr = &stderr
			stdout, err := cmd.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			line, _ := bufio.NewReader(stdout).ReadString('\n')
			if c.send != 0 {
				if line != "ready\n" {
					t.Errorf("the host says %q", line)
				}
				_ = cmd.Process.Signal(c.send)
			}
			_ = cmd.Wait()
			if got := cmd.ProcessState.String(); got != c.want {
				t.Errorf("%s, want %s\n%s", got, c.want, stderr.String())
			}
			if c.how == "panic" && !strings.Contains(stderr.String(), "the host is at fault") {
				t.Errorf("the panic is not told:\n%s", stderr.String())
			}
		})
	}
}

// One call ends all plugins of a program, whoever has opened them.
func ExampleCloseAll() {
	defer host.CloseOnSignal()() // Ctrl-C and SIGTERM, for programs that do not handle them otherwise
	defer host.CloseOnPanic()
	ctx := context.Background()
	cfg := host.Config{Handshake: testHandshake(), Path: os.Args[0], Env: []string{faultEnv + "=" + "good"}, Logger: slog.New(slog.DiscardHandler)}
	for range 2 {
		if _, err := host.Open(ctx, cfg); err != nil {
			panic(err)
		}
	}
	fmt.Println(host.CloseAll(ctx))
	// Output: <nil>
}
