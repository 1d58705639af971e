package lane_test

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/health"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"

	"github.com/plugingen/plugingen/runtime/internal/lane"
)

// shared is a listener on which a lane server and a gRPC server both serve health checks.
type shared struct {
	network, address string
	taken            chan net.Conn
}

func share(t *testing.T, network string) shared {
	t.Helper()
	address := "127.0.0.1:0"
	if network == "unix" {
		address = filepath.Join(t.TempDir(), "s")
	}
	l, err := net.Listen(network, address)
	if err != nil {
		t.Fatal(err)
	}
	s := shared{network, l.Addr().String(), make(chan net.Conn, 10)}
	lanes, other := lane.NewServer(lane.ServerConfig{}), grpc.NewServer()
	for _, r := range []grpc.ServiceRegistrar{lanes, other} {
		healthpb.RegisterHealthServer(r, health.NewServer())
	}
	both := lanes.Beside(l, func(c net.Conn) { s.taken <- c })
	served := make(chan error, 1)
	go func() { served <- other.Serve(both) }()
	t.Cleanup(func() {
		other.Stop()
		lanes.Stop()
		both.Wait()
		if err := <-served; err != nil {
			t.Errorf("serve: %v", err)
		}
	})
	return s
}

func (s shared) dial(t *testing.T) net.Conn {
	t.Helper()
	conn, err := net.Dial(s.network, s.address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(time.Minute))
	return conn
}

func TestBeside(t *testing.T) {
	for _, network := range []string{"unix", "tcp"} {
		t.Run(network, func(t *testing.T) {
			s := share(t, network)
			silent := s.dial(t) // holds up nobody
			cc, err := grpc.NewClient("passthrough:///x", grpc.WithTransportCredentials(insecure.NewCredentials()),
				grpc.WithContextDialer(func(context.Context, string) (net.Conn, error) { return net.Dial(s.network, s.address) }))
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = cc.Close() }()
			client := lane.NewClient(lane.NewCarrier(s.dial(t)), lane.ClientConfig{})
			defer func() { _ = client.Close() }()
			for what, conn := range map[string]grpc.ClientConnInterface{"gRPC": cc, "the lane": client} {
				if _, err := healthpb.NewHealthClient(conn).Check(t.Context(), &healthpb.HealthCheckRequest{}); err != nil {
					t.Errorf("by %s: %v", what, err)
				}
			}
			if n := len(s.taken); n != 1 {
				t.Errorf("%d connections were taken for the lane's, want 1", n)
			}
			// What begins as the lane and goes on as something else ends, as does what no call waits for.
			for _, word := range []string{"\xf0rchestra", "\xf1side" + strings.Repeat("k", lane.SideKeySize), "\xf1" + strings.Repeat("x", 100)} {
				odd := s.dial(t)
				if _, err := io.WriteString(odd, word); err != nil {
					t.Fatal(err)
				}
				if _, err := io.Copy(io.Discard, odd); errors.Is(err, os.ErrDeadlineExceeded) {
					t.Errorf("%q is kept: %v", word, err)
				}
			}
			_ = silent.Close()
		})
	}
}
