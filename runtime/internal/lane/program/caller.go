package program

import (
	"context"
	"crypto/rand"
	"errors"
	"io"
	"strconv"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

// shortly is the deadline of calls that are to miss it, and far of those that are not.
const (
	shortly = 5 * time.Millisecond
	far     = time.Hour
)

// Run makes the calls over conn, whose other end has a [Service] registered with the same options, and returns what each
// side of each call has seen. It makes no call after ctx has ended.
func (p Program) Run(ctx context.Context, conn grpc.ClientConnInterface) []string {
	run := rand.Text()
	saw := make([]string, len(p.calls))
	var wg sync.WaitGroup
	for i, c := range p.calls {
		if c.alone {
			wg.Wait()
		}
		ctx := metadata.AppendToOutgoingContext(ctx, programKey, string(p.data), callKey, strconv.Itoa(i), runKey, run)
		wg.Go(func() { saw[i] = (&caller{call: c, conn: conn, tell: ctx}).do() })
	}
	wg.Wait()
	return saw
}

// caller is one call's.
type caller struct {
	call
	conn            grpc.ClientConnInterface
	tell            context.Context // for questions about the call
	cancel          context.CancelFunc
	header, trailer metadata.MD
	saw             log
}

func (c *caller) do() string {
	ctx := c.tell
	for i := range c.words {
		ctx = metadata.AppendToOutgoingContext(ctx, "x-said", strconv.Itoa(i), "x-bits-bin", string([]byte{0, 255, byte(i)}))
	}
	switch {
	case c.end == expires:
		ctx, c.cancel = context.WithTimeout(ctx, shortly)
	case c.deadline:
		ctx, c.cancel = context.WithTimeout(ctx, far)
	default:
		ctx, c.cancel = context.WithCancel(ctx)
	}
	defer c.cancel()
	var others sync.WaitGroup
	switch {
	case c.end == races:
		others.Go(c.cancel)
	case c.end == canceled && c.kind == unary:
		others.Go(c.cancelWaiting)
	}
	if c.kind == unary {
		c.unary(ctx)
	} else {
		c.stream(ctx)
	}
	others.Wait()
	return c.outcome()
}

// cancelWaiting gives the call up when its handler waits for that.
func (c *caller) cancelWaiting() {
	c.ask("Await")
	c.cancel()
}

// outcome is what both sides have seen, as far as it must be the same wherever the call ran.
func (c *caller) outcome() string {
	switch c.end {
	case races:
		return "whatever"
	case expires, largePush, largePull, barredPush, barredPull: // the handler may have seen more or less, or nothing
		return c.saw.String()
	case canceled, stuckDown:
	default:
		c.saw.add("header", words(c.header))
		c.saw.add("trailer", words(c.trailer))
	}
	return c.saw.String() + "\nhandler:\n" + c.ask("Saw")
}

// ask asks the service about the call.
func (c *caller) ask(what string) string {
	out := new(wrapperspb.StringValue)
	if err := c.conn.Invoke(c.tell, "/"+service+"/"+what, wrapperspb.String(""), out); err != nil {
		return what + ": " + err.Error()
	}
	return out.GetValue()
}

func (c *caller) options() []grpc.CallOption {
	all := []grpc.CallOption{grpc.Header(&c.header), grpc.Trailer(&c.trailer)}
	switch c.end {
	case barredPush:
		all = append(all, grpc.MaxCallSendMsgSize(max(barred, c.largest(push))))
	case barredPull:
		all = append(all, grpc.MaxCallRecvMsgSize(max(barred, c.largest(pull))))
	}
	return all
}

// largest is a limit that messages of the call's steps keep to.
func (c *caller) largest(a action) int {
	most := 0
	for _, s := range c.steps {
		if s.do == a {
			most = max(most, s.size+overhead)
		}
	}
	return most
}

func (c *caller) unary(ctx context.Context) {
	out := new(wrapperspb.BytesValue)
	err := c.conn.Invoke(ctx, c.method(), c.request(), out, c.options()...)
	c.saw.add(c.seen(err), hash(out.GetValue()))
}

func (c *caller) method() string { return "/" + service + "/" + c.kind.String() }

// request is the last message that the caller sends.
func (c *caller) request() *wrapperspb.BytesValue {
	switch c.end {
	case largePush:
		return message(c.index, Limit+1)
	case barredPush:
		return message(c.index, max(barred, c.largest(push))+1)
	default:
		return message(c.index, c.size)
	}
}

// seen is what can be compared of the error that a call ends with: the handler's words, and no others.
func (c *caller) seen(err error) string {
	if c.code != codes.OK && (c.end == finishes || c.end == leavesUnread || c.end == stuckUp) {
		return full(err)
	}
	return code(err)
}

func (c *caller) stream(ctx context.Context) {
	s, err := c.conn.NewStream(ctx, &grpc.StreamDesc{ClientStreams: c.kind != down, ServerStreams: c.kind != up}, c.method(), c.options()...)
	if err != nil {
		c.saw.add("ends", code(err))
		return
	}
	for i, st := range c.steps {
		if err := c.step(s, i, st); err != nil {
			if c.end != expires {
				c.saw.add("step", i, "fails", code(err))
			}
			break
		}
	}
	c.last(s)
}

func (c *caller) step(s grpc.ClientStream, i int, st step) error {
	switch st.do {
	case push:
		return s.SendMsg(message(i, st.size))
	case pull:
		in := new(wrapperspb.BytesValue)
		err := s.RecvMsg(in)
		if c.end != expires {
			c.saw.add("received", hash(in.GetValue()))
		}
		return err
	case half:
		return s.CloseSend()
	case seeHeader:
		md, err := s.Header()
		if c.end != expires {
			c.saw.add("sees", words(md))
		}
		return err
	}
	return nil
}

// last does what comes after the steps, until the call has ended.
func (c *caller) last(s grpc.ClientStream) {
	switch c.end {
	case largePush, barredPush:
		err := s.SendMsg(c.request())
		if c.end == barredPush { // else it may be the other side that finds out
			c.saw.add("sends", code(err))
		}
		c.saw.add("receives", code(s.RecvMsg(new(wrapperspb.BytesValue))))
		return
	case leavesUnread:
		_ = s.SendMsg(message(c.index, c.size)) // which may be too late
	case canceled:
		c.cancelWaiting()
	case stuckDown:
		_ = c.receive(s)
		c.cancel()
	case stuckUp:
		var err error
		for err == nil {
			err = s.SendMsg(message(c.index, 64<<10))
		}
		c.saw.add("sending ends", code(err))
	case finishes:
		if c.kind == up && !c.has(half) {
			_ = s.CloseSend()
		}
	}
	c.finish(s)
}

// finish receives until the end.
func (c *caller) finish(s grpc.ClientStream) {
	err := c.receive(s)
	for err == nil && c.kind != up {
		err = c.receive(s)
	}
	c.saw.add("ends", c.seen(err))
	if c.kind == up && err == nil {
		return
	}
	if c.kind != down && !c.has(half) {
		if err := s.SendMsg(message(0, 1)); !errors.Is(err, io.EOF) {
			c.saw.add("can still send", code(err))
		}
	}
}

func (c *caller) receive(s grpc.ClientStream) error {
	in := new(wrapperspb.BytesValue)
	err := s.RecvMsg(in)
	if err == nil && c.end != stuckDown && c.end != expires {
		c.saw.add("received", hash(in.GetValue()))
	}
	return err
}
