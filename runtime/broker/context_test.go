package broker_test

import (
	"context"
	"errors"
	"io"
	"net"
	"testing"

	"google.golang.org/grpc"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"

	"github.com/plugingen/plugingen/runtime"
	"github.com/plugingen/plugingen/runtime/broker"
	"github.com/plugingen/plugingen/runtime/transport"
)

// finder is a service that keeps the broker that it was registered with, and looks for that of each call.
type finder struct {
	healthpb.UnimplementedHealthServer
	kept  *broker.Broker
	found chan *broker.Broker
}

func (f finder) Check(ctx context.Context, _ *healthpb.HealthCheckRequest) (*healthpb.HealthCheckResponse, error) {
	f.found <- broker.FromContext(ctx)
	return &healthpb.HealthCheckResponse{}, nil
}

func (f finder) Watch(_ *healthpb.HealthCheckRequest, s grpc.ServerStreamingServer[healthpb.HealthCheckResponse]) error {
	f.found <- broker.FromContext(s.Context())
	return nil
}

// called calls a finder both ways.
func (f finder) called(t *testing.T, cc grpc.ClientConnInterface, want *broker.Broker) {
	t.Helper()
	check(t, cc)
	if got := <-f.found; got != want {
		t.Errorf("in a unary call it is %p, want %p", got, want)
	}
	s, err := healthpb.NewHealthClient(cc).Watch(guarded(t), &healthpb.HealthCheckRequest{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Recv(); !errors.Is(err, io.EOF) {
		t.Fatalf("watch: %v", err)
	}
	if got := <-f.found; got != want {
		t.Errorf("in a stream it is %p, want %p", got, want)
	}
}

// Every method finds the broker of its own side, over the main connection and over brokered ones.
func TestFromContext(t *testing.T) {
	bothWays(t, func(t *testing.T, s shape) {
		dir := shortDir(t)
		main := finder{found: make(chan *broker.Broker, 1)}
		p := servePlugin(t, s, s.config(dir), dir, func(server *grpc.Server, _ *broker.Broker) { healthpb.RegisterHealthServer(server, main) })
		host, cc := attach(t, s, p, s.config(dir))
		main.called(t, cc, p.broker)
		for _, pair := range [][2]*broker.Broker{{host, p.broker}, {p.broker, host}} {
			accepts, dials := pair[0], pair[1]
			f := make(chan finder, 1)
			service := runtime.Raw("grpc.health.v1.Health", func(r grpc.ServiceRegistrar) {
				brokered := finder{kept: broker.FromRegistrar(r), found: make(chan *broker.Broker, 1)}
				healthpb.RegisterHealthServer(r, brokered)
				f <- brokered
			})
			go func() { _ = accepts.AcceptAndServe(context.Background(), 1, service) }() // until the broker closes
			cc, err := dials.Dial(guarded(t), 1)
			if err != nil {
				t.Fatal(err)
			}
			brokered := <-f
			if brokered.kept != accepts {
				t.Errorf("at the registration it is %p, want %p", brokered.kept, accepts)
			}
			brokered.called(t, cc, accepts)
			_ = cc.Close()
		}
	})
}

// Where there is none, what is tried says so.
func TestNoBroker(t *testing.T) {
	for what, b := range map[string]*broker.Broker{
		"context":    broker.FromContext(t.Context()),
		"registrar":  broker.FromRegistrar(grpc.NewServer()),
		"connection": broker.FromConn(&grpc.ClientConn{}),
	} {
		_, accepted := b.Accept(t.Context(), b.NextID())
		_, dialed := b.Dial(t.Context(), b.NextID())
		for did, err := range map[string]error{"accept": accepted, "dial": dialed, "serve": b.AcceptAndServe(t.Context(), b.NextID())} {
			e, ok := errors.AsType[*broker.Error](err)
			if !ok || !errors.Is(err, broker.ErrNoBroker) || e.Op != did || e.Hint == "" {
				t.Errorf("%s, %s: %v, want ErrNoBroker with a hint", what, did, err)
			}
		}
	}
}

func TestPrivate(t *testing.T) {
	b, p := against(t, shape{change: func(c *broker.Config) { c.Private = true }})
	p.announce(1, "tcp", "127.0.0.1:9")
	p.announce(2, "unix", listen(t))
	p.heard()
	if _, err := b.Dial(guarded(t), 1); !errors.Is(err, broker.ErrAddress) {
		t.Errorf("tcp: %v, want ErrAddress", err)
	}
	cc, err := b.Dial(guarded(t), 2)
	if err != nil {
		t.Fatalf("own socket: %v", err)
	}
	_ = cc.Close()
}

// A socket of another user's is not dialled.
func TestPrivateRefusesOtherUsers(t *testing.T) {
	b, p := against(t, shape{change: func(c *broker.Config) { c.Private = true }})
	p.announce(1, "unix", listenAsNobody(t))
	p.heard()
	if _, err := b.Dial(guarded(t), 1); !errors.Is(err, broker.ErrAddress) {
		t.Errorf("got %v, want ErrAddress", err)
	}
}

func listen(t *testing.T) string {
	t.Helper()
	l, err := transport.Listen(transport.ListenConfig{Network: "unix", Dir: shortDir(t)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return l.Addr().String()
}

// A peer cannot take all descriptors by connecting again and again.
func TestTooManyConnections(t *testing.T) {
	b, _ := connect(t, shape{})
	l, err := b.Accept(guarded(t), 1)
	if err != nil {
		t.Fatal(err)
	}
	accepted := make(chan net.Conn, 100)
	go func() {
		defer close(accepted)
		for c, err := l.Accept(); err == nil; c, err = l.Accept() {
			accepted <- c
		}
	}()
	join := func() net.Conn {
		c, err := transport.Dial(guarded(t), "unix", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = c.Close() })
		return c
	}
	for range 64 {
		join()
	}
	if _, err := join().Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
		t.Errorf("the one too many: %v, want io.EOF", err)
	}
	_ = (<-accepted).Close() // makes room
	last := join()
	if err := l.Close(); err != nil {
		t.Error(err)
	}
	n := 0
	for c := range accepted {
		n++
		_ = c.Close()
	}
	if _, err := last.Read(make([]byte, 1)); n < 63 || err == nil {
		t.Errorf("%d more were accepted, want 63 at least", n)
	}
}
