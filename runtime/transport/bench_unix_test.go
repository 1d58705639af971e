//go:build unix

package transport_test

import (
	"testing"

	"github.com/plugingen/plugingen/runtime/transport"
)

func BenchmarkSocketDir(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		dir, err := transport.NewSocketDir("", "")
		if err != nil {
			b.Fatal(err)
		}
		if err := dir.Remove(); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkListenInDir(b *testing.B) {
	dir := newSocketDir(b, "", "")
	b.ReportAllocs()
	for b.Loop() {
		l, err := transport.Listen(transport.ListenConfig{Network: "unix", Dir: dir.Path()})
		if err != nil {
			b.Fatal(err)
		}
		if err := l.Close(); err != nil {
			b.Fatal(err)
		}
	}
}
