package plugin

import (
	"context"
	"crypto/tls"
	"net"
	goruntime "runtime"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/keepalive"

	"github.com/plugingen/plugingen/runtime"
	"github.com/plugingen/plugingen/runtime/handshake"
	"github.com/plugingen/plugingen/runtime/internal/lane"
	"github.com/plugingen/plugingen/runtime/internal/wire"
)

const (
	connectionTimeout = 5 * time.Second // for a peer to say something sensible; grpc's own is two minutes
	pingInterval      = time.Second     // how often a host may ping; grpc's own is five minutes, then it hangs up
	windowSize        = 16 << 20        // per stream and connection; larger costs memory and gains nothing
)

// server is the gRPC server of a plugin, with the services that every plugin has.
type server struct {
	grpc    *late
	lane    *laneServer
	health  *wire.Health
	calls   *calls
	printed *printed
	*entrance
	lanes bool        // hosts may speak the lane to the entrance
	tls   *tls.Config // of those who come in; nil without TLS

	sessions []sessions

	stays     bool          // it does not end when a host asks
	asked     chan struct{} // closed when a host asks for the shutdown
	askedOnce sync.Once
	answer    chan struct{} // closed when the host that asked may be answered
}

// newServer returns a server of implementations, for those who come in by in.
func newServer(cfg Config, sec security, in *entrance, implementations []runtime.Implementation) (*server, error) {
	s := &server{
		grpc:     newLate(func() []grpc.ServerOption { return serverOptions(cfg, sec) }),
		lane:     newLaneServer(cfg),
		calls:    newCalls(),
		printed:  newPrinted(),
		entrance: in,
		asked:    make(chan struct{}),
		answer:   make(chan struct{}),
	}
	r := s.registrar()
	wire.RegisterController(r, s.shutdown)
	wire.RegisterStdio(r, s.printed.serve)
	s.broker.Register(r)
	s.health = wire.RegisterHealth(s.lane.announced(r), names(implementations)...)
	s.lane.registerTunnel(s.grpc)
	s.tls = sec.server
	s.lanes = s.lane.why == "" && in.mux == nil && (s.tls != nil || in.Addr().Network() == handshake.Unix)
	return s, s.register(implementations)
}

// serve serves who comes in, by the lane or by gRPC.
func (s *server) serve() error {
	var in net.Listener = s.entrance
	if s.lanes && s.tls != nil {
		in = securedListener{in, s.tls}
	}
	if s.lanes {
		in = s.lane.beside(in)
	}
	needless := s.lane.taken != nil || s.lanes && s.tls != nil // hosts of this module take the lane
	return s.grpc.serve(in, !needless)
}

func serverOptions(cfg Config, sec security) []grpc.ServerOption {
	options := []grpc.ServerOption{
		grpc.MaxRecvMsgSize(cfg.MaxMessageSize),
		grpc.MaxSendMsgSize(cfg.MaxMessageSize),
		grpc.ConnectionTimeout(connectionTimeout),
		grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: pingInterval, PermitWithoutStream: true}),
		grpc.NumStreamWorkers(uint32(goruntime.GOMAXPROCS(0))),
		grpc.StaticStreamWindowSize(windowSize),
		grpc.StaticConnWindowSize(windowSize),
		grpc.ForceServerCodecV2(lane.StreamCodec()), // gRPC's own, but for tunnels
	}
	options = append(options, sec.options...)
	return append(options, cfg.userOptions()...)
}

// userOptions are what the plugin's author wants of every server.
func (c Config) userOptions() []grpc.ServerOption {
	return append([]grpc.ServerOption{
		grpc.ChainUnaryInterceptor(c.UnaryInterceptors...),
		grpc.ChainStreamInterceptor(c.StreamInterceptors...),
	}, c.ServerOptions...)
}

func names(implementations []runtime.Implementation) []string {
	var all []string
	for _, i := range implementations {
		all = append(all, i.Name())
	}
	return all
}

// shutdown answers when what the host may still wait for is done: a go-plugin host hangs up once it has the answer.
func (s *server) shutdown(ctx context.Context) error {
	if s.stays {
		return nil
	}
	s.askedOnce.Do(func() { close(s.asked) })
	select {
	case <-s.answer:
	case <-ctx.Done():
	}
	return nil
}

// endSessions ends the streams that last as long as their connections, once the calls in them are done or ctx has ended.
func (s *server) endSessions(ctx context.Context) {
	for _, long := range s.sessions {
		long.Drain(ctx)
		long.EndSessions()
	}
}

// hangUp closes connections once all answers are written, until ctx ends.
func (s *server) hangUp(ctx context.Context) {
	graceful := make(chan struct{})
	go func() { // returns at the latest with the cut that follows
		defer close(graceful)
		var both sync.WaitGroup
		both.Go(s.grpc.gracefulStop)
		both.Go(func() { _ = s.lane.GracefulStop(ctx) }) // whatever is left is cut
		both.Wait()
	}()
	select {
	case <-graceful:
	case <-ctx.Done():
	}
}

// cut ends all connections, and waits until ctx ends for calls to notice.
func (s *server) cut(ctx context.Context) {
	s.end() // grpc's Stop waits for those that have not said anything sensible yet
	s.grpc.stop()
	s.lane.stop()
	s.calls.drain(ctx)
}
