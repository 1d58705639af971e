package wire

import (
	"context"

	"google.golang.org/grpc"
)

// unary is the handler of a method without an implementation of its own: call serves it.
func unary[In, Out any](method string, call func(context.Context, *In) (*Out, error)) grpc.MethodHandler {
	return func(_ any, ctx context.Context, decode func(any) error, intercept grpc.UnaryServerInterceptor) (any, error) {
		in := new(In)
		if err := decode(in); err != nil {
			return nil, err
		}
		if intercept == nil {
			return call(ctx, in)
		}
		invoke := func(ctx context.Context, in any) (any, error) { return call(ctx, in.(*In)) }
		return intercept(ctx, in, &grpc.UnaryServerInfo{FullMethod: method}, invoke)
	}
}
