package plugintest_test

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/plugingen/plugingen/runtime/host"
	"github.com/plugingen/plugingen/runtime/plugintest"
)

func guarded(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	t.Cleanup(cancel)
	return ctx
}

func TestNew(t *testing.T) {
	before := goleak.IgnoreCurrent()
	t.Run("call", func(t *testing.T) {
		got, err := plugintest.New(t, shouterService(), shouter(loud{})).shout(guarded(t), "hello")
		if err != nil || got != "HELLO" {
			t.Errorf("got %q, %v", got, err)
		}
	})
	if err := goleak.Find(before); err != nil {
		t.Error(err)
	}
}

// A call that runs while its test ends is cancelled, and waited for.
func TestNewEndsCalls(t *testing.T) {
	before := goleak.IgnoreCurrent()
	result := make(chan error, 1)
	t.Run("call", func(t *testing.T) {
		s := plugintest.New(t, shouterService(), shouter(loud{}))
		if _, err := s.shout(guarded(t), "connect"); err != nil {
			t.Fatal(err)
		}
		go func() { _, err := s.shout(context.Background(), "wait"); result <- err }()
	})
	if err := <-result; err == nil {
		t.Error("the call succeeded")
	}
	if err := goleak.Find(before); err != nil {
		t.Error(err)
	}
}

func TestOpen(t *testing.T) {
	before := goleak.IgnoreCurrent()
	var pid int
	t.Run("call", func(t *testing.T) {
		p := plugintest.Open(t, contract())
		pid = p.PID()
		s, err := host.Dispense(p, shouterService())
		if err != nil {
			t.Fatal(err)
		}
		if got, err := s.shout(guarded(t), "hello"); err != nil || got != "HELLO" {
			t.Errorf("got %q, %v", got, err)
		}
		environ, err := s.shout(guarded(t), "environ")
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(environ, "PLUGINGEN_TEST_PLUGIN") {
			t.Error("children of the plugin would take themselves for it")
		}
		if pid == os.Getpid() {
			t.Error("the plugin runs in the test's process")
		}
	})
	if err := goleak.Find(before); err != nil {
		t.Error(err)
	}
}

// A plugin that the test brings down on purpose does not fail the test.
func TestOpenOfAPluginThatEnds(t *testing.T) {
	p := plugintest.Open(t, contract())
	s, err := host.Dispense(p, shouterService())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.shout(guarded(t), "exit"); err == nil {
		t.Error("the call succeeded")
	}
	select {
	case <-p.Done():
	case <-guarded(t).Done():
		t.Fatal("the plugin has not ended")
	}
	if e, ok := errors.AsType[*host.Error](p.Err()); !ok || e.ExitCode != 7 {
		t.Errorf("the plugin ended with %v, want exit code 7", p.Err())
	}
}

func TestBuild(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "go.mod", "module hello\n\ngo 1.26\n")
	write(t, dir, "main.go", "package main\n\nfunc main() { println(\"hello\") }\n")
	program := plugintest.Build(t, dir)
	out, err := exec.CommandContext(guarded(t), program).CombinedOutput()
	if err != nil || string(out) != "hello\n" {
		t.Errorf("the program says %q, %v", out, err)
	}
}

// What fails in the kit fails the test, with a text that says what to do. Each case is a test that must fail, so it runs in
// a process of its own.
func TestFailures(t *testing.T) {
	tests := map[string][]string{
		"lost call":        {"a call failed in a method without an error result", "lost"},
		"does not build":   {"go build in", "undefined: nothing"},
		"no folder":        {"go build in", "nowhere"},
		"not a plugin":     {"does TestMain call plugintest.Main?"},
		"ignores its end":  {"methods must end with their context"},
		"service is twice": {"test.Shouter", "twice"},
	}
	for name, wants := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cmd := exec.CommandContext(guarded(t), os.Args[0], "-test.run=^TestFailing$")
			cmd.Env = append(os.Environ(), "PLUGINTEST_FAILING="+name)
			out, err := cmd.CombinedOutput()
			if _, ok := errors.AsType[*exec.ExitError](err); !ok {
				t.Errorf("the test ended with %v, want a failure", err)
			}
			for _, want := range wants {
				if !strings.Contains(string(out), want) {
					t.Errorf("the output lacks %q:\n%s", want, out)
				}
			}
			if strings.Contains(string(out), "panic") {
				t.Errorf("it panicked:\n%s", out)
			}
		})
	}
}

func TestFailing(t *testing.T) {
	switch os.Getenv("PLUGINTEST_FAILING") {
	case "":
		t.Skip("run by TestFailures")
	case "lost call":
		plugintest.New(t, shouterService(), shouter(loud{})).silent()
	case "does not build":
		dir := t.TempDir()
		write(t, dir, "go.mod", "module hello\n\ngo 1.26\n")
		write(t, dir, "main.go", "package main\n\nfunc main() { nothing() }\n")
		plugintest.Build(t, dir)
	case "no folder":
		plugintest.Build(t, filepath.Join(t.TempDir(), "nowhere"))
	case "not a plugin":
		c := contract()
		c.MagicCookieValue = "another"
		plugintest.Open(t, c)
	case "service is twice":
		s := shouterService().Implement(loud{})
		plugintest.Dial(t, s, s)
	case "ignores its end":
		s := plugintest.New(t, shouterService(), shouter(deaf{}))
		go func() { _, _ = s.shout(context.Background(), "") }()
		<-deafCalled
	}
}

// deaf is an implementation that never returns.
type deaf struct{ loud }

var deafCalled = make(chan struct{})

func (deaf) shout(context.Context, string) (string, error) {
	close(deafCalled)
	select {}
}

func write(t *testing.T, dir, name, content string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestServe(t *testing.T) {
	to := plugintest.Serve(t, config())
	for range 2 {
		p, err := host.Attach(t.Context(), to, host.Config{Handshake: contract(), StopAttached: true})
		if err != nil {
			t.Fatal(err)
		}
		s, err := host.Dispense(p, shouterService())
		if err != nil {
			t.Fatal(err)
		}
		if got, err := s.shout(t.Context(), "hello"); err != nil || got != "HELLO" {
			t.Errorf("got %q, %v", got, err)
		}
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	}
}
