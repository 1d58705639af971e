package broker

import (
	"cmp"
	"crypto/tls"
	"log/slog"
	"net"
	"time"

	"google.golang.org/grpc"
)

const (
	defaultTimeout        = 5 * time.Second // go-plugin's own
	defaultMaxPending     = 1024
	defaultMaxMessageSize = 64 << 20
)

// Config says how a Broker makes connections. The zero value dials over plain sockets and accepts nothing. [New] copies it.
type Config struct {
	// Listen opens the listener of one Accept. nil means that Accept fails with ErrNoListen. It is not used with Mux.
	Listen func() (net.Listener, error)
	// Mux carries all connections over the main one: a *MuxDialer on the host, a *MuxListener on the plugin, as agreed in
	// the handshake. nil means that each connection is a socket of its own.
	Mux Mux

	// ServerTLS is what AcceptAndServe uses; nil means no TLS.
	ServerTLS *tls.Config
	// ClientTLS is what Dial uses; nil means no TLS.
	ClientTLS *tls.Config

	// Announce turns the address of a listener into the peer's view of it; nil means that both see the same.
	Announce func(network, address string) (string, string, error)
	// Resolve turns an address that the peer announced into this side's view of it; nil means that both see the same.
	Resolve func(network, address string) (string, string, error)
	// AllowRemote lets Dial connect to addresses that are not of this machine.
	AllowRemote bool
	// Private makes Dial connect to unix sockets alone, and only to those of this user or root. It is for connections without
	// TLS whose peer the system vouches for.
	Private bool

	// Timeout bounds what Accept and Dial wait for when their context has no deadline, how long what the peer announced
	// can still be dialled, and how long AcceptAndServe lets calls finish. Zero means 5 s, as in go-plugin.
	Timeout time.Duration
	// Expiry is how long a listener waits for its first connection before it closes itself. Zero means twice Timeout.
	Expiry time.Duration
	// MaxPending bounds what the peer has announced or knocked for and nobody has taken yet, and the listeners that
	// nobody has dialled yet, each. Zero means 1024. What the peer says beyond it is ignored.
	MaxPending int
	// MaxMessageSize bounds requests and responses of AcceptAndServe and Dial, in bytes. Zero means 64 MiB.
	MaxMessageSize int

	// MaxCalls is how many calls one connection may have running in AcceptAndServe; further ones wait at the peer. Zero means that
	// there is no limit.
	MaxCalls int

	// Lane lets connections take the lane: AcceptAndServe takes it beside gRPC, and Dial speaks it to a peer that takes it,
	// unless the call of Dial has options, which are gRPC's. False means gRPC alone. ServerOptions are not heeded on the lane.
	Lane bool
	// UnaryInterceptors and StreamInterceptors run around each method that AcceptAndServe serves, the first outermost.
	UnaryInterceptors  []grpc.UnaryServerInterceptor
	StreamInterceptors []grpc.StreamServerInterceptor
	// ServerOptions come after the broker's own for AcceptAndServe and win over them.
	ServerOptions []grpc.ServerOption
	// DialOptions come after the broker's own for Dial and before the call's, and win over the former.
	DialOptions []grpc.DialOption
	// Logger gets the broker's own few messages; nil means slog.Default.
	Logger *slog.Logger
}

func (c Config) withDefaults() Config {
	c.Timeout = positive(c.Timeout, defaultTimeout)
	c.Expiry = positive(c.Expiry, 2*c.Timeout)
	c.MaxPending = positive(c.MaxPending, defaultMaxPending)
	c.MaxMessageSize = positive(c.MaxMessageSize, defaultMaxMessageSize)
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	return c
}

// positive is v, or its default when it is zero or makes no sense.
func positive[T cmp.Ordered](v, standard T) T {
	var zero T
	if v <= zero {
		return standard
	}
	return v
}
