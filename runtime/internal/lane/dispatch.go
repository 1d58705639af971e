package lane

import (
	"context"
	"errors"
	"runtime/debug"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// dispatch serves a unary call whose request has come whole.
func (c *serverConn) dispatch(k *serverCall, b begun) error {
	if err := c.add(k); err != nil {
		return err
	}
	if !c.start() {
		k.end(tooMany())
		return nil
	}
	var request *buffer
	if !b.own {
		request = c.s.buffers.get(len(b.message))
		copy(request.b, b.message)
		b.message = request.b
	}
	go func() {
		defer c.finished()
		k.finishUnary(k.measured(b.decode))
		c.s.buffers.put(request)
	}()
	return nil
}

// dispatchStream serves a call whose messages come one by one, or a unary one whose request does not fit a frame.
func (c *serverConn) dispatchStream(k *serverCall, flags uint8, message []byte) error {
	k.in = &inbox{
		limit: c.s.cfg.MaxMessageSize, eager: k.method.unary != nil || !k.method.stream.ClientStreams,
		buffers: &c.s.buffers, budget: c.budget, reserve: &c.s.reserve, credit: k.sendCredit, asking: &c.asking,
	}
	k.in.init(c.s.cfg.Window)
	if err := c.add(k); err != nil {
		return err
	}
	if !c.start() {
		k.stop(tooMany())
		return nil
	}
	if flags&flagMessage != 0 {
		k.in.push(message, 0)
	}
	if flags&flagHalf != 0 {
		k.in.finish()
	}
	go func() {
		k.serveMessages()
		if r := k.takeLent(); r != nil {
			c.read(r)
		}
	}()
	return nil
}

func (k *serverCall) serveMessages() {
	defer k.conn.finished()
	if k.method.unary != nil {
		k.finishUnary(k.handleUnary((*serverStream)(k).RecvMsg))
	} else {
		k.serveStream()
	}
}

func (k *serverCall) sendCredit(n int64) {
	w := &k.conn.w
	if w.begin() != nil {
		return
	}
	if k.isOver() {
		w.hold()
		return
	}
	w.buf = appendCredit(w.buf, kindResCredit, k.id, n)
	w.flush()
}

// finishUnary sends what the handler has returned.
func (k *serverCall) finishUnary(reply any, err error) {
	var m sized
	if err == nil {
		m, err = measure(reply, k.sendLimit())
	}
	if err != nil {
		_ = k.conn.w.waitRoom(k.conn.done)
		k.end(statusOf(err))
		k.cut()
		return
	}
	k.finishSized(m)
}

func (k *serverCall) finishSized(m sized) {
	if err := k.sendReply(m); err != nil {
		k.end(statusOf(err))
	}
	k.cut()
}

// sendLimit is the largest message that this call may send.
func (k *serverCall) sendLimit() int {
	return min(k.conn.s.cfg.MaxSendSize, k.conn.theirs.maxMessage)
}

// decode decodes the message that came with the call.
func (b begun) decode(m any) error {
	if b.own {
		return decodeOwn(b.message, m)
	}
	return decode(b.message, m)
}

// measured runs the handler, and its method learns how long that takes.
func (k *serverCall) measured(decode func(any) error) (reply any, err error) {
	pace := &k.method.pace
	if !pace.sampled() {
		return k.handleUnary(decode)
	}
	begin := time.Now()
	reply, err = k.handleUnary(decode)
	pace.add(time.Since(begin))
	return reply, err
}

// handleUnary runs the handler. A handler that panics, or ends its goroutine, is an error.
func (k *serverCall) handleUnary(decode func(any) error) (reply any, err error) {
	returned := false
	defer func() { k.guard(returned, recover(), &err) }()
	reply, err = k.method.unary.Handler(k.method.impl, k, decode, k.conn.s.unary)
	returned = true
	return reply, err
}

// guard makes an error of a handler that did not return. After runtime.Goexit nobody is left to send the end, so it is
// sent here.
func (k *serverCall) guard(returned bool, panicked any, err *error) {
	switch {
	case returned:
	case panicked != nil && k.conn.s.cfg.Crash:
		k.crashing = true
		panic(panicked)
	case panicked != nil:
		k.conn.s.cfg.Logger.Error("handler panicked", "method", k.method.name, "panic", panicked, "stack", string(debug.Stack()))
		*err = recovered(k.method.name, panicked).Err()
	default:
		k.stop(k.goexitStatus())
	}
}

// sendReply sends a unary call's reply and its end.
func (k *serverCall) sendReply(m sized) error {
	if m.size > maxSingle {
		if err := k.sendMessage(m); err != nil {
			return err
		}
		k.end(nil)
		return nil
	}
	if k.conn.w.waitRoom(k.conn.done) != nil || !k.conn.take(k) {
		return nil
	}
	if err := k.sendEnd(nil, &m, true); err != nil {
		_ = k.sendEnd(statusOf(err), nil, true)
	}
	k.conn.ended()
	return nil
}

// serveStream runs a stream's handler and sends its end.
func (k *serverCall) serveStream() {
	err := k.handleStream()
	_ = k.conn.w.waitRoom(k.conn.done)
	k.end(statusOf(err))
	k.cut()
}

func (k *serverCall) handleStream() (err error) {
	returned := false
	defer func() { k.guard(returned, recover(), &err) }()
	desc, stream := k.method.stream, (*serverStream)(k)
	if k.conn.s.stream == nil {
		err = desc.Handler(k.method.impl, stream)
	} else {
		info := &grpc.StreamServerInfo{FullMethod: k.method.name, IsClientStream: desc.ClientStreams, IsServerStream: desc.ServerStreams}
		err = k.conn.s.stream(k.method.impl, stream, info, desc.Handler)
	}
	returned = true
	return err
}

// statusOf makes a status of what a handler returned, as gRPC does.
func statusOf(err error) *status.Status {
	if err == nil {
		return nil
	}
	if st, ok := status.FromError(err); ok {
		return st
	}
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return status.FromContextError(err)
	}
	return status.New(codes.Unknown, err.Error())
}
