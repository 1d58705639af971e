//go:build unix

package process_test

import (
	"errors"
	"os"
	"sync/atomic"
	"testing"
	"time"

	"github.com/plugingen/plugingen/runtime/internal/process"
)

func isSame() bool { return true }

func attach(t *testing.T, pid int, isSame func() bool) *process.Attached {
	t.Helper()
	a, err := process.Attach(pid, isSame)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(a.Release)
	return a
}

func awaitDone(t *testing.T, a *process.Attached) {
	t.Helper()
	select {
	case <-a.Done():
	case <-time.After(guard):
		t.Fatalf("its end is not noticed after %v", guard)
	}
}

func TestAttachedEnds(t *testing.T) {
	for name, c := range map[string]struct {
		script string
		end    func(*process.Process, *process.Attached) error
		want   process.Exit
	}{
		"by itself":    {"sleep 300", func(p *process.Process, _ *process.Attached) error { return p.Kill() }, process.Exit{Code: -1, Signal: "SIGKILL"}},
		"as asked":     {"trap 'exit 4' TERM; echo; while :; do sleep 1; done", func(_ *process.Process, a *process.Attached) error { return a.Terminate() }, process.Exit{Code: 4}},
		"killed":       {"trap '' TERM; echo; sleep 300", func(_ *process.Process, a *process.Attached) error { return a.Kill() }, process.Exit{Code: -1, Signal: "SIGKILL"}},
		"while halted": {"kill -STOP $$", func(_ *process.Process, a *process.Attached) error { return a.Kill() }, process.Exit{Code: -1, Signal: "SIGKILL"}},
	} {
		t.Run(name, func(t *testing.T) {
			p := shell(t, c.script)
			a := attach(t, p.PID(), isSame)
			if c.want.Signal == "" {
				awaitLine(t, p.Stdout()) // the trap is set
			}
			if err := c.end(p, a); err != nil {
				t.Error(err)
			}
			awaitDone(t, a)
			if got := await(t, p); got != c.want {
				t.Errorf("%v, want %v", got, c.want)
			}
			if err := errors.Join(a.Terminate(), a.Kill()); err != nil {
				t.Errorf("signals for what has ended: %v", err)
			}
		})
	}
}

// TestAttachedIsAnother has a process whose number a later one has got.
func TestAttachedIsAnother(t *testing.T) {
	p := shell(t, "sleep 300")
	if a, err := process.Attach(p.PID(), func() bool { return false }); !errors.Is(err, process.ErrGone) {
		a.Release()
		t.Errorf("%v, want ErrGone", err)
	}
	var another atomic.Bool
	a := attach(t, p.PID(), func() bool { return !another.Load() })
	another.Store(true)
	if err := errors.Join(a.Terminate(), a.Kill()); err != nil {
		t.Error(err)
	}
	if exit, ended := p.Exit(); ended {
		t.Errorf("a stranger was killed: %v", exit)
	}
}

func TestAttachToNobody(t *testing.T) {
	p := shell(t, "exit 0")
	await(t, p)
	for _, pid := range []int{p.PID(), 1 << 30} {
		if a, err := process.Attach(pid, isSame); !errors.Is(err, process.ErrGone) {
			a.Release()
			t.Errorf("process %d: %v, want ErrGone", pid, err)
		}
	}
}

func TestReleaseLetsItBe(t *testing.T) {
	p := shell(t, "sleep 300")
	a := attach(t, p.PID(), isSame)
	a.Release()
	a.Release()
	if err := a.Kill(); err != nil {
		t.Error(err)
	}
	select {
	case <-a.Done():
		t.Error("it has ended")
	default:
	}
	if exit, ended := p.Exit(); ended {
		t.Errorf("%v", exit)
	}
	self := attach(t, os.Getpid(), isSame)
	self.Release()
}
