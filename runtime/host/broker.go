package host

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"net"
	"sync"
	"time"

	"google.golang.org/grpc"

	"github.com/plugingen/plugingen/runtime/broker"
	"github.com/plugingen/plugingen/runtime/handshake"
	"github.com/plugingen/plugingen/runtime/transport"
)

// lossTime bounds how long a brokered call that lost its connection waits for the main one to be lost as well.
const lossTime = 50 * time.Millisecond

// mostCallbacks is how many calls over one connection a plugin may have running in this host. Further ones wait in the plugin.
const mostCallbacks = 1024

// Broker makes further connections to the plugin, in either direction: for callbacks, say. The plugin must have a broker
// too; every one made with runtime/plugin or go-plugin has. It opens its stream when it is first asked for, so ask before the
// plugin is to call back. It ends when the plugin does, or with Close, and is never nil.
//
// Connections are made as the main one is: on its network, in its folder, with its TLS, and over it with Config.Multiplex; they take the lane where the main one may. Close
// those that Dial makes. Calls over them get Config.CallTimeout, and their errors say why a plugin is gone, as Conn's do.
func (p *Plugin) Broker() *broker.Broker { return p.broker.get(p) }

// brokerage is the broker of a plugin, made when it is first asked for.
type brokerage struct {
	config func() broker.Config
	once   sync.Once
	broker *broker.Broker
	ran    chan struct{} // closed when the broker's stream is; nil when it never ran
}

func (b *brokerage) get(p *Plugin) *broker.Broker {
	b.once.Do(func() {
		b.broker, b.ran = broker.New(b.config()), make(chan struct{})
		go b.run(p)
	})
	return b.broker
}

func (b *brokerage) run(p *Plugin) {
	defer close(b.ran)
	if err := b.broker.Run(context.Background(), p.carrier); errors.Is(err, broker.ErrUnsupported) {
		note(p.child.cfg.Logger, slog.LevelWarn, "the plugin has no broker: it cannot be given further connections")
	}
}

// end also closes the broker that somebody may ask for later.
func (b *brokerage) end() {
	b.once.Do(func() { b.broker = broker.New(broker.Config{}) })
	_ = b.broker.Close() // only ever nil
	if b.ran != nil {
		<-b.ran
	}
}

// brokerConfig makes brokered connections as the main one was made.
func brokerConfig(c *child, r handshake.Response, carrier *carrier, explain *conn) func() broker.Config {
	return func() broker.Config {
		cfg := broker.Config{
			Listen:         c.listener(carrier.network),
			ServerTLS:      c.serverTLS(r),
			ClientTLS:      carrier.tls,
			Announce:       c.proc.announced,
			Resolve:        c.proc.resolve,
			Private:        carrier.private,
			AllowRemote:    c.cfg.AllowRemote,
			MaxMessageSize: c.cfg.MaxMessageSize,
			MaxCalls:       mostCallbacks,
			Lane:           c.cfg.noLane() == "",
			ServerOptions:  []grpc.ServerOption{grpc.MaxHeaderListSize(maxHeaderList)},
			DialOptions:    explain.brokered(),
			Logger:         c.cfg.Logger,
		}
		if carrier.mux != nil {
			cfg.Mux = carrier.mux
		}
		return cfg
	}
}

// listener opens what the plugin dials, by the rules that the plugin has for its own.
func (c *child) listener(network string) func() (net.Listener, error) {
	at := transport.ListenConfig{Network: network, MinPort: c.cfg.MinPort, MaxPort: c.cfg.MaxPort}
	if network == handshake.Unix {
		at = transport.ListenConfig{Network: network, Group: c.cfg.SocketGroup}
		if c.dir != nil {
			at.Dir = c.dir.Path()
		}
	}
	return func() (net.Listener, error) { return transport.Listen(at) }
}

// serverTLS is how to let the plugin of this line in; nil without TLS.
func (c *child) serverTLS(r handshake.Response) *tls.Config {
	switch c.cfg.protection() {
	case mutual:
		return c.identity.Server(r.Certificate)
	case own:
		return c.cfg.TLSConfig
	default:
		return nil
	}
}

// brokered gives the calls over brokered connections what those over the main one have.
func (c *conn) brokered() []grpc.DialOption {
	unary := func(ctx context.Context, method string, req, reply any, cc *grpc.ClientConn, invoke grpc.UnaryInvoker, opts ...grpc.CallOption) error {
		ctx, cancel := c.bounded(ctx)
		defer cancel()
		return c.explainBrokered(ctx, invoke(ctx, method, req, reply, cc, opts...))
	}
	open := func(ctx context.Context, desc *grpc.StreamDesc, cc *grpc.ClientConn, method string, open grpc.Streamer, opts ...grpc.CallOption) (grpc.ClientStream, error) {
		s, err := open(ctx, desc, cc, method, opts...)
		if err != nil {
			return nil, c.explainBrokered(ctx, err)
		}
		return &stream{ClientStream: s, explain: c.explainBrokered, ctx: ctx}, nil
	}
	return []grpc.DialOption{grpc.WithMaxHeaderListSize(maxHeaderList), grpc.WithChainUnaryInterceptor(unary), grpc.WithChainStreamInterceptor(open)}
}

// explainBrokered waits a moment for the main connection to show what may have been the plugin's end.
func (c *conn) explainBrokered(ctx context.Context, err error) error {
	if isLoss(ctx, err) && !c.p.carrier.isLost() {
		closesWithin(ctx, c.p.ended, lossTime)
	}
	return c.explain(ctx, err)
}
