package plugin_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"sync"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/plugingen/plugingen/runtime"
	"github.com/plugingen/plugingen/runtime/handshake"
	"github.com/plugingen/plugingen/runtime/internal/wire"
	"github.com/plugingen/plugingen/runtime/plugin"
	"github.com/plugingen/plugingen/runtime/transport"
)

// serveAttachable serves until stop is called, which returns how it ended.
func serveAttachable(t *testing.T, cfg plugin.Config) (to handshake.Attachment, stop func() error) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	ready, ended := make(chan handshake.Attachment, 1), make(chan error, 1)
	go func() { ended <- plugin.ServeAttachable(ctx, cfg, func(a handshake.Attachment) { ready <- a }) }()
	stop = sync.OnceValue(func() error {
		cancel()
		return <-ended
	})
	t.Cleanup(func() { _ = stop() })
	select {
	case to := <-ready:
		return to, stop
	case err := <-ended:
		cancel()
		t.Fatal(err)
		return to, stop
	}
}

func visit(t *testing.T, to handshake.Attachment) *grpc.ClientConn {
	t.Helper()
	cc, err := grpc.NewClient("passthrough:///plugin", grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) {
			return transport.Dial(ctx, to.Network, to.Address)
		}))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cc.Close() })
	return cc
}

// TestAttachable has hosts that come, ask for the end, and go, and two plugins in one process.
func TestAttachable(t *testing.T) {
	first, stopFirst := serveAttachable(t, versioned(2, 1, 3))
	second, _ := serveAttachable(t, config())
	if first.ProtocolVersion != 3 || first.PID != os.Getpid() || !first.Test || first.TLS != handshake.TLSNone || first.Address == second.Address {
		t.Errorf("descriptions %s and %s", first, second)
	}
	for range 2 {
		for _, to := range []handshake.Attachment{first, second} {
			cc := visit(t, to)
			if got := do(t, cc, "hello"); got != "hello" {
				t.Errorf("got %q", got)
			}
			if err := wire.Shutdown(guarded(t), cc); err != nil {
				t.Errorf("shutdown: %v", err)
			}
			_ = cc.Close()
		}
	}
	if err := stopFirst(); err != nil {
		t.Errorf("the end: %v", err)
	}
	if _, err := os.Lstat(first.Address); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the socket is left: %v", err)
	}
	if got := do(t, visit(t, second), "hello"); got != "hello" {
		t.Errorf("the other plugin: %q", got)
	}
}

// TestAttachableStopsWithVisitors has hosts that hold a stream of prints, and a call, when it ends.
func TestAttachableStopsWithVisitors(t *testing.T) {
	to, stop := serveAttachable(t, config())
	cc := visit(t, to)
	do(t, cc, "hello")
	var reading sync.WaitGroup
	reading.Go(func() {
		_ = wire.ReadStdio(guarded(t), cc, func(wire.StdioData_Channel, []byte) { t.Error("something was printed") })
	})
	if err := stop(); err != nil {
		t.Error(err)
	}
	reading.Wait()
}

func TestAttachableConfig(t *testing.T) {
	none := func(handshake.Attachment) { t.Error("it is ready") }
	if err := plugin.ServeAttachable(t.Context(), plugin.Config{}, none); err == nil {
		t.Error("no error")
	}
	cfg := config()
	cfg.Services = map[int][]runtime.Implementation{1: {echoImplementation(), echoImplementation()}}
	if err := plugin.ServeAttachable(t.Context(), cfg, none); err == nil {
		t.Error("no error")
	}
}

// A plugin in a program of its own kind: another process attaches with the description.
func ExampleServeAttachable() {
	ctx, cancel := context.WithCancel(context.Background())
	err := plugin.ServeAttachable(ctx, plugin.Config{
		Handshake: handshake.Config{MagicCookieKey: "GREETER_PLUGIN", MagicCookieValue: "8f14e45f"},
		Services:  map[int][]runtime.Implementation{1: {echoImplementation()}},
	}, func(a handshake.Attachment) {
		fmt.Println(a.Protocol, a.ProtocolVersion, a.MagicCookieKey, a.Test) // a.String() is for the host
		cancel()
	})
	fmt.Println(err)
	// Output:
	// grpc 1 GREETER_PLUGIN true
	// <nil>
}
