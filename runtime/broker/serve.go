package broker

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"math"
	"net"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"

	"github.com/plugingen/plugingen/runtime"
	"github.com/plugingen/plugingen/runtime/internal/lane"
)

// ServerOptions are what AcceptAndServe makes its gRPC server with: TLS, limits, interceptors and Config.ServerOptions. They are for
// servers on a listener that Accept returned.
func (b *Broker) ServerOptions() []grpc.ServerOption {
	options := []grpc.ServerOption{
		grpc.MaxRecvMsgSize(b.cfg.MaxMessageSize),
		grpc.MaxSendMsgSize(b.cfg.MaxMessageSize),
		grpc.ConnectionTimeout(b.cfg.Timeout),
		grpc.ChainUnaryInterceptor(b.cfg.UnaryInterceptors...),
		grpc.ChainStreamInterceptor(b.cfg.StreamInterceptors...),
	}
	if b.cfg.MaxCalls > 0 {
		options = append(options, grpc.MaxConcurrentStreams(uint32(min(b.cfg.MaxCalls, math.MaxInt32))))
	}
	if b.cfg.ServerTLS != nil {
		options = append(options, grpc.Creds(securedCredentials{credentials.NewTLS(b.cfg.ServerTLS)}))
	}
	return append(options, b.cfg.ServerOptions...)
}

// AcceptAndServe accepts under id, as Accept does, and serves the implementations on every connection that the peer dials
// there. It blocks: run it in a goroutine of its own, before or while the peer is told the number. It returns
//   - nil when ctx has ended; calls in flight get Config.Timeout to finish, and are cut off then;
//   - ErrClosed when the broker is closed, at once, or shut down, when its calls have finished;
//   - ErrNotDialed when nobody has connected within Config.Expiry;
//   - ErrLost when the peer is gone and the last connection with it;
//
// and what Accept returns. When it has returned, nothing of it is left but methods that ignore their context's end.
// The error is an *Error.
func (b *Broker) AcceptAndServe(ctx context.Context, id uint32, implementations ...runtime.Implementation) error {
	if b == nil {
		return failed("serve", id, ErrNoBroker)
	}
	s, err := b.newServer(implementations)
	if err != nil {
		return failed("serve", id, err)
	}
	l, err := b.accept(ctx, wanted{id, b.laneVersion()})
	if err != nil {
		s.grpc.Stop()
		return failed("serve", id, err)
	}
	if !b.serving() {
		s.stop(l)
		return failed("serve", id, ErrClosed)
	}
	defer b.servers.Done()
	if err := b.serveOn(ctx, s, l); err != nil {
		return failed("serve", id, err)
	}
	return nil
}

// server serves the same on gRPC and on the lane.
type server struct {
	grpc *grpc.Server
	lane *lane.Server // gets no connection unless the listener says that there is a lane
	tls  *tls.Config  // nil without TLS
}

func (b *Broker) newServer(implementations []runtime.Implementation) (server, error) {
	s := server{grpc.NewServer(b.ServerOptions()...), b.newLaneServer(), b.cfg.ServerTLS}
	r := &registrar{Server: s.grpc, lane: s.lane, broker: b}
	for _, i := range implementations {
		i.Register(r)
	}
	if err := errors.Join(r.twice...); err != nil {
		s.grpc.Stop()
		return server{}, err
	}
	return s, nil
}

// registrar reports a service that is registered twice; gRPC's server ends the process.
type registrar struct {
	*grpc.Server
	lane   *lane.Server
	broker *Broker
	twice  []error
}

// Broker is for FromRegistrar.
func (r *registrar) Broker() *Broker { return r.broker }

// RegisterService is grpc.ServiceRegistrar's.
func (r *registrar) RegisterService(desc *grpc.ServiceDesc, implementation any) {
	if _, taken := r.GetServiceInfo()[desc.ServiceName]; taken {
		r.twice = append(r.twice, fmt.Errorf("service %s is implemented twice", desc.ServiceName))
		return
	}
	r.Server.RegisterService(desc, implementation)
	r.lane.RegisterService(desc, implementation)
}

func (b *Broker) serveOn(ctx context.Context, s server, l *listener) error {
	var err error
	served := make(chan struct{})
	go func() { err = s.serve(l); close(served) }()
	select {
	case <-served:
		s.stop(l)
		return plain(err)
	case <-ctx.Done():
		limit := time.NewTimer(b.cfg.Timeout)
		defer limit.Stop()
		b.finish(s, l, limit.C)
		<-served
		return nil
	case <-b.finishing:
		b.finish(s, l, nil) // Shutdown has the limit
		<-served
		return ErrClosed
	case <-b.closed:
		s.stop(l)
		<-served
		return ErrClosed
	}
}

// serve returns when l has ended, and all connections have.
func (s server) serve(l *listener) error {
	if l.lane == 0 {
		return s.grpc.Serve(l)
	}
	var in net.Listener = l
	if s.tls != nil {
		in = securedListener{l, s.tls}
	}
	both := s.lane.Beside(in, nil)
	defer both.Wait()
	return s.grpc.Serve(both)
}

// plain takes the listener's own wrapping off: the caller puts another on.
func plain(err error) error {
	var e *Error
	if errors.As(err, &e) {
		return e.Err
	}
	if errors.Is(err, net.ErrClosed) || errors.Is(err, grpc.ErrServerStopped) {
		return nil
	}
	return err
}

// finish lets calls in flight finish, until limit.
func (b *Broker) finish(s server, l *listener, limit <-chan time.Time) {
	ctx, cut := context.WithCancel(context.Background())
	defer cut()
	graceful := make(chan struct{})
	go func() { // returns at the latest with the stop that follows
		defer close(graceful)
		var both sync.WaitGroup
		both.Go(s.grpc.GracefulStop)
		both.Go(func() { _ = s.lane.GracefulStop(ctx) }) // whatever is left is cut
		both.Wait()
	}()
	select {
	case <-graceful:
	case <-limit:
	case <-b.closed:
	}
	cut()
	s.stop(l)
	<-graceful
}

// stop ends the connections first: gRPC's own Stop waits for those that have not said anything sensible yet.
func (s server) stop(l *listener) {
	l.end(nil)
	s.grpc.Stop()
	s.lane.Stop()
}
