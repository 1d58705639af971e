package interop

import (
	"log/slog"
	"testing"

	"github.com/plugingen/plugingen/golden/interop/peers/goplugin/goplug"
	"github.com/plugingen/plugingen/golden/interop/peers/goplugin/work"
	"github.com/plugingen/plugingen/runtime/host"
)

// BenchmarkStart goes from the start of the process to the first answer and to its end, with the same binary as every plugin.
// Compare the ratios of one run. The binary links both runtimes, so each start pays for the other one's as well.
func BenchmarkStart(b *testing.B) {
	for _, tls := range []bool{false, true} {
		for _, mode := range []string{"ours", "go-plugin"} {
			request := work.Request{TLS: tls, Job: work.Negotiate, Command: []string{self(b)}, Env: pluginEnv(b.TempDir(), mode)}
			way := title(work.Request{TLS: tls, Job: work.Everything})
			b.Run(mode+" under ours, "+way, func(b *testing.B) { startOurs(b, request) })
			b.Run(mode+" under go-plugin, "+way, func(b *testing.B) { startTheirs(b, request) })
		}
	}
}

func startOurs(b *testing.B, request work.Request) {
	cfg := ourHost{request: request}.config()
	cfg.Logger, cfg.Stdout, cfg.Stderr = slog.New(slog.DiscardHandler), nil, nil
	for b.Loop() {
		p, err := host.Open(b.Context(), cfg)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := work.Double(b.Context(), p.Conn()); err != nil {
			b.Fatal(err)
		}
		if err := p.Close(); err != nil {
			b.Fatal(err)
		}
	}
}

func startTheirs(b *testing.B, request work.Request) {
	for b.Loop() {
		if r, err := goplug.Run(b.Context(), request); err != nil || r.Error != "" {
			b.Fatal(r.Error, err)
		}
	}
}
