package host

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/metadata"

	"github.com/plugingen/plugingen/runtime/broker"
	"github.com/plugingen/plugingen/runtime/handshake"
	"github.com/plugingen/plugingen/runtime/transport"
)

const (
	// dialGrace is for plugins that print their line a moment before they listen, as ours do with a lane.
	dialGrace    = time.Second
	firstRedial  = time.Millisecond
	longestDelay = time.Second // between grpc's own attempts to connect again
	// window is what a plugin may send on a stream before anyone reads: a choice between speed and trust. grpc makes it
	// larger for a message that is awaited, up to MaxMessageSize.
	window        = 16 << 20
	maxHeaderList = 1 << 20 // bytes of metadata, and of an error's text, that a plugin may send with a call
)

// carrier is the connection to a plugin: gRPC over what its handshake line names, or a lane.
type carrier struct {
	network, address string
	tls              *tls.Config       // nil without
	private          bool              // the socket must be this user's
	mux              *broker.MuxDialer // carries streams over one socket; nil: connections are sockets
	first            chan net.Conn     // the connection that connect made, until grpc takes it
	open             atomic.Int32      // connections that no read or write has failed on
	refused          atomic.Bool       // by the plugin, in TLS
	cc               *grpc.ClientConn  // nil when the lane is on a socket
	beneath          *beneath          // gRPC for what the lane in TLS cannot do; nil without that
	lane             *laneCalls        // nil without
	tier             Tier              // of the lane
	patience         time.Time         // until when nothing may listen yet
	pid              int               // whose the plugin's socket must be; 0 means anybody's
	spoken           metadata.MD       // what came with the first answer
	large            largeReplies      // of methods called in the tunnel
}

// newCarrier is the way to the plugin of this line, which nothing has gone yet.
func (c *child) newCarrier(r handshake.Response) *carrier {
	return &carrier{
		network: r.Network, address: r.Address, tls: c.clientTLS(r), private: c.cfg.protection() == private,
		patience: time.Now().Add(dialGrace), first: make(chan net.Conn, 1),
	}
}

// connect takes the lane on the plugin's socket if it may. Else it dials the plugin, so that what is wrong shows as what it is, and lets
// gRPC have the connection. After an error nothing is left to be closed.
func (c *carrier) connect(ctx context.Context, of *child, r handshake.Response) *Error {
	if c.takeSocket(ctx, of) {
		return nil
	}
	if r.Multiplex {
		c.mux = broker.NewMuxDialer(c.socket, of.cfg.Logger)
	}
	if err := c.begin(ctx, of.cfg); err != nil {
		c.close()
		return err
	}
	return nil
}

func (c *carrier) begin(ctx context.Context, cfg Config) *Error {
	conn, err := c.dialPatiently(ctx, c.offersInTLS(cfg))
	if err != nil {
		return notConnected(err)
	}
	if c.takeSecured(ctx, cfg, conn) {
		return nil
	}
	if !isAgreed(conn) {
		c.first <- conn
	}
	c.cc, err = c.newGRPC(cfg)
	if err != nil {
		return failed(StageConfig, fmt.Errorf("dial options: %w", err))
	}
	return nil
}

func (c *carrier) newGRPC(cfg Config) (*grpc.ClientConn, error) {
	return grpc.NewClient("passthrough:///localhost", append(c.options(cfg), cfg.DialOptions...)...)
}

func (c *carrier) dialPatiently(ctx context.Context, offer bool) (net.Conn, error) {
	return c.patiently(ctx, func(ctx context.Context) (net.Conn, error) { return c.dial(ctx, offer) })
}

// patiently dials, again when that was in vain and there is time.
func (c *carrier) patiently(ctx context.Context, dial func(context.Context) (net.Conn, error)) (net.Conn, error) {
	for delay := firstRedial; ; delay *= 2 {
		conn, err := dial(ctx)
		if err != nil && ctx.Err() != nil {
			return nil, interrupted(ctx, err)
		}
		if err == nil || isFinal(err) || time.Now().Add(delay).After(c.patience) {
			return conn, err
		}
		select {
		case <-ctx.Done():
			return nil, interrupted(ctx, err)
		case <-time.After(delay):
		}
	}
}

// isFinal tells what does not get better by itself.
func isFinal(err error) bool {
	return isOutOfFiles(err) || errors.Is(err, os.ErrPermission) || errors.Is(err, ErrTLS) || errors.Is(err, ErrOwner)
}

func (c *carrier) options(cfg Config) []grpc.DialOption {
	return []grpc.DialOption{
		grpc.WithTransportCredentials(c.credentials()),
		grpc.WithContextDialer(c.dialGRPC),
		grpc.WithNoProxy(),
		grpc.WithConnectParams(grpc.ConnectParams{
			Backoff:           backoff.Config{BaseDelay: 5 * time.Millisecond, Multiplier: 1.6, Jitter: 0.2, MaxDelay: longestDelay},
			MinConnectTimeout: cfg.StartTimeout,
		}),
		grpc.WithIdleTimeout(0),
		grpc.WithDisableServiceConfig(),
		grpc.WithDisableRetry(),
		grpc.WithStaticStreamWindowSize(window),
		grpc.WithStaticConnWindowSize(window),
		grpc.WithMaxHeaderListSize(maxHeaderList),
		grpc.WithDefaultCallOptions(
			grpc.MaxCallRecvMsgSize(cfg.MaxMessageSize),
			grpc.MaxCallSendMsgSize(cfg.MaxMessageSize),
		),
		grpc.WithChainUnaryInterceptor(cfg.UnaryInterceptors...),
		grpc.WithChainStreamInterceptor(cfg.StreamInterceptors...),
	}
}

func (c *carrier) dialGRPC(ctx context.Context, _ string) (net.Conn, error) {
	select {
	case conn := <-c.first:
		return conn, nil
	default:
		return c.dial(ctx, false)
	}
}

// dial makes a connection to the plugin, in TLS where there is TLS, where it offers the lane beside gRPC if it is to.
func (c *carrier) dial(ctx context.Context, offer bool) (net.Conn, error) {
	raw, err := c.reach(ctx)
	if err != nil {
		return nil, err
	}
	c.open.Add(1)
	watched := &watchedConn{Conn: raw, lost: sync.OnceFunc(func() { c.open.Add(-1) })}
	conn, err := c.secure(ctx, watched, offer)
	if err != nil {
		_ = watched.Close()
		return nil, err
	}
	return conn, nil
}

// another makes a connection that the plugin's listener must accept: a multiplexed one that stands needs no listener.
func (c *carrier) another(ctx context.Context) (net.Conn, error) {
	if c.mux != nil {
		return c.newSocket(ctx)
	}
	return c.dialPatiently(ctx, false)
}

// reach makes a connection to the plugin, without TLS.
func (c *carrier) reach(ctx context.Context) (net.Conn, error) {
	if c.mux != nil {
		return c.mux.Dial(ctx)
	}
	return c.socket(ctx)
}

// newSocket is socket for a plugin that may have a lane: then it listens a moment after its line.
func (c *carrier) newSocket(ctx context.Context) (net.Conn, error) { return c.patiently(ctx, c.socket) }

// socket connects to where the plugin's line says that it listens.
func (c *carrier) socket(ctx context.Context) (net.Conn, error) {
	conn, err := transport.Dial(ctx, c.network, c.address)
	if err != nil {
		return nil, err
	}
	if err := c.checkOwner(conn); err != nil {
		_ = conn.Close()
		return nil, err
	}
	return conn, nil
}

// isLost says that the plugin cannot be reached right now: it has hung up, or gone.
func (c *carrier) isLost() bool {
	if c.lane != nil && c.cc == nil && !c.lane.isLost() {
		return false
	}
	return c.open.Load() == 0
}

func (c *carrier) close() {
	c.lane.close()
	c.beneath.close()
	if c.cc != nil {
		_ = c.cc.Close() // only ever says that it was closed before
	}
	c.dropFirst()
	if c.mux != nil {
		_ = c.mux.Close() // only ever nil
	}
}

func (c *carrier) dropFirst() {
	select {
	case conn := <-c.first:
		_ = conn.Close()
	default:
	}
}

// watchedConn tells as soon as the connection has failed, before anyone learns it from the call that failed with it.
type watchedConn struct {
	net.Conn
	lost func()
}

// Socket is for the lane, which reads and writes below this, and tells by itself that the connection is lost.
func (c *watchedConn) Socket() net.Conn {
	c.lost()
	return c.Conn
}

// Read is net.Conn's.
func (c *watchedConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.watch(err)
	return n, err
}

// Write is net.Conn's.
func (c *watchedConn) Write(p []byte) (int, error) {
	n, err := c.Conn.Write(p)
	c.watch(err)
	return n, err
}

// Close is net.Conn's.
func (c *watchedConn) Close() error {
	c.lost()
	return c.Conn.Close()
}

func (c *watchedConn) watch(err error) {
	if err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
		c.lost()
	}
}
