package plugin

import (
	"context"
	"sync"
	"sync/atomic"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// calls counts the calls in flight of the contract's own services, so that a stop can let them finish. Counting costs
// two atomic additions a call and no allocation.
type calls struct {
	inFlight atomic.Int64
	stopping atomic.Bool
	idle     chan struct{} // closed once stopping with none in flight
	once     sync.Once
}

func newCalls() *calls { return &calls{idle: make(chan struct{})} }

func (c *calls) enter() error {
	c.inFlight.Add(1)
	if c.stopping.Load() {
		c.leave()
		return status.Error(codes.Unavailable, "the plugin is stopping")
	}
	return nil
}

func (c *calls) leave() {
	if c.inFlight.Add(-1) == 0 && c.stopping.Load() {
		c.once.Do(func() { close(c.idle) })
	}
}

// drain refuses new calls and waits for those in flight until ctx ends. It says whether all are done; it may be called again.
func (c *calls) drain(ctx context.Context) bool {
	c.inFlight.Add(1) // as a call of its own, it closes idle when nobody else is left to
	c.stopping.Store(true)
	c.leave()
	select {
	case <-c.idle:
		return true
	case <-ctx.Done():
		return false
	}
}

func (c *calls) unary(handle grpc.MethodHandler) grpc.MethodHandler {
	return func(srv any, ctx context.Context, decode func(any) error, intercept grpc.UnaryServerInterceptor) (any, error) {
		if err := c.enter(); err != nil {
			return nil, err
		}
		defer c.leave()
		return handle(srv, ctx, decode, intercept)
	}
}

func (c *calls) stream(handle grpc.StreamHandler) grpc.StreamHandler {
	return func(srv any, stream grpc.ServerStream) error {
		if err := c.enter(); err != nil {
			return err
		}
		defer c.leave()
		return handle(srv, stream)
	}
}
