// Package goplug is the bench's work as an author writes it for hashicorp/go-plugin.
package goplug

import (
	"context"
	"net/rpc"

	goplugin "github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"

	"github.com/plugingen/plugingen/bench/load"
	"github.com/plugingen/plugingen/bench/peer"
)

// Name is what hosts dispense.
const Name = "work"

// NetRPC is the argument that makes the plugin serve go-plugin's older protocol.
const NetRPC = "netrpc"

// Handshake is what host and plugin agree on.
func Handshake() goplugin.HandshakeConfig {
	return goplugin.HandshakeConfig{ProtocolVersion: 1, MagicCookieKey: "PLUGINGEN_BENCH_COOKIE", MagicCookieValue: "d0f0c6b6a6f1"}
}

// Plugins is the set of either side; hosts pass nil.
func Plugins(work load.Work) goplugin.PluginSet {
	return goplugin.PluginSet{Name: workPlugin{work}}
}

type workPlugin struct {
	work load.Work
}

var (
	_ goplugin.Plugin     = workPlugin{}
	_ goplugin.GRPCPlugin = workPlugin{}
)

// GRPCServer is goplugin.GRPCPlugin's.
func (p workPlugin) GRPCServer(broker *goplugin.GRPCBroker, s *grpc.Server) error {
	peer.RegisterPeerServer(s, peer.Server{Work: p.work})
	peer.RegisterCallerServer(s, caller{broker})
	return nil
}

// GRPCClient is goplugin.GRPCPlugin's.
func (workPlugin) GRPCClient(_ context.Context, broker *goplugin.GRPCBroker, conn *grpc.ClientConn) (any, error) {
	return GRPCClient{Client: peer.NewClient(peer.GRPCInvoker(conn)), Conn: conn, broker: broker}, nil
}

// Server is goplugin.Plugin's.
func (p workPlugin) Server(*goplugin.MuxBroker) (any, error) { return &rpcServer{p.work}, nil }

// Client is goplugin.Plugin's.
func (workPlugin) Client(_ *goplugin.MuxBroker, c *rpc.Client) (any, error) { return rpcClient{c}, nil }

// GRPCClient is what a host of the gRPC protocol dispenses.
type GRPCClient struct {
	peer.Client
	Conn   *grpc.ClientConn
	broker *goplugin.GRPCBroker
}
