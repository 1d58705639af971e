package interop

import (
	"io"
	"log/slog"
	"os"
	"os/exec"
	"testing"

	"github.com/hashicorp/go-hclog"
	goplugin "github.com/hashicorp/go-plugin"
	grpctest "github.com/hashicorp/go-plugin/test/grpc"

	"github.com/plugingen/plugingen/runtime/handshake"
	"github.com/plugingen/plugingen/runtime/host"
)

// BenchmarkStart goes from the start of the process to the first answer and to its end, with the same binary as every plugin.
// Compare the ratios of one run. The binary links both runtimes, so each start pays for the other one's as well.
func BenchmarkStart(b *testing.B) {
	for _, tls := range []bool{false, true} {
		w := way{handshake.Unix, tls}
		b.Run("ours under ours, "+w.String(), func(b *testing.B) { startOurs(b, "ours", w) })
		b.Run("go-plugin under ours, "+w.String(), func(b *testing.B) { startOurs(b, "go-plugin", w) })
		b.Run("ours under go-plugin, "+w.String(), func(b *testing.B) { startTheirs(b, "ours", w) })
		b.Run("go-plugin under go-plugin, "+w.String(), func(b *testing.B) { startTheirs(b, "go-plugin", w) })
	}
}

func startOurs(b *testing.B, mode string, w way) {
	cfg := host.Config{
		Handshake: ourHandshake(),
		Path:      os.Args[0],
		Env:       []string{modeEnv + "=" + mode},
		Logger:    slog.New(slog.DiscardHandler),
		TLS:       host.TLSOff,
	}
	if w.tls {
		cfg.TLS = host.TLSMutual
	}
	for b.Loop() {
		p, err := host.Open(b.Context(), cfg)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := grpctest.NewTestClient(p.Conn()).Double(b.Context(), &grpctest.TestRequest{}); err != nil {
			b.Fatal(err)
		}
		if err := p.Close(); err != nil {
			b.Fatal(err)
		}
	}
}

func startTheirs(b *testing.B, mode string, w way) {
	for b.Loop() {
		cmd := exec.Command(os.Args[0])
		cmd.Env = []string{modeEnv + "=" + mode}
		client := goplugin.NewClient(&goplugin.ClientConfig{
			HandshakeConfig:  goHandshake(version),
			Plugins:          goplugin.PluginSet{"test": goPlugin{}},
			Cmd:              cmd,
			AutoMTLS:         w.tls,
			AllowedProtocols: []goplugin.Protocol{goplugin.ProtocolGRPC},
			Logger:           hclog.New(&hclog.LoggerOptions{Output: io.Discard, Level: hclog.Off}),
		})
		protocol, err := client.Client()
		if err != nil {
			b.Fatal(err)
		}
		dispensed, err := protocol.Dispense("test")
		if err != nil {
			b.Fatal(err)
		}
		if _, err := dispensed.(grpctest.TestClient).Double(b.Context(), &grpctest.TestRequest{}); err != nil {
			b.Fatal(err)
		}
		client.Kill()
	}
}
