package handshake_test

import (
	"bufio"
	"strings"
	"testing"

	"github.com/plugingen/plugingen/runtime/handshake"
)

func benchmarkLines(b *testing.B) map[string]string {
	b.Helper()
	return map[string]string{
		"plain": "1|1|unix|/tmp/pgn-k2f-3z61-1ulajuk-3317986585/plugin-5d3p5c2cpt|grpc|\n",
		"tls":   "1|1|unix|/tmp/pgn-k2f-3z61-1ulajuk-3317986585/plugin-5d3p5c2cpt|grpc|" + rawBase64(newCertificate(b)) + "\n",
	}
}

func BenchmarkParse(b *testing.B) {
	for name, line := range benchmarkLines(b) {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := handshake.Parse(line); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkBuild(b *testing.B) {
	for name, line := range benchmarkLines(b) {
		r, err := handshake.Parse(line)
		if err != nil {
			b.Fatal(err)
		}
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := handshake.Build(r); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkRead(b *testing.B) {
	lines := benchmarkLines(b)
	lines["after 100 lines of noise"] = strings.Repeat("2026-01-01 a line of a log|with|some|pipes\n", 100) + lines["plain"]
	for name, input := range lines {
		source := strings.NewReader(input)
		r := bufio.NewReader(source)
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(input)))
			for b.Loop() {
				source.Reset(input)
				r.Reset(source)
				if _, err := handshake.Read(r, nil); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
