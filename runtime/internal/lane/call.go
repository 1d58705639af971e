package lane

import (
	"context"
	"errors"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
)

// keepReply is the largest reply memory that is kept with a call for the next.
const keepReply = 4 << 10

// call is a unary call whose request and reply take one frame each. Whoever takes it from the table owns it: the reader,
// which answers it, or the caller, who gave up. It is used again afterwards.
type call struct {
	limit    int           // bytes of the reply
	answered chan struct{} // one token when one of the following is set
	flags    uint8
	body     []byte // of the end frame; memory that stays with the call
	own      bool   // the reply may keep body
	err      error
	stream   *clientStream // the answer needs a stream
}

func (k *call) answer(flags uint8, body []byte, own bool) {
	k.flags, k.own = flags, own
	if own {
		k.body = body
	} else {
		k.body = append(k.body[:0], body...)
	}
	k.answered <- struct{}{}
}

func (k *call) fail(err error) {
	k.err = err
	k.answered <- struct{}{}
}

func (k *call) reset() {
	k.flags, k.own, k.err, k.stream = 0, false, nil, nil
	if cap(k.body) > keepReply {
		k.body = nil
	}
}

// request is what a call says before its messages.
type request struct {
	method  string
	timeout time.Duration // zero means none
	md      metadata.MD
}

func newRequest(ctx context.Context, method string, o *callOptions) (request, error) {
	q := request{method: method}
	if err := ctx.Err(); err != nil {
		return q, status.FromContextError(err).Err()
	}
	if deadline, ok := ctx.Deadline(); ok {
		if q.timeout = time.Until(deadline); q.timeout <= 0 {
			return q, status.FromContextError(context.DeadlineExceeded).Err()
		}
	}
	if len(method) > maxName {
		return q, status.Errorf(codes.Internal, "lane: method name of %d bytes", len(method))
	}
	var err error
	q.md, err = o.outgoing(ctx, method)
	return q, err
}

func (c *Client) directInvoke(ctx context.Context, method string, args, reply any, _ *grpc.ClientConn, opts ...grpc.CallOption) error {
	o := c.defaults
	err := c.bad
	if err == nil {
		err = o.apply(opts)
	}
	if err == nil {
		err = c.unary(ctx, method, args, reply, &o)
	}
	o.report(&c.peer, err)
	return err
}

func (c *Client) unary(ctx context.Context, method string, args, reply any, o *callOptions) error {
	q, err := newRequest(ctx, method, o)
	if err == nil {
		err = c.missing(method)
	}
	if err != nil {
		return err
	}
	m, err := measure(args, o.maxSend)
	if err != nil {
		return err
	}
	if m.size > maxWhole && !c.takesSingle(m.size) {
		return c.unaryStream(ctx, q, m, reply, o)
	}
	c.callers.Add(1)
	defer c.callers.Add(-1)
	k := c.calls.Get().(*call)
	k.limit = min(o.maxRecv, c.cfg.MaxMessageSize)
	id, err := c.table.add(ctx.Done(), k, nil)
	if err != nil {
		c.calls.Put(k)
		return callError(ctx, err)
	}
	if err := c.start(ctx, id, &q, flagMessage|flagHalf, &m); err != nil {
		return c.unsent(ctx, id, k, err)
	}
	return c.await(ctx, id, k, reply, o)
}

// takesSingle tells whether the peer is known to take a message of this size with a call's first frame.
func (c *Client) takesSingle(size int) bool {
	return size <= maxSingle && isDone(c.ready) && size <= c.theirs.maxMessage
}

// unsent ends a call whose frame could not be sent.
func (c *Client) unsent(ctx context.Context, id uint32, k *call, err error) error {
	if !c.table.remove(id, k, nil) {
		<-k.answered // the connection's end was quicker
	}
	k.reset()
	c.calls.Put(k)
	return callError(ctx, err)
}

// await waits for the answer or the end of ctx.
func (c *Client) await(ctx context.Context, id uint32, k *call, reply any, o *callOptions) error {
	if !c.waitFor(ctx, id, k) {
		c.calls.Put(k)
		return status.FromContextError(ctx.Err()).Err()
	}
	stream, err := k.stream, k.err
	if stream == nil && err == nil {
		err = k.result(reply, o)
	}
	k.reset()
	c.calls.Put(k)
	if stream != nil {
		return stream.adopt(ctx, reply, o)
	}
	return err
}

// result reads the answer.
func (k *call) result(reply any, o *callOptions) error {
	e, err := parseEnd(k.flags, k.body)
	if err != nil {
		return status.Error(codes.Internal, err.Error())
	}
	if o.header != nil {
		*o.header = e.header
	}
	if o.trailer != nil {
		*o.trailer = e.trailer
	}
	switch {
	case e.status != nil:
		return e.status.Err()
	case !e.whole:
		return errNoReply()
	case len(e.message) > k.limit:
		return tooLarge("receive", len(e.message), k.limit)
	}
	if k.own {
		return decodeOwn(e.message, reply)
	}
	return decode(e.message, reply)
}

func errNoReply() error {
	return status.Error(codes.Internal, "lane: the call ended well, but without the one reply that its method has")
}

// callError is what a call returns that err kept from being sent or ended.
func callError(ctx context.Context, err error) error {
	if errors.Is(err, errStopped) && ctx.Err() != nil {
		return status.FromContextError(ctx.Err()).Err()
	}
	if _, ok := status.FromError(err); ok {
		return err
	}
	return lostError(err)
}
