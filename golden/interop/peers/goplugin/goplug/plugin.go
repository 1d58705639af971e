// Package goplug is a plugin and a host made with hashicorp/go-plugin, of whichever version it is built with.
package goplug

import (
	"context"
	"io"
	"os"

	"github.com/hashicorp/go-hclog"
	goplugin "github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"

	"github.com/plugingen/plugingen/golden/interop/peers/goplugin/work"
)

// Handshake is what hosts and plugins agree on.
func Handshake() goplugin.HandshakeConfig {
	return goplugin.HandshakeConfig{ProtocolVersion: work.Version, MagicCookieKey: work.CookieKey, MagicCookieValue: work.CookieValue}
}

// name is what hosts and plugins of go-plugin call the service.
const name = "peer"

// Set is a host's view of what the plugin serves.
func Set() goplugin.PluginSet { return goplugin.PluginSet{name: served{}} }

// served is the service as go-plugin sees it, for its hosts and its plugins.
type served struct {
	goplugin.NetRPCUnsupportedPlugin
	version int32
	log     hclog.Logger // nil on a host
}

// GRPCServer is goplugin.GRPCPlugin's.
func (p served) GRPCServer(b *goplugin.GRPCBroker, s *grpc.Server) error {
	work.Server{
		Version: p.version,
		Stdout:  func() io.Writer { return os.Stdout },
		Stderr:  func() io.Writer { return os.Stderr },
		Log:     func(context.Context) { p.log.Warn(work.LogMessage, "answer", work.LogNumber, "name", work.LogName) },
		Broker:  func(context.Context) work.Broker { return broker{b} },
	}.Register(s)
	return nil
}

// connected is what a host works with.
type connected struct {
	conn   *grpc.ClientConn
	broker broker
}

// GRPCClient is goplugin.GRPCPlugin's.
func (served) GRPCClient(_ context.Context, b *goplugin.GRPCBroker, conn *grpc.ClientConn) (any, error) {
	return connected{conn, broker{b}}, nil
}

// Serve is the main of a plugin.
func Serve() {
	log := hclog.New(&hclog.LoggerOptions{JSONFormat: true, Output: os.Stderr, Level: hclog.Trace}) // before os.Stderr is replaced
	goplugin.Serve(&goplugin.ServeConfig{
		HandshakeConfig: Handshake(),
		VersionedPlugins: map[int]goplugin.PluginSet{
			work.OldVersion: {name: served{version: work.OldVersion, log: log}},
			work.Version:    {name: served{version: work.Version, log: log}},
		},
		GRPCServer: goplugin.DefaultGRPCServer,
		Logger:     log,
	})
}

// broker is go-plugin's as the work sees it. It knows no contexts.
type broker struct {
	of *goplugin.GRPCBroker
}

// NextID is work.Broker's.
func (b broker) NextID() uint32 { return b.of.NextId() }

// Dial is work.Broker's.
func (b broker) Dial(_ context.Context, id uint32) (grpc.ClientConnInterface, io.Closer, error) {
	conn, err := b.of.Dial(id)
	return conn, conn, err
}

// Serve is work.Broker's.
func (b broker) Serve(ctx context.Context, id uint32, register func(grpc.ServiceRegistrar)) {
	accepts := make(chan struct{})
	// A multiplexed plugin that is dialled in the middle of its Accept may serve nobody any more.
	defer func() {
		select {
		case <-accepts:
		case <-ctx.Done():
		}
	}()
	go b.of.AcceptAndServe(id, func(options []grpc.ServerOption) *grpc.Server {
		close(accepts)
		s := grpc.NewServer(options...)
		register(s)
		return s
	})
}
