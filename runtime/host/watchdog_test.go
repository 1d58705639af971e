//go:build unix

package host_test

import (
	"context"
	"errors"
	"syscall"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/plugingen/plugingen/runtime/host"
)

// Whoever attaches to a plugin under a debugger must not end it at the first breakpoint.
func TestWatchdogLeavesAttachedAlone(t *testing.T) {
	s := newStage(t)
	cfg := s.config("plain")
	brief(&cfg)
	p := s.open(cfg)
	a := s.attach(p.Attachment(), func(c *host.Config) { c.Watchdog = host.Watchdog{Interval: time.Millisecond, Misses: 1} })
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond) // in which it would have been asked many times
	defer cancel()
	if _, err := do(ctx, p.Conn(), "stop"); status.Code(err) != codes.DeadlineExceeded {
		t.Errorf("call: %v, want DeadlineExceeded", err)
	}
	signalPlugin(t, p, syscall.SIGSTOP) // in case that the call has not reached it in time
	select {
	case <-a.Done():
		t.Errorf("the watchdog has let the plugin go: %v", a.Err())
	default:
	}
	if err := p.Close(); !errors.Is(err, host.ErrKilled) {
		t.Errorf("close: %v, want ErrKilled", err)
	}
	await(t, a.Done(), "the attached host learns of the end")
}
