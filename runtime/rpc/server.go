package rpc

import (
	"context"
	"errors"
	"io"
	"iter"

	"google.golang.org/grpc"
)

// Unary answers calls of one request and one response with serve, such as Greeter.Greet of an interface Greeter.
func Unary[T, Req, Resp any](method string, serve func(T, context.Context, *Req) (*Resp, error)) grpc.MethodHandler {
	return func(srv any, ctx context.Context, decode func(any) error, interceptor grpc.UnaryServerInterceptor) (any, error) {
		in := new(Req)
		if err := decode(in); err != nil {
			return nil, err
		}
		if interceptor == nil {
			return serve(srv.(T), ctx, in)
		}
		info := &grpc.UnaryServerInfo{Server: srv, FullMethod: method}
		return interceptor(ctx, in, info, func(ctx context.Context, in any) (any, error) {
			return serve(srv.(T), ctx, in.(*Req))
		})
	}
}

// Sender answers a call with the stream that serve returns; a nil one is empty.
func Sender[T, Req, Resp any](serve func(T, context.Context, *Req) iter.Seq2[*Resp, error]) grpc.StreamHandler {
	return func(srv any, stream grpc.ServerStream) error {
		in := new(Req)
		if err := stream.RecvMsg(in); err != nil {
			return err
		}
		return answer(stream, serve(srv.(T), stream.Context(), in))
	}
}

// Receiver answers a stream of requests with one response.
func Receiver[T, Req, Resp any](serve func(T, context.Context, iter.Seq2[*Req, error]) (*Resp, error)) grpc.StreamHandler {
	return func(srv any, stream grpc.ServerStream) error {
		out, err := serve(srv.(T), stream.Context(), requests[Req](stream))
		if err != nil {
			return err
		}
		return stream.SendMsg(out)
	}
}

// Exchanger answers a stream of requests with a stream of responses; a nil one is empty.
func Exchanger[T, Req, Resp any](serve func(T, context.Context, iter.Seq2[*Req, error]) iter.Seq2[*Resp, error]) grpc.StreamHandler {
	return func(srv any, stream grpc.ServerStream) error {
		return answer(stream, serve(srv.(T), stream.Context(), requests[Req](stream)))
	}
}

func answer[Resp any](stream grpc.ServerStream, out iter.Seq2[*Resp, error]) error {
	if out == nil {
		return nil
	}
	for m, err := range out {
		if err != nil {
			return err
		}
		if err := stream.SendMsg(m); err != nil {
			return err
		}
	}
	return nil
}

// requests are the messages of a client; an error is the last.
func requests[Req any](stream grpc.ServerStream) iter.Seq2[*Req, error] {
	return func(yield func(*Req, error) bool) {
		for {
			m := new(Req)
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
}
