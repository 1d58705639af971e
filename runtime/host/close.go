package host

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/plugingen/plugingen/runtime/internal/wire"
)

// Close ends the plugin: it asks by RPC, then with SIGTERM, both within Config.StopTimeout, then kills its process group. Calls that
// are running are cut off. When it returns, nothing of the plugin is left. Besides StopTimeout it takes at most a few
// seconds, for what a process outside the group holds, and for loggers and writers that block.
//
// A plugin that it was attached to is left alone, unless Config.StopAttached says otherwise.
//
// The error is nil when the plugin ended as asked, and an *Error when it had ended before, with another code than 0, or had
// to be killed. Close may be called again and by several goroutines; each call returns the first one's error.
func (p *Plugin) Close() error {
	p.closeOnce.Do(func() {
		close(p.closing)
		p.endWatch()
		p.closeErr = p.stop()
	})
	return p.closeErr
}

// stop goes from asking to killing. Each step is skipped when the plugin has ended.
func (p *Plugin) stop() error {
	grace := p.child.cfg.StopTimeout
	start := time.Now()
	left := func(part time.Duration) time.Duration { return part - time.Since(start) }
	if p.child.detaches() {
		p.child.attached.let()
		return p.awaitDone()
	}
	if p.shutdown(grace/2) && p.child.canEnd() {
		p.child.awaitEnd(left(grace * 3 / 4))
	}
	if !p.child.awaitEnd(0) && p.child.terminate() == nil {
		p.child.awaitEnd(left(grace))
	}
	if p.child.mustLeave() {
		note(p.child.cfg.Logger, slog.LevelWarn, "the plugin was asked to end and may still run: nothing tells its process from others", "id", p.ID())
	}
	p.child.kill()
	return p.awaitDone()
}

// detaches says that the plugin is not this host's to end.
func (c *child) detaches() bool { return c.attached != nil && !c.attached.mayEnd.Load() }

// isLeft says that the plugin was let go.
func (c *child) isLeft() bool { return c.attached != nil && isClosed(c.attached.letGo) }

// canEnd says that the end of the program would be noticed.
func (c *child) canEnd() bool { return c.attached == nil || c.attached.proc != nil }

// mustLeave says that the program still runs, as far as is known, and cannot be killed.
func (c *child) mustLeave() bool {
	return c.attached != nil && !c.attached.mayBeSignalled() && !c.awaitEnd(0)
}

// shutdown says whether the plugin took the request, so that waiting for its end makes sense.
func (p *Plugin) shutdown(timeout time.Duration) bool {
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	ctx, stop := p.child.whileRunning(ctx)
	defer stop()
	err := wire.Shutdown(ctx, p.carrier)
	if err != nil && ctx.Err() == nil {
		note(p.child.cfg.Logger, slog.LevelDebug, "the plugin does not take Shutdown; it gets SIGTERM", "error", err)
	}
	return err == nil
}

// awaitDone gives up on a process that even SIGKILL does not end: one that waits for a driver, or runs as another user.
func (p *Plugin) awaitDone() error {
	if !p.child.awaitEnd(killTimeout) {
		return p.endError(StageClose, fmt.Errorf("%w, and it is still there", ErrKilled), Exit{Code: -1})
	}
	<-p.done
	return p.Err()
}
