package goplug

import (
	"context"

	goplugin "github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"

	"github.com/plugingen/plugingen/bench/peer"
)

// caller is the plugin's half of callbacks, as go-plugin's bidirectional example has it: a connection through the broker for each call.
type caller struct {
	broker *goplugin.GRPCBroker
}

// CallBack is peer.CallerServer's.
func (c caller) CallBack(ctx context.Context, r *peer.CallBackRequest) (*peer.Empty, error) {
	conn, err := c.broker.Dial(r.GetBroker())
	if err != nil {
		return nil, err
	}
	defer func() { _ = conn.Close() }()
	for n := range r.GetTimes() {
		if _, err := peer.Call(ctx, conn, n); err != nil {
			return nil, err
		}
	}
	return &peer.Empty{}, nil
}

// CallBack is the host's half.
func (c GRPCClient) CallBack(ctx context.Context, times int64, back func(context.Context, int64) (int64, error)) error {
	servers := make(chan *grpc.Server, 1)
	id := c.broker.NextId()
	go c.broker.AcceptAndServe(id, func(options []grpc.ServerOption) *grpc.Server {
		s := grpc.NewServer(options...)
		peer.RegisterBackServer(s, called(back))
		servers <- s
		return s
	})
	err := peer.CallBack(ctx, c.Conn, id, times)
	if err == nil {
		(<-servers).Stop()
	}
	return err
}

type called func(context.Context, int64) (int64, error)

// Call is peer.BackServer's.
func (c called) Call(ctx context.Context, r *peer.Size) (*peer.Size, error) {
	n, err := c(ctx, r.GetSize())
	return &peer.Size{Size: n}, err
}
