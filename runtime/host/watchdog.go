package host

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

const (
	defaultMisses    = 3
	hintUnresponsive = "it hangs, or a debugger holds it: then switch the Watchdog off; a plugin that is slow at times needs a longer Interval"
)

// ErrUnresponsive is the reason of a plugin that Config.Watchdog has killed.
var ErrUnresponsive = errors.New("the plugin does not answer and was killed")

// Watchdog asks a running plugin for its health, as Ping does, and ends one that does not answer. The zero value does neither:
// a plugin that a debugger holds does not answer either. For the same reason one that the host was attached to is never asked.
type Watchdog struct {
	// Interval is the time from one question to the next, and what an answer may take; zero means that nothing is asked.
	Interval time.Duration
	// Misses is how many questions in a row may go without an answer before the plugin is killed; zero means 3. The plugin's
	// end has the reason ErrUnresponsive then. An answer that it does not serve, or any other, is one.
	Misses int
}

func (w Watchdog) validate() error {
	if err := check(w.Interval >= 0, "watchdog interval %v: it must not be negative", w.Interval); err != nil {
		return err
	}
	return check(w.Misses >= 0, "watchdog misses %d: it must not be negative", w.Misses)
}

// asker is a Watchdog at work.
type asker struct {
	Watchdog
	ask    func(context.Context) error
	missed func(n int, err error) // tells of each question without an answer
}

// run asks until ctx ends, which returns nil, or until the plugin has missed too often, which returns why it must be ended.
func (a asker) run(ctx context.Context) error {
	limit := cmp.Or(a.Misses, defaultMisses)
	ticker := time.NewTicker(a.Interval)
	defer ticker.Stop()
	for misses := 0; ; {
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
		err := a.once(ctx)
		switch {
		case ctx.Err() != nil:
			return nil
		case !isMiss(err):
			misses = 0
			continue
		}
		misses++
		a.missed(misses, err)
		if misses >= limit {
			return fmt.Errorf("%w: %d health checks, %v apart, had no answer", ErrUnresponsive, misses, a.Interval)
		}
	}
}

func (a asker) once(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, a.Interval)
	defer cancel()
	return a.ask(ctx)
}

// isMiss tells no answer from one that the caller may not like.
func isMiss(err error) bool {
	switch status.Code(err) {
	case codes.DeadlineExceeded, codes.Canceled, codes.Unavailable:
		return true
	default:
		return false
	}
}

// watch starts the Watchdog, if there is one. It ends with the plugin, and when Close begins.
func (p *Plugin) watch() {
	ctx, cancel := context.WithCancel(context.Background())
	p.endWatch = cancel
	w := p.child.cfg.Watchdog
	if w.Interval == 0 || p.child.attached != nil {
		return
	}
	a := asker{Watchdog: w, ask: func(ctx context.Context) error { return health(ctx, p.carrier) }, missed: p.noteMiss}
	p.watching.Go(func() {
		if err := a.run(ctx); err != nil {
			p.hung.Store(&err)
			p.child.kill()
		}
	})
}

func (p *Plugin) noteMiss(n int, err error) {
	note(p.child.cfg.Logger, slog.LevelWarn, "the plugin does not answer", "misses", n, "error", err)
}

// unresponsive is why the watchdog has ended the plugin; nil when it has not.
func (p *Plugin) unresponsive() *Error {
	why := p.hung.Load()
	if why == nil || !p.child.killed.Load() {
		return nil
	}
	e := p.endError(StageRun, *why, Exit{Code: -1})
	e.Hint = hintUnresponsive
	return e
}
