package object

import (
	"context"
	"io/fs"
	"runtime"
	"strconv"
	"strings"
	"sync/atomic"
	"weak"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	plugingen "github.com/plugingen/plugingen/runtime"
	"github.com/plugingen/plugingen/runtime/internal/lane"
)

// Handle is a peer's object: the connection that its proxy calls over. Its methods may be called by many goroutines.
type Handle struct {
	claim   *claim
	name    string          // of the type
	hold    any             // keeps who owns the session
	scope   context.Context // of the call that has lent it; nil for others
	lender  *Scope          // that call; nil for others
	caller  context.Context // of the call that has returned it; nil for others
	origin  grpc.ClientConnInterface
	proxy   any
	cleanup runtime.Cleanup
}

// claim is what is given back when a handle is not needed any more. It does not know its handle.
type claim struct {
	session *session
	id      uint64
	times   uint64 // received; guarded by the session
	self    weak.Pointer[Handle]
	place   uintptr // of the proxy when that is a function; guarded by the session
	lent    bool
	call    *calling // whose result it is; nil for none
	over    atomic.Bool
	closed  atomic.Bool // over because its Close method was called
}

var _ grpc.ClientConnInterface = (*Handle)(nil)

// released is the error of calls when it is over; closed files, connections and the like are fs.ErrClosed in Go.
func (c *claim) released() error {
	if c.closed.Load() {
		return failure(codes.NotFound, ErrReleased, fs.ErrClosed)
	}
	return failure(codes.NotFound, ErrReleased, nil)
}

// giveBack makes later calls fail, and tells the owner unless that lent the object. It never waits.
func (c *claim) giveBack() {
	if c.over.Swap(true) {
		return
	}
	c.forgetFunc()
	if c.lent {
		return
	}
	s := c.session
	s.mu.Lock()
	times := c.times
	if s.proxies[c.id] == c.self {
		delete(s.proxies, c.id)
	}
	s.mu.Unlock()
	if c.call != nil {
		c.call.lose()
	}
	s.release(c.id, times)
}

// Release gives the object back: later calls fail with ErrReleased. The collector does the same for proxies that are
// garbage. It may be called again, and does nothing then.
func (h *Handle) Release() {
	h.cleanup.Stop()
	h.claim.giveBack()
}

// Invoke calls the object.
func (h *Handle) Invoke(ctx context.Context, method string, args, reply any, opts ...grpc.CallOption) error {
	client, err := h.client(ctx)
	if err != nil {
		return err
	}
	ctx, stop := h.bounded(ctx)
	defer stop()
	err = client.Invoke(h.aim(ctx, method), unaryMethod, args, reply, opts...)
	runtime.KeepAlive(h)
	return h.explain(ctx, client, err)
}

// NewStream opens a stream to the object.
func (h *Handle) NewStream(ctx context.Context, desc *grpc.StreamDesc, method string, opts ...grpc.CallOption) (grpc.ClientStream, error) {
	client, err := h.client(ctx)
	if err != nil {
		return nil, err
	}
	stream, err := client.NewStream(h.aim(h.tied(ctx), method), desc, streamMethod, opts...)
	return stream, h.explain(ctx, client, err)
}

// tied is bounded for a stream: its context ends in any case, as every stream's must.
func (h *Handle) tied(ctx context.Context) context.Context {
	if h.scope == nil || h.scope.Done() == nil {
		return ctx
	}
	tied, cancel := context.WithCancelCause(ctx)
	stop := context.AfterFunc(h.scope, func() { cancel(context.Cause(h.scope)) })
	context.AfterFunc(tied, func() { stop(); cancel(nil) })
	return tied
}

// life is what a stream of the object lasts at most: the call that lent it, or the context of the call that returned it.
func (h *Handle) life() context.Context {
	switch {
	case h.scope != nil:
		return h.scope
	case h.caller != nil:
		return h.caller
	default:
		return context.Background()
	}
}

// ends is what cuts off even what must still be delivered.
func (h *Handle) ends() context.Context {
	if h.scope != nil {
		return h.scope
	}
	return context.Background()
}

// CallLost hands on what the methods of proxies without an error result cannot say.
func (h *Handle) CallLost(err error) { plugingen.ReportLost(h.origin, err) }

func (h *Handle) client(ctx context.Context) (*lane.Client, error) {
	if h.claim.over.Load() {
		return nil, h.claim.released()
	}
	if err := h.claim.session.lost(); err != nil {
		return nil, err
	}
	return h.claim.session.caller(ctx)
}

// bounded ends calls of a lent object with the call that has lent it.
func (h *Handle) bounded(ctx context.Context) (context.Context, func()) {
	if h.scope == nil || h.scope.Done() == nil || ctx.Done() == h.scope.Done() {
		return ctx, func() {}
	}
	ctx, cancel := context.WithCancelCause(ctx)
	stop := context.AfterFunc(h.scope, func() { cancel(context.Cause(h.scope)) })
	return ctx, func() { stop(); cancel(nil) }
}

// aim puts the object's number and the method's name where the owner looks for them.
func (h *Handle) aim(ctx context.Context, method string) context.Context {
	name := method[strings.LastIndexByte(method, '/')+1:]
	return metadata.AppendToOutgoingContext(plugingen.CallContext(ctx), targetKey, strconv.FormatUint(h.claim.id, 10)+"/"+name)
}

// explain makes what the connection said one of this package's errors, where it is one.
func (h *Handle) explain(ctx context.Context, client *lane.Client, err error) error {
	if err == nil {
		return nil
	}
	switch status.Code(err) {
	case codes.NotFound:
		return failure(codes.NotFound, ErrReleased, nil)
	case codes.Unavailable, codes.Canceled:
		if ended := client.Err(); ended != nil && ctx.Err() == nil {
			return failure(codes.Unavailable, ErrConnection, ended)
		}
	}
	return err
}

// Closed gives back the object behind conn, whose Close method has been called. What is lent stays.
func Closed(conn grpc.ClientConnInterface) {
	if h, ok := conn.(*Handle); ok && !h.claim.lent {
		h.claim.closed.Store(true)
		h.Release()
	}
}
