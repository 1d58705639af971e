//go:build unix

package host_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/plugingen/plugingen/runtime/host"
	"github.com/plugingen/plugingen/runtime/transport"
)

func TestSocketGroup(t *testing.T) {
	s := newStage(t)
	cfg := s.config("plain")
	cfg.SocketGroup = strconv.Itoa(os.Getgid())
	cfg.TLS = host.TLSOff
	p := s.open(cfg)
	if got := mustDo(t, p, "dirmode"); got != "drwxrwx---" {
		t.Errorf("mode %s of the socket folder, want drwxrwx---", got)
	}
	if env := mustDo(t, p, "env"); !strings.Contains(env, "PLUGIN_UNIX_SOCKET_GROUP="+cfg.SocketGroup) {
		t.Errorf("the plugin is not told the group: %s", env)
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
		{"mute", "heard", host.StageVerify},
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
