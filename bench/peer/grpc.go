package peer

import (
	"context"

	"google.golang.org/grpc"
)

// GRPCInvoker calls over a connection of gRPC or of anything that looks like it.
func GRPCInvoker(conn grpc.ClientConnInterface) Invoker {
	return func(ctx context.Context, method string, req, resp any) error {
		return conn.Invoke(ctx, "/"+ServiceName+"/"+method, req, resp, grpc.StaticMethod())
	}
}

// GRPCChat opens the bidirectional stream.
func GRPCChat(ctx context.Context, conn grpc.ClientConnInterface) (grpc.BidiStreamingClient[Note, Note], error) {
	desc := chatDesc()
	s, err := conn.NewStream(ctx, &desc, "/"+ServiceName+"/Chat", grpc.StaticMethod())
	if err != nil {
		return nil, err
	}
	return &grpc.GenericClientStream[Note, Note]{ClientStream: s}, nil
}
