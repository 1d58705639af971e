package broker_test

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"go.uber.org/goleak"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/health"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"

	"github.com/plugingen/plugingen/runtime"
	"github.com/plugingen/plugingen/runtime/broker"
	"github.com/plugingen/plugingen/runtime/handshake"
	"github.com/plugingen/plugingen/runtime/internal/mtls"
	"github.com/plugingen/plugingen/runtime/transport"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// guarded ends a test that hangs.
func guarded(t testing.TB) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	t.Cleanup(cancel)
	return ctx
}

func silent() *slog.Logger { return slog.New(slog.DiscardHandler) }

func shortDir(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "pg") //nolint:usetesting // a socket's path must be short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

// plugin is the plugin's half on a socket, for any number of hosts.
type plugin struct {
	broker *broker.Broker
	addr   string
	cfg    broker.Config
	dir    string // where all sockets are
}

// shape is what a pair of halves may differ in.
type shape struct {
	mux, tls bool
	network  string
	change   func(*broker.Config) // of both sides
}

func (s shape) config(dir string) broker.Config {
	network := s.network
	if network == "" {
		network = handshake.Unix
	}
	cfg := broker.Config{
		Listen: func() (net.Listener, error) {
			return transport.Listen(transport.ListenConfig{Network: network, Dir: dir})
		},
		Lane:    true,
		Logger:  silent(),
		Timeout: time.Minute, // a busy machine may take longer than the five seconds that are usual
	}
	if s.change != nil {
		s.change(&cfg)
	}
	return cfg
}

// identities are the TLS configurations of a plugin's and a host's broker.
func identities(t testing.TB) (plugin, host [2]*tls.Config) {
	t.Helper()
	p, err := mtls.New()
	if err != nil {
		t.Fatal(err)
	}
	h, err := mtls.New()
	if err != nil {
		t.Fatal(err)
	}
	return [2]*tls.Config{p.Server(h.DER()), p.Client(h.DER())}, [2]*tls.Config{h.Server(p.DER()), h.Client(p.DER())}
}

// servePlugin serves the plugin's half, and what register registers beside it.
func servePlugin(t testing.TB, s shape, cfg broker.Config, dir string, register func(*grpc.Server, *broker.Broker)) *plugin {
	t.Helper()
	l, err := transport.Listen(transport.ListenConfig{Network: handshake.Unix, Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	addr := l.Addr().String()
	end := l.Close
	if s.mux {
		m := broker.NewMuxListener(l, silent())
		cfg.Mux, l, end = m, m, m.End
	}
	p := &plugin{broker: broker.New(cfg), addr: addr, cfg: cfg, dir: dir}
	l = p.broker.Listener(l)
	server := grpc.NewServer()
	p.broker.Register(server)
	if register != nil {
		register(server, p.broker)
	}
	served := make(chan error, 1)
	go func() { served <- server.Serve(l) }()
	t.Cleanup(func() {
		if err := p.broker.Close(); err != nil {
			t.Errorf("close the plugin's broker: %v", err)
		}
		_ = end()
		server.Stop()
		<-served
	})
	return p
}

// attach connects a host's half to p.
func attach(t testing.TB, s shape, p *plugin, cfg broker.Config) (*broker.Broker, *grpc.ClientConn) {
	t.Helper()
	b, cc, stop := attachOnce(t, s, p, cfg)
	t.Cleanup(stop)
	return b, cc
}

// attachOnce leaves the end to the caller, who may come to it more than once.
func attachOnce(t testing.TB, s shape, p *plugin, cfg broker.Config) (*broker.Broker, *grpc.ClientConn, func()) {
	t.Helper()
	dial := func(ctx context.Context) (net.Conn, error) { return transport.Dial(ctx, handshake.Unix, p.addr) }
	end := func() {}
	if s.mux {
		m := broker.NewMuxDialer(dial, silent())
		cfg.Mux, dial = m, m.Dial
		end = func() { _ = m.Close() }
	}
	cc, err := grpc.NewClient("passthrough:///localhost",
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return dial(ctx) }))
	if err != nil {
		t.Fatal(err)
	}
	b := broker.New(cfg)
	ran := make(chan error, 1)
	go func() { ran <- b.Run(context.Background(), cc) }()
	return b, cc, func() {
		_ = b.Close()
		if err := <-ran; err != nil {
			t.Errorf("run: %v", err)
		}
		ran <- nil
		_ = cc.Close()
		end()
	}
}

// connect makes both halves.
func connect(t testing.TB, s shape) (host, plugin *broker.Broker) {
	t.Helper()
	dir := shortDir(t)
	hostCfg, pluginCfg := s.config(dir), s.config(dir)
	if s.tls {
		p, h := identities(t)
		pluginCfg.ServerTLS, pluginCfg.ClientTLS = p[0], p[1]
		hostCfg.ServerTLS, hostCfg.ClientTLS = h[0], h[1]
	}
	p := servePlugin(t, s, pluginCfg, dir, nil)
	host, _ = attach(t, s, p, hostCfg)
	return host, p.broker
}

// healthy is what brokered connections serve in these tests.
func healthy() runtime.Implementation {
	return runtime.Raw("grpc.health.v1.Health", func(r grpc.ServiceRegistrar) { healthpb.RegisterHealthServer(r, health.NewServer()) })
}

func check(t testing.TB, cc grpc.ClientConnInterface) {
	t.Helper()
	if _, err := healthpb.NewHealthClient(cc).Check(guarded(t), &healthpb.HealthCheckRequest{}); err != nil {
		t.Errorf("call: %v", err)
	}
}

// serve runs AcceptAndServe; what it returns stops it and returns its error.
func serve(t testing.TB, b *broker.Broker, id uint32) (stop func() error) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- b.AcceptAndServe(ctx, id, healthy()) }()
	t.Cleanup(cancel)
	return func() error {
		cancel()
		select {
		case err := <-done:
			return err
		case <-time.After(time.Minute):
			return errors.New("AcceptAndServe does not return")
		}
	}
}

func sockets(t testing.TB, dir string) []string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil {
		t.Fatal(err)
	}
	return found
}
