package pluginlog_test

import (
	"context"
	"io"
	"log/slog"
	"testing"

	"github.com/plugingen/plugingen/runtime/plugin/pluginlog"
)

// BenchmarkHandle compares with slog's own handler, as it is and with hclog's keys by ReplaceAttr.
func BenchmarkHandle(b *testing.B) {
	r := slog.NewRecord(at(), slog.LevelInfo, "request served", 0)
	r.AddAttrs(slog.String("method", "GET"), slog.String("path", "/v1/items/42"), slog.Int("status", 200), slog.Bool("ok", true))
	for _, c := range []struct {
		name string
		h    slog.Handler
	}{
		{"pluginlog", pluginlog.NewHandler(io.Discard, pluginlog.Options{})},
		{"JSONHandler", slog.NewJSONHandler(io.Discard, nil)},                                                    //nolint:sloglint // formatting is what is measured
		{"JSONHandler-ReplaceAttr", slog.NewJSONHandler(io.Discard, &slog.HandlerOptions{ReplaceAttr: replace})}, //nolint:sloglint // as above
	} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				_ = c.h.Handle(context.Background(), r)
			}
		})
	}
}

func replace(groups []string, a slog.Attr) slog.Attr {
	if len(groups) > 0 {
		return a
	}
	switch a.Key {
	case slog.TimeKey:
		return slog.String("@timestamp", a.Value.Time().Format("2006-01-02T15:04:05.000000Z07:00"))
	case slog.LevelKey:
		return slog.String("@level", "info")
	case slog.MessageKey:
		a.Key = "@message"
	}
	return a
}
