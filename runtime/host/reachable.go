package host

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// ErrNotListening is what Reachable finds.
var ErrNotListening = errors.New("the plugin takes no more connections")

// Reachable says whether the plugin takes new connections. It makes one, with TLS where there is TLS, and hangs up. Calls need none
// as long as the one that Open made stands, and Ping goes over that one. But when it breaks, no call reaches a plugin that has closed its
// listener: so to a plugin that fails this with ErrNotListening more should not be entrusted, and a new one may be due.
//
// It always has a deadline: ctx's, else 5 s. A plugin that is gone fails it with an *Error.
func (p *Plugin) Reachable(ctx context.Context) error {
	if gone := p.gone(); gone != nil {
		return fmt.Errorf("reach: %w", gone)
	}
	ctx, cancel := withDefaultTimeout(ctx, pingTimeout)
	defer cancel()
	conn, err := p.carrier.another(ctx)
	if err != nil {
		return fmt.Errorf("reach: %w: %w", ErrNotListening, err)
	}
	_ = conn.Close() // that it was there is all there is to know
	return nil
}

// withDefaultTimeout is ctx with a deadline.
func withDefaultTimeout(ctx context.Context, d time.Duration) (context.Context, context.CancelFunc) {
	if _, has := ctx.Deadline(); has {
		return ctx, func() {}
	}
	return context.WithTimeout(ctx, d)
}
