package object

import (
	"context"
	"errors"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	plugingen "github.com/plugingen/plugingen/runtime"
	"github.com/plugingen/plugingen/runtime/runtimepb"
)

// Receiver is the type of a channel that is received from. Its proxy is a channel without a buffer, closed when the
// owner's is, when the call that lent it ends, when the context of the call that returned it ends, and when the
// connection is lost. The proxy may be up to 64 values ahead of who receives from it, fewer at the beginning.
func Receiver[C ~<-chan T, T, M any](name string, encode func(*Scope, T) (*M, error), decode func(*Scope, *M) (T, error)) Type[C] {
	c := codec[T, M]{encode, decode}
	return Type[C]{
		Name: name,
		Describe: func() *grpc.ServiceDesc {
			return describeStream(name, func(srv any, stream grpc.ServerStream) error {
				return c.produce(stream, func(ctx context.Context, send func(T) bool, ready func() bool) {
					sendFrom(ctx, (<-chan T)(srv.(C)), send, ready)
				})
			})
		},
		Proxy: func(conn grpc.ClientConnInterface) C {
			h, local := conn.(*Handle), make(chan T)
			h.run(C(local), func(ctx context.Context) error {
				defer close(local)
				return c.consume(ctx, h, func(v T) bool {
					select {
					case local <- v:
						return true
					case <-ctx.Done():
						return false
					}
				})
			})
			return C(local)
		},
	}
}

func sendFrom[T any](ctx context.Context, c <-chan T, send func(T) bool, ready func() bool) {
	for ready() {
		select {
		case v, ok := <-c:
			if !ok || !send(v) {
				return
			}
		case <-ctx.Done():
			return
		}
	}
}

// Sender is the type of a channel that is sent on. Its proxy is a channel without a buffer; closing it closes the owner's. What
// was sent on it has reached the owner's channel when the call that lent it returns.
func Sender[C ~chan<- T, T, M any](name string, encode func(*Scope, T) (*M, error), decode func(*Scope, *M) (T, error)) Type[C] {
	c := codec[T, M]{encode, decode}
	return Type[C]{
		Name: name,
		Describe: func() *grpc.ServiceDesc {
			deliver := func(srv any, stream grpc.ServerStream) error { return c.deliver(srv.(C), stream) }
			return describeStream(name, deliver, grpc.MethodDesc{MethodName: closeMethod, Handler: ioHandler(closeChannel[C, T])})
		},
		Proxy: func(conn grpc.ClientConnInterface) C {
			h, local := conn.(*Handle), make(chan T)
			h.run(C(local), func(ctx context.Context) error { return c.forward(ctx, h, local) })
			return C(local)
		},
	}
}

// closeChannel closes the owner's channel; the peer may have done so before.
func closeChannel[C ~chan<- T, T any](c C, _ *runtimepb.Done) (_ *runtimepb.Done, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = status.Errorf(codes.FailedPrecondition, "%v", p)
		}
	}()
	close(c)
	return &runtimepb.Done{}, nil
}

// deliver sends on the owner's channel what comes.
func (c codec[T, M]) deliver(out chan<- T, stream grpc.ServerStream) error {
	ctx := stream.Context()
	scope := &Scope{ctx: ctx, server: true, find: func() (*session, error) { return sessionOf(ctx) }}
	t := taker{ask: func(n uint64) error { return stream.SendMsg(&runtimepb.Credit{Values: n}) }}
	for err := t.begin(); ; err = t.took() {
		if err != nil {
			return err
		}
		m := new(M)
		if err := stream.RecvMsg(m); err != nil {
			return ignoreEnd(err)
		}
		v, err := c.decode(scope, m)
		if err == nil {
			err = sendOn(ctx, out, v)
		}
		if err != nil {
			return err
		}
	}
}

// sendOn fails on a closed channel instead of ending the process: it is the peer that sends.
func sendOn[T any](ctx context.Context, c chan<- T, v T) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = status.Errorf(codes.FailedPrecondition, "%v", p)
		}
	}()
	select {
	case c <- v:
		return nil
	case <-ctx.Done():
		return status.FromContextError(ctx.Err()).Err()
	}
}

// forward sends what comes on local to the owner. The end of ctx means that nothing more will come.
func (c codec[T, M]) forward(ctx context.Context, h *Handle, local <-chan T) error {
	streamCtx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	defer context.AfterFunc(h.ends(), cancel)()
	stream, err := h.NewStream(streamCtx, &grpc.StreamDesc{StreamName: valuesMethod, ServerStreams: true, ClientStreams: true}, valuesMethod)
	if err != nil {
		return err
	}
	allowed := newAllowance()
	listened := make(chan error, 1)
	go func() {
		var end error
		allowed.listen(func(m any) error { end = stream.RecvMsg(m); return end })
		listened <- ignoreEnd(end)
	}()
	closed, err := c.sendLocal(ctx, h.loose(streamCtx), stream, local, allowed)
	_ = stream.CloseSend() // the end tells
	if end := <-listened; end != nil {
		err = errors.Join(err, end)
	}
	if closed && err == nil {
		return h.Invoke(streamCtx, closeMethod, &runtimepb.Done{}, new(runtimepb.Done))
	}
	if !closed {
		discard(ctx, local)
	}
	return err
}

// discard takes what is sent although nobody receives it any more: senders would hang.
func discard[T any](ctx context.Context, local <-chan T) {
	for {
		select {
		case _, ok := <-local:
			if !ok {
				return
			}
		case <-ctx.Done():
			return
		}
	}
}

func (c codec[T, M]) sendLocal(ctx context.Context, scope *Scope, stream grpc.ClientStream, local <-chan T, allowed *allowance) (closed bool, err error) {
	for allowed.take(ctx.Done()) {
		select {
		case v, ok := <-local:
			if !ok {
				return true, nil
			}
			m, err := c.encode(scope, v)
			if err != nil {
				return false, err
			}
			if stream.SendMsg(m) != nil {
				return false, nil // the end tells
			}
		case <-ctx.Done():
			return isClosed(local), nil
		}
	}
	return isClosed(local), nil
}

// isClosed tells whether the sender has said its last word: the end of the call may come just after it. A sender that still
// waits then has sent too late.
func isClosed[T any](local <-chan T) bool {
	select {
	case _, ok := <-local:
		return !ok
	default:
		return false
	}
}

// run runs the goroutine that stands between a channel's proxy and its owner, until it is done, or the proxy is not needed
// any more; the call that lent it waits for it.
func (h *Handle) run(local any, work func(ctx context.Context) error) {
	ctx, cancel := context.WithCancel(h.life())
	done := make(chan struct{})
	h.claim.session.nameChannel(local, h)
	go func() {
		defer close(done)
		defer cancel()
		err := work(ctx)
		ended := ctx.Err() != nil
		h.claim.session.nameChannel(local, nil)
		if !h.claim.lent {
			h.Release()
		}
		if err != nil && !ended {
			plugingen.ReportLost(h, plugingen.CallFailed("channel", err))
		}
	}()
	if h.lender != nil {
		h.lender.before = append(h.lender.before, func() { cancel(); <-done })
	}
}
