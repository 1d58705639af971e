package host

import (
	"context"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
)

// ClientConn is Conn for code that insists on a *grpc.ClientConn. Its calls are Conn's, by whatever carries these, with the same errors. It never connects by
// itself: its target and state say nothing of the plugin. Each call returns a new one. Close it when it is no longer needed; that does not close the plugin, with
// which its calls end. The error is gRPC's, and not to be expected.
func (p *Plugin) ClientConn() (*grpc.ClientConn, error) {
	conn := p.Conn()
	unary := func(ctx context.Context, method string, req, reply any, _ *grpc.ClientConn, _ grpc.UnaryInvoker, opts ...grpc.CallOption) error {
		return conn.Invoke(ctx, method, req, reply, opts...)
	}
	stream := func(ctx context.Context, desc *grpc.StreamDesc, _ *grpc.ClientConn, method string, _ grpc.Streamer, opts ...grpc.CallOption) (grpc.ClientStream, error) {
		return conn.NewStream(ctx, desc, method, opts...)
	}
	return grpc.NewClient("passthrough:///localhost",
		grpc.WithTransportCredentials(insecure.NewCredentials()), // of a connection that is not made
		grpc.WithIdleTimeout(0),
		grpc.WithUnaryInterceptor(unary),
		grpc.WithStreamInterceptor(stream),
	)
}
