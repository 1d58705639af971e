package peer

import (
	"context"
	"errors"
	"io"

	"google.golang.org/grpc"

	"github.com/plugingen/plugingen/bench/load"
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

// GRPCUpload sends n messages in a client stream, and returns how many the plugin has counted.
func GRPCUpload(ctx context.Context, conn grpc.ClientConnInterface, n int) (int64, error) {
	desc := uploadDesc()
	s, err := conn.NewStream(ctx, &desc, "/"+ServiceName+"/Upload", grpc.StaticMethod())
	if err != nil {
		return 0, err
	}
	stream := &grpc.GenericClientStream[Note, Size]{ClientStream: s}
	note := load.SmallNote()
	for id := range int64(n) {
		if err := stream.Send(&Note{Id: id, Name: note.Name, Value: note.Value}); err != nil {
			return 0, err
		}
	}
	size, err := stream.CloseAndRecv()
	return size.GetSize(), err
}

// GRPCDownload asks for n messages in a server stream, and returns how many came.
func GRPCDownload(ctx context.Context, conn grpc.ClientConnInterface, n int) (int64, error) {
	desc := downloadDesc()
	s, err := conn.NewStream(ctx, &desc, "/"+ServiceName+"/Download", grpc.StaticMethod())
	if err != nil {
		return 0, err
	}
	stream := &grpc.GenericClientStream[Size, Note]{ClientStream: s}
	if err := errors.Join(stream.Send(&Size{Size: int64(n)}), stream.CloseSend()); err != nil {
		return 0, err
	}
	for came := int64(0); ; came++ {
		_, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return came, nil
		}
		if err != nil {
			return came, err
		}
	}
}
