package wire

import (
	"context"
	"errors"
	"io"

	"google.golang.org/grpc"
)

const streamStdioMethod = "/" + StdioService + "/StreamStdio"

// RegisterStdio makes registrar serve the stdio service. serve runs once for each host that asks, possibly several at
// once; it sends what the plugin prints until there is no more, then returns nil.
func RegisterStdio(registrar grpc.ServiceRegistrar, serve func(grpc.ServerStreamingServer[StdioData]) error) {
	registrar.RegisterService(&grpc.ServiceDesc{
		ServiceName: StdioService,
		Streams: []grpc.StreamDesc{{
			StreamName:    "StreamStdio",
			ServerStreams: true,
			Handler: func(_ any, stream grpc.ServerStream) error {
				if err := stream.RecvMsg(&Empty{}); err != nil {
					return err
				}
				return serve(&grpc.GenericServerStream[Empty, StdioData]{ServerStream: stream})
			},
		}},
		Metadata: "grpc_stdio.proto",
	}, nil)
}

// ReadStdio gives everything that the plugin behind conn prints to printed, in order and from the calling goroutine,
// until the plugin has no more to say: nil. Otherwise the stream's error: Unimplemented from a plugin without the
// service, Canceled and DeadlineExceeded when ctx ends, Unavailable when the plugin is gone.
func ReadStdio(ctx context.Context, conn grpc.ClientConnInterface, printed func(StdioData_Channel, []byte)) error {
	ctx, cancel := context.WithCancel(ctx) // releases the stream whichever way this ends
	defer cancel()
	stream, err := openStdio(ctx, conn)
	if err != nil {
		return err
	}
	for {
		data, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		printed(data.GetChannel(), data.GetData())
	}
}

func openStdio(ctx context.Context, conn grpc.ClientConnInterface) (grpc.ServerStreamingClient[StdioData], error) {
	s, err := conn.NewStream(ctx, &grpc.StreamDesc{StreamName: "StreamStdio", ServerStreams: true}, streamStdioMethod)
	if err != nil {
		return nil, err
	}
	stream := &grpc.GenericClientStream[Empty, StdioData]{ClientStream: s}
	if err := s.SendMsg(&Empty{}); err != nil && !errors.Is(err, io.EOF) { // after io.EOF, Recv tells why
		return nil, err
	}
	return stream, s.CloseSend()
}
