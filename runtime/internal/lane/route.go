package lane

import (
	"context"

	"google.golang.org/grpc"
)

// Route returns options for grpc.NewClient that make a real *grpc.ClientConn carry every call over c and never connect
// itself, for code that insists on that type. Interceptors that are chained before the options run around the calls.
func (c *Client) Route() []grpc.DialOption {
	return []grpc.DialOption{
		grpc.WithChainUnaryInterceptor(func(ctx context.Context, method string, req, reply any, cc *grpc.ClientConn, _ grpc.UnaryInvoker, opts ...grpc.CallOption) error {
			return c.invoke(ctx, method, req, reply, cc, opts...)
		}),
		grpc.WithChainStreamInterceptor(func(ctx context.Context, desc *grpc.StreamDesc, cc *grpc.ClientConn, method string, _ grpc.Streamer, opts ...grpc.CallOption) (grpc.ClientStream, error) {
			return c.stream(ctx, desc, cc, method, opts...)
		}),
	}
}
