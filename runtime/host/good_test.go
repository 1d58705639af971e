//go:build unix

package host_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/plugingen/plugingen/runtime"
	"github.com/plugingen/plugingen/runtime/handshake"
	"github.com/plugingen/plugingen/runtime/host"
	"github.com/plugingen/plugingen/runtime/transport"
)

func TestGoodPlugin(t *testing.T) {
	s := newStage(t)
	cfg := s.config("good")
	cfg.Handshake.ProtocolVersions = []int{2, 1, 3}
	p := s.open(cfg)
	if err := p.Ping(t.Context()); err != nil {
		t.Errorf("ping: %v", err)
	}
	if got := mustDo(t, p, "hello"); got != "hello" {
		t.Errorf("do: %q", got)
	}
	if p.Version() != 2 || p.PID() <= 0 || p.Name() != filepath.Base(cfg.Path) || p.Err() != nil {
		t.Errorf("version %d, pid %d, name %s, err %v", p.Version(), p.PID(), p.Name(), p.Err())
	}
	if err := p.Close(); err != nil {
		t.Errorf("close: %v", err)
	}
	_, err := do(t.Context(), p.Conn(), "hello")
	if !errors.Is(err, host.ErrClosed) || status.Code(err) != codes.Unavailable {
		t.Errorf("call after close: %v, want ErrClosed and Unavailable", err)
	}
	if err := p.Ping(t.Context()); !errors.Is(err, host.ErrClosed) {
		t.Errorf("ping after close: %v, want ErrClosed", err)
	}
}

// TestExitEndsTheStart has a plugin that ends although its socket lives on: nobody waits for an answer then.
func TestExitEndsTheStart(t *testing.T) {
	s := newStage(t)
	cfg := s.config("left-socket")
	cfg.StartTimeout = time.Hour
	e := s.openFails(t.Context(), cfg)
	if e.ExitCode != 6 || !errors.Is(e, host.ErrExited) || errors.Is(e, context.DeadlineExceeded) {
		t.Errorf("exit code %d, %v", e.ExitCode, e)
	}
	s.killProcesses()
}

// TestNothingLeftAtOnce looks the moment that Close returns, not a while later.
func TestNothingLeftAtOnce(t *testing.T) {
	s := newStage(t)
	before := openFiles(t)
	p := s.open(s.config("good"))
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	if after := openFiles(t); len(after) > len(before) {
		t.Errorf("descriptors %q, before %q", after, before)
	}
	if left := s.processes(); len(left) > 0 {
		t.Errorf("processes %v", left)
	}
}

func TestTCP(t *testing.T) {
	s := newStage(t)
	cfg := s.config("good")
	cfg.Handshake.Transports = []string{handshake.TCP}
	cfg.MinPort, cfg.MaxPort = 20000, 40000
	p := s.open(cfg)
	env := mustDo(t, p, "hello")
	if err := p.Close(); err != nil || env != "hello" {
		t.Errorf("do: %q, close: %v", env, err)
	}
}

func TestWrongCookie(t *testing.T) { // row 9
	s := newStage(t)
	cfg := s.config("good")
	cfg.Handshake.MagicCookieValue = "another one"
	e := s.openFails(t.Context(), cfg)
	t.Logf("%v\nhint: %s", e, e.Hint)
	if e.ExitCode != 1 || !strings.Contains(e.Hint, "cookie") {
		t.Errorf("exit code %d, hint %q", e.ExitCode, e.Hint)
	}
	if strings.Contains(fmt.Sprintf("%v%+v%v", e, *e, s.log.all()), "another one") {
		t.Error("the cookie's value shows")
	}
}

func TestOpenCancelled(t *testing.T) {
	for _, c := range []struct {
		fault, on string
		stage     host.Stage
	}{
		{"plain", "", host.StageLaunch},
		{"hang", "hanging", host.StageHandshake},
		{"nosock", "announced", host.StageConnect},
		{"mute", "accepted", host.StageVerify},
	} {
		t.Run(string(c.stage), func(t *testing.T) {
			s := newStage(t)
			ctx, cancel := context.WithCancelCause(t.Context())
			defer cancel(nil)
			if c.on == "" {
				cancel(errMind)
			} else {
				defer context.AfterFunc(s.cancelOn(c.on), func() { cancel(errMind) })()
			}
			e := s.openFails(ctx, s.config(c.fault))
			t.Log(e)
			if e.Stage != c.stage && c.stage != host.StageConnect { // its grace may have passed before the record came
				t.Errorf("stage %s, want %s", e.Stage, c.stage)
			}
			if c.stage != host.StageConnect && (!errors.Is(e, context.Canceled) || !errors.Is(e, errMind)) {
				t.Errorf("error %v, want context.Canceled and its cause", e)
			}
		})
	}
}

var errMind = errors.New("changed my mind")

func TestCloseConcurrently(t *testing.T) {
	s := newStage(t)
	p := s.open(s.config("exit-7"))
	var errs [64]error
	var wg sync.WaitGroup
	for i := range errs {
		wg.Go(func() { errs[i] = p.Close() })
	}
	wg.Wait()
	for _, err := range errs {
		if hostError(t, err) != hostError(t, errs[0]) {
			t.Fatalf("close: %v, want the first one's error: %v", err, errs[0])
		}
	}
	if e := hostError(t, errs[0]); e.ExitCode != 7 || e.Stage != host.StageClose {
		t.Errorf("stage %s, exit code %d", e.Stage, e.ExitCode)
	}
}

func TestCloseCutsCallsOff(t *testing.T) {
	s := newStage(t)
	p := s.open(s.config("plain"))
	result := make(chan error, 1)
	go func() {
		_, err := do(t.Context(), p.Conn(), "hang")
		result <- err
	}()
	mustDo(t, p, "x")
	if err := p.Close(); err != nil {
		t.Errorf("close: %v", err)
	}
	select {
	case err := <-result:
		if status.Code(err) != codes.Unavailable && status.Code(err) != codes.Canceled {
			t.Errorf("call: %v", err)
		}
	case <-time.After(guard):
		t.Fatal("the call goes on after Close")
	}
}

func TestManyAtOnce(t *testing.T) {
	s := newStage(t)
	var wg sync.WaitGroup
	for range 12 {
		wg.Go(func() {
			p, err := host.Open(t.Context(), s.config("good"))
			if err != nil {
				t.Error(err)
				return
			}
			if _, err := do(t.Context(), p.Conn(), "hello"); err != nil {
				t.Error(err)
			}
			if err := p.Close(); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
}

func TestFewFiles(t *testing.T) { // row 29
	s := newStage(t)
	cfg := s.config("fewfiles")
	cmd := exec.CommandContext(t.Context(), cfg.Path, s.dir, s.mark)
	cmd.Env = append(os.Environ(), cfg.Env...)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if got := strings.TrimSpace(string(out)); err != nil || got != "true true 40" {
		t.Errorf("%v: %s, want some opened, some failed, 40 in all\n%s", err, got, stderr.String())
	}
	if !strings.Contains(stderr.String(), "too many open files") {
		t.Errorf("errors do not name the limit:\n%s", stderr.String())
	}
}

func TestSocketDir(t *testing.T) { // rows 32 to 35; package transport tests the rest
	for name, dir := range map[string]string{
		"missing":  "/nonexistent/folder",
		"a file":   "/dev/null",
		"too long": "/tmp/" + strings.Repeat("l", 120),
	} {
		t.Run(name, func(t *testing.T) {
			s := newStage(t)
			t.Setenv("TMPDIR", s.dir)
			cfg := s.config("plain")
			cfg.SocketDir = dir
			p := s.open(cfg)
			if got := mustDo(t, p, "dirmode"); got != "drwx------" {
				t.Errorf("mode %s of the socket folder, want drwx------", got)
			}
			if err := p.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestLaunchErrors(t *testing.T) {
	text := filepath.Join(t.TempDir(), "text")
	if err := os.WriteFile(text, []byte("hello\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		change func(*host.Config)
		is     error
		hint   string
	}{
		"missing":        {func(c *host.Config) { c.Path = "./missing" }, os.ErrNotExist, "built"},
		"folder":         {func(c *host.Config) { c.Path = os.TempDir() }, os.ErrPermission, "name the program in it"},
		"not executable": {func(c *host.Config) { c.Path = "/dev/null" }, os.ErrPermission, "chmod"},
		"not a program":  {func(c *host.Config) { c.Path = text }, syscall.ENOEXEC, "#!/bin/sh"},
		"no such folder": {func(c *host.Config) { c.Dir = "/nonexistent" }, os.ErrNotExist, "working directory"},
		"no such group":  {func(c *host.Config) { c.SocketGroup = "no-such-group" }, transport.ErrGroup, ""},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStage(t)
			cfg := s.config("good")
			c.change(&cfg)
			e := s.openFails(t.Context(), cfg)
			t.Logf("%v\nhint: %s", e, e.Hint)
			if e.Stage != host.StageLaunch || e.ExitCode != -1 || !errors.Is(e, c.is) || !strings.Contains(e.Hint, c.hint) {
				t.Errorf("stage %s, exit code %d, error %v, hint %q; want launch, -1, %v, %q", e.Stage, e.ExitCode, e, e.Hint, c.is, c.hint)
			}
		})
	}
}

func TestLogsNameThePlugin(t *testing.T) {
	s := newStage(t)
	p := s.open(s.config("multi"))
	line := s.log.await(t, "one more line")
	if !strings.Contains(line, "plugin="+p.Name()) || !strings.Contains(line, "stream=stdout") {
		t.Errorf("record %q: want the plugin's name and the stream", line)
	}
}

func TestDispense(t *testing.T) {
	s := newStage(t)
	p := s.open(s.config("good"))
	conn, err := host.Dispense(p, runtime.Service[grpc.ClientConnInterface]{
		Name:      "test.Deeds",
		NewClient: func(c grpc.ClientConnInterface) grpc.ClientConnInterface { return c },
	})
	if err != nil {
		t.Fatal(err)
	}
	if got, err := do(t.Context(), conn, "hello"); got != "hello" || err != nil {
		t.Errorf("do: %q, %v", got, err)
	}
	if _, err := host.Dispense(p, runtime.Service[int]{Name: "x"}); err == nil {
		t.Error("a service without NewClient: no error")
	}
	_ = p.Close()
	_, err = host.Dispense(p, runtime.Service[int]{Name: "x", NewClient: func(grpc.ClientConnInterface) int { return 1 }})
	if !errors.Is(err, host.ErrClosed) {
		t.Errorf("after close: %v, want ErrClosed", err)
	}
}

func TestCallLost(t *testing.T) {
	s := newStage(t)
	var lost []error
	cfg := s.config("plain")
	cfg.OnCallLost = func(err error) { lost = append(lost, err) }
	p := s.open(cfg)
	runtime.ReportLost(p.Conn(), errMind)
	if len(lost) != 1 || !errors.Is(lost[0], errMind) {
		t.Errorf("OnCallLost got %v", lost)
	}
	if line := s.log.await(t, errMind.Error()); !strings.HasPrefix(line, slog.LevelError.String()) {
		t.Errorf("record %q: want level ERROR", line)
	}
}

func TestUnavailableAnswer(t *testing.T) { // a plugin's own Unavailable is no sign of its end
	s := newStage(t)
	p := s.open(s.config("plain"))
	_, err := do(t.Context(), p.Conn(), "unavailable")
	if status.Code(err) != codes.Unavailable || status.Convert(err).Message() != "come back later" || errors.Is(err, host.ErrExited) {
		t.Errorf("call: %v", err)
	}
}

func TestNoHealthService(t *testing.T) {
	s := newStage(t)
	p := s.open(s.config("no-health"))
	if err := p.Ping(t.Context()); err != nil {
		t.Errorf("ping: %v", err)
	}
}

func TestArgsAndDir(t *testing.T) {
	s := newStage(t)
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	cfg := s.config("plain")
	cfg.Dir, cfg.Args = dir, []string{"one", "two words"}
	p := s.open(cfg)
	if got, want := mustDo(t, p, "cwd"), dir+" one two words"; got != want {
		t.Errorf("working directory and arguments %q, want %q", got, want)
	}
}
