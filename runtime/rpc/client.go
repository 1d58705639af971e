package rpc

import (
	"context"
	"errors"
	"io"
	"iter"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// A connection that remembers what it learns about a contract's methods has Plain for the services of a .proto: there,
// Unimplemented may be an answer like any other.
type plainer interface {
	Plain() grpc.ClientConnInterface
}

// Conn is conn as the client of a .proto's service uses it.
func Conn(conn grpc.ClientConnInterface) grpc.ClientConnInterface {
	if c, ok := conn.(plainer); ok {
		return c.Plain()
	}
	return conn
}

// Call is a call of one request and one response. A nil request is an empty one.
func Call[Resp any](ctx context.Context, conn grpc.ClientConnInterface, method string, in any) (*Resp, error) {
	out := new(Resp)
	if err := conn.Invoke(ctx, method, in, out); err != nil {
		return nil, err
	}
	return out, nil
}

// Receive is a call that is answered by a stream. It begins with the loop over what it returns, and ends with it.
func Receive[Resp any](ctx context.Context, conn grpc.ClientConnInterface, method string, in any) iter.Seq2[*Resp, error] {
	return func(yield func(*Resp, error) bool) {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		stream, err := conn.NewStream(ctx, &grpc.StreamDesc{ServerStreams: true}, method)
		if err == nil {
			err = sendOnly(stream, in)
		}
		if err != nil {
			yield(nil, err)
			return
		}
		receive(stream, yield)
	}
}

func sendOnly(stream grpc.ClientStream, in any) error {
	if err := stream.SendMsg(in); err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	return stream.CloseSend() // after an EOF, RecvMsg has the reason
}

// Send is a call with a stream of requests and one response. An error that in gives ends the call, and is returned; the other
// side sees that the call was cancelled. Where the other side answers before the end of in, that is noticed with the next message.
func Send[Resp, Req any](ctx context.Context, conn grpc.ClientConnInterface, method string, in iter.Seq2[*Req, error]) (*Resp, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stream, err := conn.NewStream(ctx, &grpc.StreamDesc{ClientStreams: true}, method)
	if err != nil {
		return nil, err
	}
	if err := sendAll(stream, in); err != nil {
		return nil, err
	}
	out := new(Resp)
	switch err := stream.RecvMsg(out); {
	case errors.Is(err, io.EOF):
		return nil, status.Error(codes.Internal, "the call ended without a response")
	case err != nil:
		return nil, err
	}
	return out, nil
}

// sendAll stops without an error when the other side has ended the call: RecvMsg has the reason. A nil stream is empty.
func sendAll[Req any](stream grpc.ClientStream, in iter.Seq2[*Req, error]) error {
	if in != nil {
		for m, err := range in {
			if err != nil {
				return err
			}
			err = stream.SendMsg(m)
			if errors.Is(err, io.EOF) {
				return nil
			}
			if err != nil {
				return err
			}
		}
	}
	return stream.CloseSend()
}

// Exchange is a call with streams both ways. It begins with the loop over what it returns, and ends with it. The loop over in
// runs in a goroutine of its own, which ends with the next message when the call is over: in should end when ctx does.
// An error that in gives ends the call, and is the last that the loop gets.
func Exchange[Resp, Req any](ctx context.Context, conn grpc.ClientConnInterface, method string, in iter.Seq2[*Req, error]) iter.Seq2[*Resp, error] {
	return func(yield func(*Resp, error) bool) {
		ctx, cancel := context.WithCancelCause(ctx)
		defer cancel(nil)
		stream, err := conn.NewStream(ctx, &grpc.StreamDesc{ClientStreams: true, ServerStreams: true}, method)
		if err != nil {
			yield(nil, err)
			return
		}
		go func() {
			if err := sendAll(stream, in); err != nil {
				cancel(&inputError{err})
			}
		}()
		receive(stream, func(m *Resp, err error) bool {
			var own *inputError
			if err != nil && errors.As(context.Cause(ctx), &own) {
				err = own.error
			}
			return yield(m, err)
		})
	}
}

// inputError tells what the caller's own stream gave from everything else that ends a context.
type inputError struct{ error }

func receive[Resp any](stream grpc.ClientStream, yield func(*Resp, error) bool) {
	for {
		m := new(Resp)
		err := stream.RecvMsg(m)
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			yield(nil, err)
			return
		}
		if !yield(m, nil) {
			return
		}
	}
}
