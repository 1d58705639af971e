package lane

import (
	"context"
	"errors"
	"io"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
)

func (s *clientStream) handleData(h header, r *frameReader) error {
	size, err := s.in.data(h, r)
	if err == nil && size > 0 {
		s.abort(status.Convert(tooLarge("receive", size, s.in.limit)))
	}
	return err
}

func (s *clientStream) handleHead(body []byte) error {
	md, rest, err := cutMetadata(body)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.status != nil { // given up meanwhile
		return nil
	}
	if s.headed || len(rest) > 0 {
		return protocolError("response header of call %d out of place", s.id)
	}
	s.header = md
	s.closeHeader()
	return nil
}

// handleEnd ends the stream as the peer says. The table has let it go before.
func (s *clientStream) handleEnd(flags uint8, body []byte, own bool) error {
	e, err := parseEnd(flags, body)
	if err != nil {
		s.finish(status.Convert(lostError(err)), nil)
		return err
	}
	if e.header != nil {
		s.mu.Lock()
		s.header = metadata.Join(s.header, e.header)
		s.mu.Unlock()
	}
	st := e.status
	if st == nil && s.in.cutShort() {
		st = status.New(codes.Internal, "lane: the call ended within a message")
	} else if e.whole && len(e.message) > s.in.limit {
		st = status.Convert(tooLarge("receive", len(e.message), s.in.limit))
	} else if e.whole && own {
		s.in.add(message{body: e.message})
	} else if e.whole {
		s.in.push(e.message, 0)
	}
	s.finish(st, e.trailer)
	return nil
}

// RecvMsg receives the next message. io.EOF means that the call has ended well.
func (s *clientStream) RecvMsg(m any) error {
	if err := s.begin(); err != nil {
		s.report(err)
		return err
	}
	err := s.receive(m)
	switch {
	case errors.Is(err, io.EOF):
		s.report(nil)
	case err != nil || !s.desc.ServerStreams:
		s.report(err)
	}
	return err
}

func (s *clientStream) receive(m any) error {
	msg, ok := s.next()
	if !ok {
		return s.endError()
	}
	err := s.in.decodeInto(msg, m)
	if err != nil {
		return s.refuse(err)
	}
	if s.desc.ServerStreams {
		return nil
	}
	s.received = true
	if more, ok := s.next(); ok { // the one reply: the status comes with it
		s.in.done(more)
		return s.refuse(status.Error(codes.Internal, "lane: a second reply to a call whose method has one"))
	}
	if err := s.ended().Err(); err != nil {
		return err
	}
	return nil
}

// endError is what RecvMsg returns after the last message.
func (s *clientStream) endError() error {
	if err := s.ended().Err(); err != nil {
		return err
	}
	if !s.desc.ServerStreams && !s.received {
		return errNoReply()
	}
	return io.EOF
}

// unaryStream makes a unary call whose request does not fit one frame.
func (c *Client) unaryStream(ctx context.Context, q request, m sized, reply any, o *callOptions) error {
	own := *o
	own.onFinish, own.peer = nil, nil // the caller sees to them
	s, err := c.open(ctx, unaryDesc(), &q, own)
	if err != nil {
		return err
	}
	if m.size > c.theirs.maxMessage {
		return s.refuse(tooLarge("send", m.size, c.theirs.maxMessage))
	}
	if err := s.transmit(m); err == nil {
		_ = s.CloseSend()
	} else if _, ok := status.FromError(err); ok {
		return s.refuse(err)
	}
	return s.RecvMsg(reply)
}

// adopt goes on with a unary call that has become a stream.
func (s *clientStream) adopt(ctx context.Context, reply any, o *callOptions) error {
	s.mu.Lock()
	s.o = *o
	s.o.onFinish, s.o.peer = nil, nil
	s.reported = false
	s.mu.Unlock()
	s.watch(ctx)
	return s.RecvMsg(reply)
}
