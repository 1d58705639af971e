package broker

import (
	"context"
	"crypto/tls"
	"math"
	"net"
	"slices"
	"sync"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/resolver"

	"github.com/plugingen/plugingen/runtime/internal/lane"
	"github.com/plugingen/plugingen/runtime/internal/wire"
)

// laneWindow is what a peer may send on a stream before anyone reads.
const laneWindow = 16 << 20

// isOurLane tells whether what the peer says is of a listener that takes the lane.
func isOurLane(m *wire.ConnInfo) bool { return m.GetLane() >= lane.Version }

// laneVersion is what a listener of AcceptAndServe says of itself.
func (b *Broker) laneVersion() uint32 {
	if b.cfg.Lane {
		return lane.Version
	}
	return 0
}

// agreed shakes hands on conn where there is TLS, and returns what the lane is to be spoken on; nil when the peer does not want that.
// Then conn is closed.
func (b *Broker) agreed(ctx context.Context, conn net.Conn) net.Conn {
	if b.cfg.ClientTLS == nil {
		return conn
	}
	s := lane.SecureClient(conn, b.cfg.ClientTLS)
	if err := s.HandshakeContext(ctx); err != nil || !s.IsLane() { // gRPC meets the same, and its calls say so
		_ = conn.Close()
		return nil
	}
	return s
}

// securedListener is a listener of TLS connections in which the lane or gRPC can be spoken. They shake hands when they are first read.
type securedListener struct {
	net.Listener
	cfg *tls.Config
}

// Accept waits for the next connection.
func (l securedListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return lane.SecureServer(conn, l.cfg), nil
}

// securedCredentials is gRPC's TLS, also for connections that have shaken hands.
type securedCredentials struct {
	credentials.TransportCredentials
}

// ServerHandshake is credentials.TransportCredentials's.
func (c securedCredentials) ServerHandshake(conn net.Conn) (net.Conn, credentials.AuthInfo, error) {
	if s := lane.SecuredBelow(conn); s != nil {
		info, err := s.Accepted()
		return conn, info, err
	}
	return c.TransportCredentials.ServerHandshake(conn)
}

// Clone is credentials.TransportCredentials's.
func (c securedCredentials) Clone() credentials.TransportCredentials {
	return securedCredentials{c.TransportCredentials.Clone()}
}

func (b *Broker) newLaneServer() *lane.Server {
	calls := b.cfg.MaxCalls
	if calls == 0 {
		calls = math.MaxInt32
	}
	return lane.NewServer(lane.ServerConfig{
		MaxMessageSize:     b.cfg.MaxMessageSize,
		MaxSendSize:        b.cfg.MaxMessageSize,
		MaxCalls:           calls,
		Window:             laneWindow,
		PrefaceTimeout:     b.cfg.Timeout,
		UnaryInterceptors:  b.cfg.UnaryInterceptors,
		StreamInterceptors: b.cfg.StreamInterceptors,
		Crash:              true,
		Logger:             b.cfg.Logger,
		AuthInfo:           lane.NoTLS(),
	})
}

// laneClient has calls take the lane on conn. When that has ended, and for options that the lane does not know, gRPC connects anew.
func (b *Broker) laneClient(conn net.Conn, connect connector) (*grpc.ClientConn, error) {
	limits := []grpc.CallOption{grpc.MaxCallRecvMsgSize(b.cfg.MaxMessageSize), grpc.MaxCallSendMsgSize(b.cfg.MaxMessageSize)}
	client := lane.NewClient(lane.NewCarrier(conn), lane.ClientConfig{
		MaxMessageSize: b.cfg.MaxMessageSize, Window: laneWindow, CallOptions: limits, AuthInfo: lane.NoTLS(),
	})
	life := &laneLife{client: client}
	options := append(b.dialOptions(), grpc.WithContextDialer(connect.grpc), grpc.WithResolvers(life))
	cc, err := grpc.NewClient(life.Scheme()+":///localhost", append(options, life.routes()...)...)
	if err != nil {
		_ = client.Close()
		return nil, err
	}
	cc.Connect() // makes the resolver
	return cc, nil
}

// laneLife ties a lane to its *grpc.ClientConn. It is also the resolver of the address, because that is what gRPC closes with the
// connection; gRPC learns the address, and connects, when a call first needs that.
type laneLife struct {
	client *lane.Client
	cc     resolver.ClientConn
	needed sync.Once
}

// takes tells whether a call can take the lane, and else has gRPC connect.
func (l *laneLife) takes(opts []grpc.CallOption) bool {
	if !isClosed(l.client.Done()) && !slices.ContainsFunc(opts, lane.NeedsGRPC) {
		return true
	}
	l.needed.Do(func() { _ = l.cc.UpdateState(resolver.State{Addresses: []resolver.Address{{Addr: "localhost"}}}) }) // the calls say what is wrong
	return false
}

// routes are the innermost interceptors.
func (l *laneLife) routes() []grpc.DialOption {
	unary := func(ctx context.Context, method string, req, reply any, cc *grpc.ClientConn, invoke grpc.UnaryInvoker, opts ...grpc.CallOption) error {
		if l.takes(opts) {
			return l.client.Invoke(ctx, method, req, reply, opts...)
		}
		return invoke(ctx, method, req, reply, cc, opts...)
	}
	stream := func(ctx context.Context, desc *grpc.StreamDesc, cc *grpc.ClientConn, method string, open grpc.Streamer, opts ...grpc.CallOption) (grpc.ClientStream, error) {
		if l.takes(opts) {
			return l.client.NewStream(ctx, desc, method, opts...)
		}
		return open(ctx, desc, cc, method, opts...)
	}
	return []grpc.DialOption{grpc.WithChainUnaryInterceptor(unary), grpc.WithChainStreamInterceptor(stream)}
}

// Scheme is resolver.Builder's.
func (l *laneLife) Scheme() string { return "lane" }

// Build is resolver.Builder's. There is one resolver at a time.
func (l *laneLife) Build(_ resolver.Target, cc resolver.ClientConn, _ resolver.BuildOptions) (resolver.Resolver, error) {
	l.cc = cc
	return l, nil
}

// ResolveNow is resolver.Resolver's. The address is always the same.
func (l *laneLife) ResolveNow(resolver.ResolveNowOptions) {}

// Close is resolver.Resolver's.
func (l *laneLife) Close() { _ = l.client.Close() }
