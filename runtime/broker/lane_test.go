package broker_test

import (
	"context"
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"

	"google.golang.org/grpc"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"

	"github.com/plugingen/plugingen/runtime"
	"github.com/plugingen/plugingen/runtime/broker"
)

// teller is a service that tells what its calls came by.
type teller struct {
	healthpb.UnimplementedHealthServer
	by chan string
}

func (l teller) Check(ctx context.Context, _ *healthpb.HealthCheckRequest) (*healthpb.HealthCheckResponse, error) {
	l.by <- cameBy(ctx)
	return &healthpb.HealthCheckResponse{}, nil
}

func cameBy(ctx context.Context) string {
	if strings.HasPrefix(fmt.Sprintf("%T", grpc.ServerTransportStreamFromContext(ctx)), "*lane.") {
		return "lane"
	}
	return "gRPC"
}

func (l teller) service() runtime.Implementation {
	return runtime.Raw("grpc.health.v1.Health", func(r grpc.ServiceRegistrar) { healthpb.RegisterHealthServer(r, l) })
}

// call makes one call, and returns what it came by.
func (l teller) call(t *testing.T, cc grpc.ClientConnInterface, opts ...grpc.CallOption) (string, error) {
	t.Helper()
	if _, err := healthpb.NewHealthClient(cc).Check(guarded(t), &healthpb.HealthCheckRequest{}, opts...); err != nil {
		return "", err
	}
	return <-l.by, nil
}

func TestWhatTakesTheLane(t *testing.T) {
	for _, test := range []struct {
		name           string
		accepts, dials bool
		shape          shape
		dial           []grpc.DialOption
		call           []grpc.CallOption
		want           string
	}{
		{name: "both sides may", accepts: true, dials: true, want: "lane"},
		{name: "multiplexed", accepts: true, dials: true, shape: shape{mux: true}, want: "lane"},
		{name: "on tcp", accepts: true, dials: true, shape: shape{network: "tcp"}, want: "lane"},
		{name: "with TLS", accepts: true, dials: true, shape: shape{tls: true}, want: "lane"},
		{name: "with TLS, multiplexed", accepts: true, dials: true, shape: shape{tls: true, mux: true}, want: "lane"},
		{name: "with TLS, who accepts may not", dials: true, shape: shape{tls: true}, want: "gRPC"},
		{name: "with TLS, who dials may not", accepts: true, shape: shape{tls: true}, want: "gRPC"},
		{name: "with TLS, a call that the lane does not know", accepts: true, dials: true, shape: shape{tls: true}, call: []grpc.CallOption{grpc.CallContentSubtype("proto")}, want: "gRPC"},
		{name: "who accepts may not", dials: true, want: "gRPC"},
		{name: "who dials may not", accepts: true, want: "gRPC"},
		{name: "who dials may not, multiplexed", accepts: true, shape: shape{mux: true}, want: "gRPC"},
		{name: "a dial with options", accepts: true, dials: true, dial: []grpc.DialOption{grpc.WithUserAgent("me")}, want: "gRPC"},
		{name: "a call that the lane does not know", accepts: true, dials: true, call: []grpc.CallOption{grpc.CallContentSubtype("proto")}, want: "gRPC"},
	} {
		t.Run(test.name, func(t *testing.T) {
			lanes := []bool{test.accepts, test.dials}
			test.shape.change = func(cfg *broker.Config) { cfg.Lane, lanes = lanes[0], lanes[1:] } // connect makes the host first
			accepts, dials := connect(t, test.shape)
			service := teller{by: make(chan string, 1)}
			go func() { _ = accepts.AcceptAndServe(context.Background(), 1, service.service()) }() // until the broker closes
			cc, err := dials.Dial(guarded(t), 1, test.dial...)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = cc.Close() }()
			if got, err := service.call(t, cc, test.call...); err != nil || got != test.want {
				t.Errorf("the call came by %q (%v), want %q", got, err, test.want)
			}
		})
	}
}

// Who accepts with a server of its own is spoken to in gRPC.
func TestAcceptIsNotOnTheLane(t *testing.T) {
	accepts, dials := connect(t, shape{})
	l, err := accepts.Accept(guarded(t), 1)
	if err != nil {
		t.Fatal(err)
	}
	service, server := teller{by: make(chan string, 1)}, grpc.NewServer()
	healthpb.RegisterHealthServer(server, service)
	served := make(chan error, 1)
	go func() { served <- server.Serve(l) }()
	cc, err := dials.Dial(guarded(t), 1)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := service.call(t, cc); err != nil || got != "gRPC" {
		t.Errorf("the call came by %q (%v), want gRPC", got, err)
	}
	_ = cc.Close()
	server.Stop()
	<-served
}

// cutter is a listener whose connections a test can cut.
type cutter struct {
	net.Listener
	mu    sync.Mutex
	conns []net.Conn
}

func (c *cutter) Accept() (net.Conn, error) {
	conn, err := c.Listener.Accept()
	if err == nil {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.conns = append(c.conns, conn)
	}
	return conn, err
}

func (c *cutter) cut() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, conn := range c.conns {
		_ = conn.Close()
	}
}

// As without the lane, a connection that breaks is made anew.
func TestLaneIsCut(t *testing.T) {
	var listeners []*cutter
	accepts, dials := connect(t, shape{change: func(cfg *broker.Config) {
		listen := cfg.Listen
		cfg.Listen = func() (net.Listener, error) {
			l, err := listen()
			listeners = append(listeners, &cutter{Listener: l})
			return listeners[len(listeners)-1], err
		}
	}})
	service := teller{by: make(chan string, 1)}
	go func() { _ = accepts.AcceptAndServe(context.Background(), 1, service.service()) }() // until the broker closes
	cc, err := dials.Dial(guarded(t), 1)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = cc.Close() }()
	if got, err := service.call(t, cc); err != nil || got != "lane" {
		t.Fatalf("the call came by %q (%v), want the lane", got, err)
	}
	listeners[0].cut()
	got, err := service.call(t, cc)
	for until := guarded(t); err != nil && until.Err() == nil; { // calls fail until the loss is noticed
		got, err = service.call(t, cc)
	}
	if err != nil || got != "gRPC" {
		t.Errorf("after the cut the call came by %q (%v), want gRPC", got, err)
	}
}

func BenchmarkBrokeredCall(b *testing.B) {
	for name, lane := range map[string]bool{"lane": true, "grpc": false} {
		b.Run(name, func(b *testing.B) {
			accepts, dials := connect(b, shape{change: func(cfg *broker.Config) { cfg.Lane = lane }})
			stop := serve(b, accepts, 1)
			cc, err := dials.Dial(guarded(b), 1)
			if err != nil {
				b.Fatal(err)
			}
			client := healthpb.NewHealthClient(cc)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := client.Check(b.Context(), &healthpb.HealthCheckRequest{}); err != nil {
					b.Fatal(err)
				}
			}
			_ = cc.Close()
			_ = stop()
		})
	}
}
