package broker

import (
	"context"
	"fmt"
	"math"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/plugingen/plugingen/runtime/handshake"
	"github.com/plugingen/plugingen/runtime/transport"
)

// Dial connects to what the peer accepts under id: it waits for the peer's announcement, or knocks, and connects. ctx
// bounds that, not the connection's life: 5 s when it has no deadline (see Config.Timeout). Options come after the broker's
// own and win over them. Whether the peer serves on the connection, and TLS agrees, shows in the first call.
// Close the connection when it is no longer needed. The error is an *Error.
//
// An announcement is good for one Dial, while the connection that Dial returns connects anew by itself as long as the peer
// listens. Two Dials at once under one number are ErrInUse for the later one.
func (b *Broker) Dial(ctx context.Context, id uint32, options ...grpc.DialOption) (*grpc.ClientConn, error) {
	if b == nil {
		return nil, failed("dial", id, ErrNoBroker)
	}
	ctx, cancel := b.bound(ctx)
	defer cancel()
	cc, err := b.dial(ctx, id, options)
	if err != nil {
		return nil, failed("dial", id, err)
	}
	return cc, nil
}

func (b *Broker) dial(ctx context.Context, id uint32, options []grpc.DialOption) (*grpc.ClientConn, error) {
	l, err := b.link(ctx)
	if err != nil {
		return nil, err
	}
	connect, err := l.dialer(ctx, id)
	if err != nil {
		return nil, err
	}
	conn, lane, err := connect(ctx)
	if err != nil {
		return nil, err
	}
	if lane && b.cfg.Lane && len(options) == 0 {
		if spoken := b.agreed(ctx, conn); spoken != nil {
			return b.laneClient(spoken, connect)
		}
		if conn, _, err = connect(ctx); err != nil {
			return nil, err
		}
	}
	return b.client(ctx, conn, connect, options)
}

// connector makes a connection. lane tells that its other end takes the lane too.
type connector func(context.Context) (conn net.Conn, lane bool, err error)

// grpc is what gRPC connects with.
func (c connector) grpc(ctx context.Context, _ string) (net.Conn, error) {
	conn, _, err := c(ctx)
	return conn, err
}

// dialer returns what makes a connection under id, each time it is called.
func (l *link) dialer(ctx context.Context, id uint32) (connector, error) {
	if l.b.cfg.Mux != nil {
		return func(ctx context.Context) (net.Conn, bool, error) { return l.knock(ctx, id) }, nil
	}
	p, err := l.await(ctx, id)
	if err != nil {
		return nil, err
	}
	if p, err = l.b.resolve(p); err != nil {
		return nil, err
	}
	return func(ctx context.Context) (net.Conn, bool, error) {
		conn, err := l.b.connect(ctx, p)
		return conn, p.lane, err
	}, nil
}

func (b *Broker) connect(ctx context.Context, p place) (net.Conn, error) {
	conn, err := transport.Dial(ctx, p.network, p.address)
	if err != nil || !b.cfg.Private {
		return conn, err
	}
	if uid, known := transport.PeerUID(conn); known && uid != 0 && uid != os.Geteuid() {
		_ = conn.Close()
		return nil, fmt.Errorf("%w: the socket %.100q is user %d's", ErrAddress, p.address, uid)
	}
	return conn, nil
}

// await takes what the peer announced under id, or waits for it.
func (l *link) await(ctx context.Context, id uint32) (place, error) {
	w, err := l.wait(id)
	if err != nil {
		return place{}, err
	}
	defer l.stopWaiting(id, w)
	select {
	case p := <-w:
		return p, nil
	case <-l.done:
		return place{}, l.why
	case <-l.b.closed:
		return place{}, ErrClosed
	case <-ctx.Done():
		return place{}, noAnswer(ctx)
	}
}

func (l *link) wait(id uint32) (chan place, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if _, taken := l.waiters[id]; taken {
		return nil, ErrInUse
	}
	w := make(chan place, 1)
	if p, ok := l.places.take(id); ok {
		w <- p
		return w, nil
	}
	l.waiters[id] = w
	return w, nil
}

func (l *link) stopWaiting(id uint32, w chan place) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.waiters[id] == w {
		delete(l.waiters, id)
	}
}

// resolve turns the peer's words into an address that may be dialled.
func (b *Broker) resolve(p place) (place, error) {
	if b.cfg.Resolve != nil {
		network, address, err := b.cfg.Resolve(p.network, p.address)
		if err != nil {
			return p, err
		}
		p.network, p.address = network, address
	}
	if err := check(p); err != nil {
		return p, err
	}
	if b.cfg.Private && p.network != handshake.Unix {
		return p, fmt.Errorf("%w: %s is for every user of the machine", ErrAddress, p.network)
	}
	if !b.cfg.AllowRemote && !(handshake.Response{Network: p.network, Address: p.address}).IsLoopback() {
		return p, fmt.Errorf("%w: %s %.100q is not of this machine", ErrAddress, p.network, p.address)
	}
	return p, nil
}

// check refuses what is no address, and names that would have to be looked up.
func check(p place) error {
	switch p.network {
	case handshake.Unix:
		if path := handshake.UnixPath(p.address); !filepath.IsAbs(path) {
			return fmt.Errorf("%w: %.100q is not an absolute path", ErrAddress, p.address)
		}
		return nil
	case handshake.TCP:
		return checkTCP(p.address)
	default:
		return fmt.Errorf("%w: network %.20q is neither unix nor tcp", ErrAddress, p.network)
	}
}

func checkTCP(address string) error {
	host, digits, err := net.SplitHostPort(address)
	if err != nil {
		return fmt.Errorf("%w: %.100q is not host:port", ErrAddress, address)
	}
	if port, err := strconv.ParseUint(digits, 10, 16); err != nil || port == 0 {
		return fmt.Errorf("%w: the port of %.100q is not within 1 and %d", ErrAddress, address, math.MaxUint16)
	}
	if _, err := netip.ParseAddr(host); err != nil && host != "localhost" {
		return fmt.Errorf("%w: the host of %.100q is neither an IP address nor localhost", ErrAddress, address)
	}
	return nil
}

// client lets gRPC have conn, and connect for what comes after it.
func (b *Broker) client(ctx context.Context, conn net.Conn, connect connector, options []grpc.DialOption) (*grpc.ClientConn, error) {
	first := make(chan net.Conn)
	given := make(chan struct{})
	dial := func(ctx context.Context, address string) (net.Conn, error) {
		if isClosed(given) {
			return connect.grpc(ctx, address)
		}
		select {
		case c := <-first:
			return c, nil
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	options = append(append(b.dialOptions(), grpc.WithContextDialer(dial)), options...)
	cc, err := grpc.NewClient("passthrough:///localhost", options...)
	if err != nil {
		_ = conn.Close()
		return nil, fmt.Errorf("dial options: %w", err)
	}
	cc.Connect()
	select {
	case first <- conn:
		close(given)
		return cc, nil
	case <-ctx.Done():
		_ = conn.Close()
		return nil, fmt.Errorf("%w (and %w)", noAnswer(ctx), cc.Close())
	}
}

func (b *Broker) dialOptions() []grpc.DialOption {
	secure := insecure.NewCredentials()
	if b.cfg.ClientTLS != nil {
		secure = credentials.NewTLS(b.cfg.ClientTLS)
	}
	options := []grpc.DialOption{
		grpc.WithTransportCredentials(secure),
		grpc.WithNoProxy(),
		grpc.WithIdleTimeout(0),
		grpc.WithDisableServiceConfig(),
		grpc.WithConnectParams(grpc.ConnectParams{
			Backoff:           backoff.Config{BaseDelay: 5 * time.Millisecond, Multiplier: 1.6, Jitter: 0.2, MaxDelay: time.Second},
			MinConnectTimeout: 20 * time.Second, // gRPC's own: a peer may serve long after it accepts
		}),
		grpc.WithDefaultCallOptions(
			grpc.MaxCallRecvMsgSize(b.cfg.MaxMessageSize),
			grpc.MaxCallSendMsgSize(b.cfg.MaxMessageSize),
		),
	}
	return append(options, b.cfg.DialOptions...)
}
