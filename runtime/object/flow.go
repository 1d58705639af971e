package object

import (
	"context"
	"errors"
	"io"
	"sync"

	"google.golang.org/grpc"

	"github.com/plugingen/plugingen/runtime/runtimepb"
)

// mostAhead is how many values of a stream the side that makes them may be ahead of the side that takes them. It begins with
// one, and doubles while they are taken, so that who stops early has not asked for much.
const mostAhead = 64

// taker asks for values as they are taken.
type taker struct {
	ask    func(n uint64) error
	window int
	open   int // asked for and not taken
}

// begin asks for the first value.
func (t *taker) begin() error {
	t.window, t.open = 1, 1
	return t.ask(1)
}

// took notes that a value was taken, and asks for more when few are on their way.
func (t *taker) took() error {
	if t.open--; t.open > t.window/2 {
		return nil
	}
	t.window = min(2*t.window, mostAhead)
	more := t.window - t.open
	t.open = t.window
	return t.ask(uint64(more))
}

// allowance is how many values the other side has asked for and not got.
type allowance struct {
	mu      sync.Mutex
	values  uint64
	changed chan struct{}
	over    bool
}

func newAllowance() *allowance { return &allowance{changed: make(chan struct{}, 1)} }

// listen takes what recv says until it ends: the other side wants no more.
func (a *allowance) listen(recv func(any) error) {
	for {
		credit := new(runtimepb.Credit)
		err := recv(credit)
		a.mu.Lock()
		a.values = min(a.values+min(credit.GetValues(), mostAhead), mostAhead)
		a.over = err != nil
		a.mu.Unlock()
		select {
		case a.changed <- struct{}{}:
		default:
		}
		if err != nil {
			return
		}
	}
}

// take waits until a value may be sent; false means that none may any more.
func (a *allowance) take(done <-chan struct{}) bool {
	for {
		a.mu.Lock()
		over, ok := a.over, a.values > 0
		if ok && !over {
			a.values--
		}
		a.mu.Unlock()
		if over || ok {
			return !over
		}
		select {
		case <-a.changed:
		case <-done:
			return false
		}
	}
}

// codec is how one value of a stream travels.
type codec[T, M any] struct {
	encode func(*Scope, T) (*M, error)
	decode func(*Scope, *M) (T, error)
}

// produce sends the values that each gives to send, for as long as ready says that the peer wants one more. The context of each
// ends when it does not.
func (c codec[T, M]) produce(stream grpc.ServerStream, each func(ctx context.Context, send func(T) bool, ready func() bool)) error {
	ctx, cancel := context.WithCancel(stream.Context())
	defer cancel()
	scope := &Scope{ctx: ctx, server: true, find: func() (*session, error) { return sessionOf(ctx) }}
	allowed := newAllowance()
	go func() { // ends with the stream
		defer cancel()
		allowed.listen(stream.RecvMsg)
	}()
	var failed error
	send := func(v T) bool {
		m, err := c.encode(scope, v)
		if err == nil {
			err = stream.SendMsg(m)
		}
		failed = err
		return err == nil
	}
	each(ctx, send, func() bool { return failed == nil && allowed.take(ctx.Done()) })
	return failed
}

// consume calls each for the values that the peer's object makes, until each returns false or there are no more. When each
// returns false for a value beyond which the peer makes none yet, consume returns after the peer has stopped; otherwise the
// peer is told, and stops as soon as it can.
func (c codec[T, M]) consume(ctx context.Context, h *Handle, each func(T) bool) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stream, err := h.NewStream(ctx, &grpc.StreamDesc{StreamName: valuesMethod, ServerStreams: true, ClientStreams: true}, valuesMethod)
	if err != nil {
		return err
	}
	t := taker{ask: func(n uint64) error { return stream.SendMsg(&runtimepb.Credit{Values: n}) }}
	scope := h.loose(ctx)
	for err := t.begin(); ; err = t.took() {
		if err != nil && !errors.Is(err, io.EOF) { // the end comes with the next value
			return err
		}
		m := new(M)
		if err := stream.RecvMsg(m); err != nil {
			return ignoreEnd(err)
		}
		v, err := c.decode(scope, m)
		if err != nil {
			return err
		}
		if !each(v) {
			if t.open == 1 {
				awaitEnd[M](stream)
			}
			return nil
		}
	}
}

// awaitEnd tells the peer to stop and waits until it has.
func awaitEnd[M any](stream grpc.ClientStream) {
	if stream.CloseSend() != nil {
		return
	}
	for stream.RecvMsg(new(M)) == nil {
	}
}

func ignoreEnd(err error) error {
	if errors.Is(err, io.EOF) {
		return nil
	}
	return err
}

const (
	valuesMethod = "Values"
	closeMethod  = "Close"
)

// loose is a scope for the values of a stream.
func (h *Handle) loose(ctx context.Context) *Scope {
	return &Scope{ctx: ctx, session: h.claim.session, hold: h.hold, origin: h.origin, server: true}
}

func describeStream(name string, handler grpc.StreamHandler, methods ...grpc.MethodDesc) *grpc.ServiceDesc {
	return &grpc.ServiceDesc{
		ServiceName: name, Methods: methods,
		Streams: []grpc.StreamDesc{{StreamName: valuesMethod, Handler: handler, ServerStreams: true, ClientStreams: true}},
	}
}
