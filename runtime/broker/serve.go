package broker

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"

	"github.com/plugingen/plugingen/runtime"
)

// ServerOptions are what AcceptAndServe makes its gRPC server with: TLS, limits and Config.ServerOptions. They are for
// servers on a listener that Accept returned.
func (b *Broker) ServerOptions() []grpc.ServerOption {
	options := []grpc.ServerOption{
		grpc.MaxRecvMsgSize(b.cfg.MaxMessageSize),
		grpc.MaxSendMsgSize(b.cfg.MaxMessageSize),
		grpc.ConnectionTimeout(b.cfg.Timeout),
	}
	if b.cfg.ServerTLS != nil {
		options = append(options, grpc.Creds(credentials.NewTLS(b.cfg.ServerTLS)))
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
	l, err := b.accept(ctx, id)
	if err != nil {
		s.Stop()
		return failed("serve", id, err)
	}
	if !b.serving() {
		stop(s, l)
		return failed("serve", id, ErrClosed)
	}
	defer b.servers.Done()
	if err := b.serveOn(ctx, s, l); err != nil {
		return failed("serve", id, err)
	}
	return nil
}

func (b *Broker) newServer(implementations []runtime.Implementation) (*grpc.Server, error) {
	s := grpc.NewServer(b.ServerOptions()...)
	r := &registrar{Server: s, broker: b}
	for _, i := range implementations {
		i.Register(r)
	}
	if err := errors.Join(r.twice...); err != nil {
		s.Stop()
		return nil, err
	}
	return s, nil
}

// registrar reports a service that is registered twice; gRPC's server ends the process.
type registrar struct {
	*grpc.Server
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
}

func (b *Broker) serveOn(ctx context.Context, s *grpc.Server, l *listener) error {
	var err error
	served := make(chan struct{})
	go func() { err = s.Serve(l); close(served) }()
	select {
	case <-served:
		stop(s, l)
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
		stop(s, l)
		<-served
		return ErrClosed
	}
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
func (b *Broker) finish(s *grpc.Server, l *listener, limit <-chan time.Time) {
	graceful := make(chan struct{})
	go func() { defer close(graceful); s.GracefulStop() }()
	select {
	case <-graceful:
	case <-limit:
	case <-b.closed:
	}
	stop(s, l)
	<-graceful
}

// stop ends the connections first: gRPC's own Stop waits for those that have not said anything sensible yet.
func stop(s *grpc.Server, l *listener) {
	l.end(nil)
	s.Stop()
}
