package transport_test

import (
	"testing"

	"github.com/plugingen/plugingen/runtime/transport"
)

func BenchmarkListen(b *testing.B) {
	for _, network := range networks() {
		b.Run(network, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				l, err := transport.Listen(transport.ListenConfig{Network: network})
				if err != nil {
					b.Fatal(err)
				}
				if err := l.Close(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkDial(b *testing.B) {
	for _, network := range networks() {
		b.Run(network, func(b *testing.B) {
			l := listen(b, transport.ListenConfig{Network: network})
			b.ReportAllocs()
			for b.Loop() {
				conn, err := transport.Dial(b.Context(), network, l.Addr().String())
				if err != nil {
					b.Fatal(err)
				}
				there, err := l.Accept()
				if err != nil {
					b.Fatal(err)
				}
				_, _ = conn.Close(), there.Close()
			}
		})
	}
}
