package plugin

import (
	"cmp"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"math"
	"slices"
	"time"

	"google.golang.org/grpc"

	"github.com/plugingen/plugingen/runtime"
	"github.com/plugingen/plugingen/runtime/handshake"
)

const (
	defaultMaxMessageSize = 64 << 20
	defaultStopTimeout    = 500 * time.Millisecond
)

// Config says what a plugin serves. Handshake and Services are required. [Serve] copies it and changes nothing in it.
type Config struct {
	// Handshake is the contract's. ProtocolVersions empty means the keys of Services.
	Handshake handshake.Config
	// Services is what is served, by protocol version; every version that Handshake names needs at least one, others none.
	Services map[int][]runtime.Implementation
	// Logger gets the runtime's own few messages; nil means slog.Default.
	Logger *slog.Logger
	// MaxMessageSize bounds requests and responses, in bytes; zero means 64 MiB. A larger one fails with the code
	// ResourceExhausted, which names the limit.
	MaxMessageSize int
	// TLSConfig is for contracts with certificates of their own; hosts need a fitting one. Nil means that the host decides: one that sends a
	// certificate (PLUGIN_CLIENT_CERT, not empty) gets mutual TLS with one-time certificates, which lets in that host alone; without it there is
	// no TLS. With a TLSConfig, what the host sends is not heeded and no certificate announced, as with go-plugin's TLSProvider.
	// Who may call is then for its ClientAuth and ClientCAs to say. Brokered connections use it both ways: those to the host need
	// its RootCAs. It must not be changed any more.
	TLSConfig *tls.Config
	// UnaryInterceptors and StreamInterceptors run around each call, also those that the servers of the broker serve, the first outermost.
	UnaryInterceptors  []grpc.UnaryServerInterceptor
	StreamInterceptors []grpc.StreamServerInterceptor
	// ServerOptions come after the runtime's own and win over them, also for the servers of the broker; for TLS use TLSConfig, for
	// interceptors the fields above. They are gRPC's alone: with any, calls do not take the lane.
	ServerOptions []grpc.ServerOption
	// NoLane has calls take gRPC also from hosts that offer the lane, a framing of this module's own that costs a fraction of it.
	NoLane bool
	// Apart tells the unary methods of Services, by their full names such as "/greeter.v1.Greeter/Greet", whose handlers always have a goroutine
	// of their own, as with gRPC; nil means none. On the lane, handlers that have been short run on the goroutine that reads the connection; one that
	// then takes longer than two milliseconds loses that place, and holds up the other calls until then. It may be called concurrently.
	Apart func(fullMethod string) bool
	// StopTimeout is how long calls in flight may take to finish once the plugin stops; zero means 500 ms.
	// A second at most comes on top: hosts kill a plugin that is not gone after 2 s.
	StopTimeout time.Duration
}

func (c Config) withDefaults() Config {
	if len(c.Handshake.ProtocolVersions) == 0 {
		c.Handshake.ProtocolVersions = slices.Sorted(maps.Keys(c.Services))
	}
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	c.MaxMessageSize = cmp.Or(c.MaxMessageSize, defaultMaxMessageSize)
	c.StopTimeout = cmp.Or(c.StopTimeout, defaultStopTimeout)
	return c
}

// validate reports all faults at once: each is one of the program, found by its first start.
func (c Config) validate() error {
	problems := []error{c.Handshake.Validate()}
	if len(c.Services) == 0 {
		problems = append(problems, errors.New("no Services"))
	}
	for _, v := range c.Handshake.Versions() {
		if len(c.Services) > 0 && len(c.Services[v]) == 0 {
			problems = append(problems, fmt.Errorf("no implementation in Services for protocol version %d", v))
		}
	}
	for _, v := range slices.Sorted(maps.Keys(c.Services)) {
		if !slices.Contains(c.Handshake.Versions(), v) {
			problems = append(problems, fmt.Errorf("protocol version %d in Services is not one of Handshake.ProtocolVersions", v))
		}
	}
	if c.MaxMessageSize < 0 || c.MaxMessageSize > math.MaxInt32 {
		problems = append(problems, fmt.Errorf("MaxMessageSize %d is not within 0 and %d", c.MaxMessageSize, math.MaxInt32))
	}
	if c.StopTimeout < 0 {
		problems = append(problems, fmt.Errorf("StopTimeout %s is negative", c.StopTimeout))
	}
	if t := c.TLSConfig; t != nil && len(t.Certificates) == 0 && t.GetCertificate == nil && t.GetConfigForClient == nil {
		problems = append(problems, errors.New("TLSConfig has no certificate"))
	}
	if err := errors.Join(problems...); err != nil {
		return &Error{Op: "check config", Hint: "correct the plugin.Config in this plugin's main", Err: err}
	}
	return nil
}
