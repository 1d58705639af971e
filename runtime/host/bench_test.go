//go:build unix

package host_test

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"testing"

	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/plugingen/plugingen/runtime/host"
)

func benchConfig() host.Config {
	return host.Config{
		Handshake: testHandshake(),
		Path:      os.Args[0],
		Env:       []string{faultEnv + "=good"},
		Logger:    slog.New(slog.DiscardHandler),
	}
}

// BenchmarkOpenClose starts this test binary, which links more than a plugin does.
func BenchmarkOpenClose(b *testing.B) {
	for name, change := range map[string]func(*host.Config){
		"lane":       func(*host.Config) {},
		"gRPC":       func(c *host.Config) { c.Lane = host.LaneOff },
		"mutual TLS": tlsMutual,
	} {
		b.Run(name, func(b *testing.B) {
			cfg := benchConfig()
			change(&cfg)
			b.ReportAllocs()
			for b.Loop() {
				p, err := host.Open(b.Context(), cfg)
				if err != nil {
					b.Fatal(err)
				}
				if err := p.Close(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkUnaryCall compares the tiers. Compare within one run.
func BenchmarkUnaryCall(b *testing.B) {
	for _, change := range []func(*host.Config){
		func(*host.Config) {},
		func(c *host.Config) { c.Lane = host.LaneOff },
		tlsMutual,
		func(c *host.Config) { c.TLS, c.Lane = host.TLSMutual, host.LaneOff },
	} {
		cfg := benchConfig()
		change(&cfg)
		p, err := host.Open(b.Context(), cfg)
		if err != nil {
			b.Fatal(err)
		}
		defer func() { _ = p.Close() }()
		b.Run(fmt.Sprintf("%v, TLS %v", p.Tier(), cfg.TLS), func(b *testing.B) { benchCalls(b, p) })
	}
}

func benchCalls(b *testing.B, p *host.Plugin) {
	call := func(ctx context.Context, b *testing.B, deed string) {
		out := &wrapperspb.StringValue{}
		if err := p.Conn().Invoke(ctx, "/test.Deeds/Do", wrapperspb.String(deed), out); err != nil {
			b.Error(err)
		}
	}
	for name, deed := range map[string]string{"1 caller": "hello", "answer of 1 MiB": "big"} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				call(context.Background(), b, deed)
			}
		})
	}
	b.Run("1 caller, with a deadline", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			ctx, cancel := context.WithTimeout(context.Background(), roomy)
			call(ctx, b, "hello")
			cancel()
		}
	})
	b.Run("64 callers", func(b *testing.B) {
		b.ReportAllocs()
		b.SetParallelism(32) // for each of the processors
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				call(context.Background(), b, "hello")
			}
		})
	})
}

// BenchmarkProtection is what TLS costs beside a private socket, call by call. Compare within one run.
func BenchmarkProtection(b *testing.B) {
	for _, mode := range []host.TLSMode{host.TLSAuto, host.TLSMutual} { // auto is plain here
		for _, deed := range []string{"hello", "big"} { // an answer of 5 bytes, and of 1 MiB
			b.Run(deed+", TLS "+mode.String(), func(b *testing.B) {
				cfg := benchConfig()
				cfg.TLS, cfg.Lane = mode, host.LaneOff
				p, err := host.Open(b.Context(), cfg)
				if err != nil {
					b.Fatal(err)
				}
				defer func() { _ = p.Close() }()
				in, out := wrapperspb.String(deed), &wrapperspb.StringValue{}
				b.ReportAllocs()
				for b.Loop() {
					if err := p.Conn().Invoke(b.Context(), "/test.Deeds/Do", in, out); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
