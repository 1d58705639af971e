package lane

import (
	"context"
	"fmt"
	"io"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
)

// transportStream is a call as grpc.SetHeader and its like see it.
type transportStream serverCall

func (t *transportStream) call() *serverCall { return (*serverCall)(t) }

// Method is the full name of the method.
func (t *transportStream) Method() string { return t.method.name }

// SetHeader adds to the response header.
func (t *transportStream) SetHeader(md metadata.MD) error { return t.call().setHeader(md) }

// SendHeader sends the response header.
func (t *transportStream) SendHeader(md metadata.MD) error { return t.call().sendHeader(md) }

// SetTrailer adds to the trailer.
func (t *transportStream) SetTrailer(md metadata.MD) error { return t.call().setTrailer(md) }

func (k *serverCall) setHeader(md metadata.MD) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.joinHeader(md)
}

// joinHeader adds to the header. Called with mu.
func (k *serverCall) joinHeader(md metadata.MD) error {
	if k.headed {
		return status.Error(codes.Internal, "lane: the response header was sent before")
	}
	joined := metadata.Join(k.header, md)
	if err := checkMetadata(joined); err != nil {
		return status.Errorf(codes.Internal, "lane: response header: %v", err)
	}
	k.header = joined
	return nil
}

func (k *serverCall) setTrailer(md metadata.MD) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	joined := metadata.Join(k.trailer, md)
	if err := checkMetadata(joined); err != nil {
		return status.Errorf(codes.Internal, "lane: trailer: %v", err)
	}
	k.trailer = joined
	return nil
}

func (k *serverCall) sendHeader(md metadata.MD) error {
	k.mu.Lock()
	if err := k.joinHeader(md); err != nil {
		k.mu.Unlock()
		return err
	}
	k.headed = true
	header := k.header
	k.mu.Unlock()
	return k.appendLive(func(b []byte) []byte { return appendHead(b, k.id, header) })
}

func appendHead(b []byte, id uint32, md metadata.MD) []byte {
	b, at := reserveHeader(b)
	b = appendMetadata(b, md)
	sealFrame(b, at, header{kind: kindHead, id: id})
	return b
}

// appendLive appends what fill does if the call has not ended: after the end its id may be another's.
func (k *serverCall) appendLive(fill func([]byte) []byte) error {
	w := &k.conn.w
	if err := w.begin(); err != nil {
		return lostError(err)
	}
	if k.isOver() {
		w.hold()
		return k.overError()
	}
	w.buf = fill(w.buf)
	w.flush()
	return nil
}

// overError is what a handler gets that goes on with a call that is over.
func (k *serverCall) overError() error {
	if err := k.Err(); err != nil {
		return status.FromContextError(err).Err()
	}
	return status.Error(codes.Canceled, "lane: the call is over")
}

// serverStream is a call as a stream's handler sees it. SendMsg and RecvMsg may run at the same time, each in one
// goroutine.
type serverStream serverCall

func (s *serverStream) call() *serverCall { return (*serverCall)(s) }

// Context ends with the call.
func (s *serverStream) Context() context.Context { return s.call() }

// SetHeader adds to the response header.
func (s *serverStream) SetHeader(md metadata.MD) error { return s.call().setHeader(md) }

// SendHeader sends the response header.
func (s *serverStream) SendHeader(md metadata.MD) error { return s.call().sendHeader(md) }

// SetTrailer adds to the trailer; what cannot be sent is logged, as there is no other way to say so.
func (s *serverStream) SetTrailer(md metadata.MD) {
	if err := s.call().setTrailer(md); err != nil {
		s.conn.s.cfg.Logger.Error("trailer left out", "method", s.method.name, "error", err)
	}
}

// SendMsg sends a message, waiting while the client does not read. Its errors are gRPC status errors.
func (s *serverStream) SendMsg(m any) error {
	k := s.call()
	sized, err := measure(m, k.sendLimit())
	if err != nil {
		return err
	}
	return k.sendMessage(sized)
}

func (k *serverCall) sendMessage(m sized) error {
	sender := sender{
		w: &k.conn.w, window: k.sendWindow(), buffers: &k.conn.s.buffers,
		id: k.id, kind: kindResData, before: k.appendPendingHeader, many: k.conn.many(),
		answers: k.waited.Swap(false), more: k.cork,
	}
	err := sender.send(m, k.Done())
	if err == nil {
		return nil
	}
	if _, ok := status.FromError(err); ok {
		return err
	}
	return k.overError()
}

// appendPendingHeader puts the header, even an empty one, before the first message: the client may wait for it.
func (k *serverCall) appendPendingHeader(b []byte) []byte {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.headed {
		return b
	}
	k.headed = true
	return appendHead(b, k.id, k.header)
}

// RecvMsg receives the next message; io.EOF after the last. Other errors are gRPC status errors.
func (s *serverStream) RecvMsg(m any) error {
	k := s.call()
	err := k.receive(m)
	if err != nil || k.method.stream != nil && k.method.stream.ClientStreams {
		return err
	}
	if more, ok := k.next(); ok { // the one request: nothing may follow
		k.in.done(more)
		return status.Error(codes.Internal, "lane: a second request to a method that takes one")
	}
	if k.Err() != nil {
		return k.overError()
	}
	return nil
}

func (k *serverCall) receive(m any) error {
	msg, ok := k.next()
	if !ok {
		if k.Err() != nil && !k.drained {
			return k.overError()
		}
		if !k.got && (k.method.stream == nil || !k.method.stream.ClientStreams) {
			return status.Error(codes.Internal, "lane: no request to a method that takes one")
		}
		k.drained = true
		return io.EOF
	}
	k.got = true
	return k.in.decodeInto(msg, m)
}

// recovered makes a status of what a handler panicked with.
func recovered(method string, value any) *status.Status {
	return status.New(codes.Internal, fmt.Sprintf("lane: the handler of %s panicked: %v", method, value))
}

var _ grpc.ServerStream = (*serverStream)(nil)
