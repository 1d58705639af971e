package interop

import (
	"context"
	"io"
	"log/slog"
	"os"
	"testing"
	"time"

	"google.golang.org/grpc"

	"github.com/plugingen/plugingen/runtime"
	"github.com/plugingen/plugingen/runtime/handshake"
	"github.com/plugingen/plugingen/runtime/host"
	"github.com/plugingen/plugingen/runtime/plugin"
)

func ourHandshake() handshake.Config {
	return handshake.Config{
		MagicCookieKey:   cookieKey,
		MagicCookieValue: cookieValue,
		ProtocolVersions: []int{version},
	}
}

// serveOurPlugin is the main of a plugin made with runtime/plugin.
func serveOurPlugin() int {
	service := testService{
		stdout: func() io.Writer { return os.Stdout },
		stderr: func() io.Writer { return os.Stderr },
	}
	raw := runtime.Raw("grpctest.Test", func(r grpc.ServiceRegistrar) { registerTest(r, service) })
	return plugin.Main(plugin.Config{
		Handshake: ourHandshake(),
		Services:  map[int][]runtime.Implementation{version: {raw}},
	})
}

// hostConfig starts this binary as the plugin that mode names.
func hostConfig(t *testing.T, mode string, log io.Writer) host.Config {
	t.Helper()
	return host.Config{
		Handshake: ourHandshake(),
		Path:      self(t),
		Env:       []string{modeEnv + "=" + mode},
		Logger:    slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	}
}

// openOurs starts the plugin that mode names under our host.
func openOurs(t *testing.T, mode string, w way, stdout, stderr, log io.Writer) *host.Plugin {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cfg := hostConfig(t, mode, log)
	cfg.Stdout, cfg.Stderr = stdout, stderr
	cfg.Handshake.Transports, cfg.TLS = []string{w.network}, host.TLSOff
	if w.tls {
		cfg.TLS = host.TLSMutual
	}
	p, err := host.Open(ctx, cfg)
	if err != nil {
		t.Fatalf("open the %s plugin: %v", mode, err)
	}
	t.Cleanup(func() { _ = p.Close() })
	return p
}
