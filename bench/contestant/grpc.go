package contestant

import (
	"context"
	"fmt"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/plugingen/plugingen/bench/bare"
	"github.com/plugingen/plugingen/bench/load"
	"github.com/plugingen/plugingen/bench/peer"
)

type grpcGo struct{}

// GRPC is grpc-go with its defaults, but for the size of messages, over a unix socket, without TLS.
func GRPC() Contestant { return grpcGo{} }

// Name is Contestant's.
func (grpcGo) Name() string { return FallbackName }

// Program is Contestant's.
func (grpcGo) Program() string { return "./plugins/grpc" }

// Open is Contestant's.
func (grpcGo) Open(ctx context.Context, o Options) (Session, error) {
	process, err := startBare(ctx, o)
	if err != nil {
		return nil, err
	}
	conn, err := grpc.NewClient("unix:"+process.Socket,
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(load.MaxMessage)))
	if err != nil {
		return nil, closeAfter(process, fmt.Errorf("grpc client: %w", err))
	}
	return &grpcSession{Client: peer.NewClient(peer.GRPCInvoker(conn)), streams: streams{conn}, Process: process, conn: conn}, nil
}

type grpcSession struct {
	peer.Client
	streams
	*bare.Process
	conn *grpc.ClientConn
}

// Close is Session's.
func (s *grpcSession) Close() error {
	_ = s.conn.Close()
	return s.Process.Close()
}
