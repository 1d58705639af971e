package plugin

import (
	"errors"
	"log/slog"
	"net"
	"sync"

	"google.golang.org/grpc"

	"github.com/plugingen/plugingen/runtime/broker"
	"github.com/plugingen/plugingen/runtime/internal/lane"
	"github.com/plugingen/plugingen/runtime/internal/wire"
)

const (
	// leastLaneMessage is a limit on messages with which a tunnel's fit; with a lower one a plugin keeps to gRPC.
	leastLaneMessage = 256 << 10
	// mostLaneCalls is no limit: gRPC has none either.
	mostLaneCalls = 1 << 20
)

// laneServer serves the host that has offered a lane what gRPC serves all others.
type laneServer struct {
	*lane.Server
	logger  *slog.Logger
	why     string // there is no lane; empty when there may be one
	taken   func() // serves the host that has started the plugin; nil when that has no lane. Written before anyone is served
	serving sync.WaitGroup

	mu      sync.Mutex
	stopped bool // nobody begins to serve any more
}

func newLaneServer(cfg Config) *laneServer {
	return &laneServer{logger: cfg.Logger, why: noLane(cfg), Server: lane.NewServer(lane.ServerConfig{
		MaxMessageSize:     cfg.MaxMessageSize,
		MaxSendSize:        cfg.MaxMessageSize,
		MaxCalls:           mostLaneCalls,
		Window:             windowSize,
		PrefaceTimeout:     connectionTimeout,
		UnaryInterceptors:  cfg.UnaryInterceptors,
		StreamInterceptors: cfg.StreamInterceptors,
		Apart:              cfg.isApart,
		Crash:              true,
		Logger:             cfg.Logger,
		AuthInfo:           lane.NoTLS(),
	})}
}

// isApart also tells the shutdown, which waits for others.
func (c Config) isApart(method string) bool {
	return method == wire.ShutdownMethod || c.Apart != nil && c.Apart(method)
}

// noLane is why calls cannot take the lane; empty when they can.
func noLane(cfg Config) string {
	switch {
	case cfg.NoLane:
		return "the plugin's Config says so"
	case len(cfg.ServerOptions) > 0:
		return "the plugin has ServerOptions, which are for gRPC"
	case cfg.MaxMessageSize < leastLaneMessage:
		return "the plugin takes no messages as large as the lane needs"
	default:
		return ""
	}
}

// registrar registers for gRPC and for the lane.
func (s *server) registrar() grpc.ServiceRegistrar { return registrars{s.grpc, s.lane} }

type registrars []grpc.ServiceRegistrar

// RegisterService is grpc.ServiceRegistrar's.
func (all registrars) RegisterService(desc *grpc.ServiceDesc, implementation any) {
	for _, r := range all {
		r.RegisterService(desc, implementation)
	}
}

// acceptLane returns the lane that the host has offered; nil when it has not, or the plugin does not want it.
func (l launch) acceptLane(cfg Config, sec security) net.Conn {
	if l.lane == "" {
		return nil
	}
	why := noLane(cfg)
	if sec.server != nil {
		why = "the plugin serves with TLS"
	}
	conn, err := lane.Accept(l.lane)
	switch {
	case err != nil: // words that were passed on to us and were another's, say
		why = err.Error()
	case why != "":
		_ = conn.Close()
	default:
		return conn
	}
	cfg.Logger.Debug("the lane that the host offers is not taken", "why", why)
	return nil
}

// greet says the first word on the lane that the host has offered: before the handshake line, so that the host knows, once it has that, whether
// there is a lane. A nil conn is none.
func (l *laneServer) greet(conn net.Conn, of *broker.Broker) error {
	if conn == nil {
		return nil
	}
	serve, err := l.Begin(laneCarrier{lane.NewCarrier(conn), of.Mark(conn.RemoteAddr())})
	if err != nil {
		return err
	}
	l.taken = func() {
		if err := serve(); err != nil && !errors.Is(err, lane.ErrServerStopped) {
			l.logger.Debug("the lane has ended", "error", err)
		}
	}
	return nil
}

// beside takes those who come in by the listener and speak the lane. The others come out of what it returns.
func (l *laneServer) beside(in net.Listener) net.Listener {
	both := l.Beside(in, func(c net.Conn) {
		switch known := c.(type) { // the lane reads below it
		case *conn:
			known.hear(firstWord)
		case *plainText:
			known.of.hear(firstWord)
		}
	})
	l.run(both.Wait)
	return both
}

// laneCarrier says by its peer's address whose plugin it is, as main connections do.
type laneCarrier struct {
	lane.Carrier
	remote net.Addr
}

// RemoteAddr is lane.Carrier's.
func (c laneCarrier) RemoteAddr() net.Addr { return c.remote }

// run runs serve in the background, unless stop has come first.
func (l *laneServer) run(serve func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.stopped {
		l.serving.Go(serve)
	}
}

// stop cuts all lanes, and waits for those who serve them.
func (l *laneServer) stop() {
	l.Stop()
	l.mu.Lock()
	l.stopped = true
	l.mu.Unlock()
	l.serving.Wait()
}
