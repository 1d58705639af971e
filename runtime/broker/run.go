package broker

import (
	"context"
	"time"

	"google.golang.org/grpc"

	"github.com/plugingen/plugingen/runtime/internal/lane"
	"github.com/plugingen/plugingen/runtime/internal/wire"
)

const (
	firstPause   = 5 * time.Millisecond
	longestPause = time.Second
)

// Run is the host's half: it opens the broker's stream over conn, the connection to the plugin, and opens it again whenever it
// is lost and conn connects anew. It blocks until the broker is closed or ctx ends, and returns nil then; it returns
// ErrUnsupported, in an *Error, when the plugin has no broker, and so do Accept and Dial then. Run it once, in a goroutine of its own.
func (b *Broker) Run(ctx context.Context, conn grpc.ClientConnInterface) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() { // ends with Run
		select {
		case <-b.closed:
			cancel()
		case <-ctx.Done():
		}
	}()
	for pause := firstPause; ; pause = min(2*pause, longestPause) {
		began := time.Now()
		err := b.runOnce(ctx, conn)
		if ctx.Err() != nil {
			return nil
		}
		if isUnsupported(err) {
			close(b.hopeless)
			return &Error{Op: "run", Err: ErrUnsupported}
		}
		if time.Since(began) > longestPause {
			pause = firstPause
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return nil
		}
	}
}

// runOnce opens the stream and talks until it ends.
func (b *Broker) runOnce(ctx context.Context, conn grpc.ClientConnInterface) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	s, err := wire.OpenBroker(ctx, conn, lane.Quiet())
	if err != nil {
		return err
	}
	return b.talk(s, nil, cancel)
}
