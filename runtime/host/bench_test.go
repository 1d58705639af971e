//go:build unix

package host_test

import (
	"context"
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
	for _, mode := range []host.TLSMode{host.TLSAuto, host.TLSMutual} { // auto is plain here
		b.Run("TLS "+mode.String(), func(b *testing.B) {
			cfg := benchConfig()
			cfg.TLS = mode
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

func BenchmarkUnaryCall(b *testing.B) {
	p, err := host.Open(b.Context(), benchConfig())
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = p.Close() }()
	in, out := wrapperspb.String("hello"), &wrapperspb.StringValue{}
	b.Run("1 caller", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if err := p.Conn().Invoke(b.Context(), "/test.Deeds/Do", in, out); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("64 callers", func(b *testing.B) {
		b.ReportAllocs()
		b.SetParallelism(32) // for each of the processors
		b.RunParallel(func(pb *testing.PB) {
			out := &wrapperspb.StringValue{}
			for pb.Next() {
				if err := p.Conn().Invoke(context.Background(), "/test.Deeds/Do", in, out); err != nil {
					b.Error(err)
					return
				}
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
				cfg.TLS = mode
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
