package wire

import (
	"context"

	"google.golang.org/grpc"
)

const (
	startStreamMethod = "/" + BrokerService + "/StartStream"
	maxConnInfo       = 64 << 10 // bytes that a plugin's message may have
)

// OpenBroker opens the broker's stream of the plugin behind conn, once conn is connected. It lasts until ctx or the plugin
// ends it. A plugin without a broker ends it with the code Unimplemented.
func OpenBroker(ctx context.Context, conn grpc.ClientConnInterface, opts ...grpc.CallOption) (grpc.BidiStreamingClient[ConnInfo, ConnInfo], error) {
	desc := &grpc.StreamDesc{StreamName: "StartStream", ServerStreams: true, ClientStreams: true}
	opts = append(opts, grpc.WaitForReady(true), grpc.MaxCallRecvMsgSize(maxConnInfo))
	s, err := conn.NewStream(ctx, desc, startStreamMethod, opts...)
	if err != nil {
		return nil, err
	}
	return &grpc.GenericClientStream[ConnInfo, ConnInfo]{ClientStream: s}, nil
}

// RegisterBroker makes registrar serve the broker. serve runs once for each host that opens its stream.
func RegisterBroker(registrar grpc.ServiceRegistrar, serve func(grpc.BidiStreamingServer[ConnInfo, ConnInfo]) error) {
	registrar.RegisterService(&grpc.ServiceDesc{
		ServiceName: BrokerService,
		Streams: []grpc.StreamDesc{{
			StreamName:    "StartStream",
			ServerStreams: true,
			ClientStreams: true,
			Handler: func(_ any, stream grpc.ServerStream) error {
				return serve(&grpc.GenericServerStream[ConnInfo, ConnInfo]{ServerStream: stream})
			},
		}},
		Metadata: "grpc_broker.proto",
	}, nil)
}
