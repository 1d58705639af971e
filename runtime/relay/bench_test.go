package relay_test

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"log/slog"
	"os"
	"testing"

	"github.com/plugingen/plugingen/runtime/relay"
)

const (
	textLine  = "2 of 17 files were copied to the cache; the others are there already and have not changed since then\n"
	slogLine  = `{"time":"2026-11-23T05:02:12.123456789Z","level":"INFO","msg":"request served","method":"GET","path":"/v1/items/42","status":200,"bytes":5123,"ok":true}` + "\n"
	hclogLine = `{"@level":"info","@message":"request served","@module":"plugin.http","@timestamp":"2026-11-23T05:02:12.123456Z","method":"GET","status":200,"took":"1.2ms"}` + "\n"
)

// discard takes every record at or above its level, and does nothing with it: what is measured is the relay.
type discard slog.Level

func (d discard) Enabled(_ context.Context, l slog.Level) bool { return l >= slog.Level(d) }
func (discard) Handle(context.Context, slog.Record) error      { return nil }
func (d discard) WithAttrs([]slog.Attr) slog.Handler           { return d }
func (d discard) WithGroup(string) slog.Handler                { return d }

// BenchmarkRelay compares with BenchmarkFloor: a scanner that throws the same lines away.
func BenchmarkRelay(b *testing.B) {
	json := slog.NewJSONHandler(io.Discard, //nolint:sloglint // formatting is what is measured
		&slog.HandlerOptions{Level: relay.LevelTrace})
	for _, c := range []struct {
		name    string
		line    string
		handler slog.Handler
	}{
		{"text/filtered", textLine, discard(slog.LevelWarn)},
		{"text/emitted", textLine, discard(slog.LevelInfo)},
		{"text/emitted-JSONHandler", textLine, json},
		{"slog/filtered", slogLine, discard(slog.LevelWarn)},
		{"slog/emitted", slogLine, discard(slog.LevelInfo)},
		{"slog/emitted-JSONHandler", slogLine, json},
		{"hclog/filtered", hclogLine, discard(slog.LevelWarn)},
		{"hclog/emitted", hclogLine, discard(slog.LevelInfo)},
		{"hclog/emitted-JSONHandler", hclogLine, json},
	} {
		b.Run(c.name, func(b *testing.B) {
			b.SetBytes(int64(len(c.line)))
			b.ReportAllocs()
			r := relay.New(relay.Config{Logger: slog.New(c.handler), Stream: "stderr"})
			if err := r.Run(repeat(c.line, b.N)); err != nil {
				b.Fatal(err)
			}
		})
	}
}

// BenchmarkPipe is BenchmarkRelay over a pipe of the system, written to in pieces of 64 KiB.
func BenchmarkPipe(b *testing.B) {
	for name, min := range map[string]slog.Level{"filtered": slog.LevelWarn, "emitted": slog.LevelInfo} {
		b.Run("hclog/"+name, func(b *testing.B) {
			b.SetBytes(int64(len(hclogLine)))
			b.ReportAllocs()
			src, plugin, err := os.Pipe()
			if err != nil {
				b.Fatal(err)
			}
			go func() {
				_, _ = io.Copy(struct{ io.Writer }{plugin}, repeat(hclogLine, b.N))
				plugin.Close()
			}()
			if err := relay.New(relay.Config{Logger: slog.New(discard(min))}).Run(src); err != nil {
				b.Fatal(err)
			}
		})
	}
}

func BenchmarkFloor(b *testing.B) {
	for name, line := range map[string]string{"text": textLine, "slog": slogLine, "hclog": hclogLine} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(line)))
			b.ReportAllocs()
			for s := bufio.NewScanner(repeat(line, b.N)); s.Scan(); {
			}
		})
	}
}

// repeat is a reader of n lines, as many whole ones at a time as a pipe would give.
func repeat(line string, n int) io.Reader {
	return &repeater{block: bytes.Repeat([]byte(line), 64<<10/len(line)), left: n * len(line)}
}

type repeater struct {
	block []byte
	at    int
	left  int
}

func (r *repeater) Read(p []byte) (int, error) {
	if r.left == 0 {
		return 0, io.EOF
	}
	n := copy(p[:min(len(p), r.left)], r.block[r.at:])
	r.at = (r.at + n) % len(r.block)
	r.left -= n
	return n, nil
}
