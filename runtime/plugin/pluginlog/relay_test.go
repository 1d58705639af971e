package pluginlog_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/plugingen/plugingen/runtime/plugin/pluginlog"
	"github.com/plugingen/plugingen/runtime/relay"
)

// kept is a handler that keeps its records.
type kept struct{ records []slog.Record }

func (k *kept) Enabled(context.Context, slog.Level) bool { return true }
func (k *kept) Handle(_ context.Context, r slog.Record) error {
	k.records = append(k.records, r)
	return nil
}
func (k *kept) WithAttrs([]slog.Attr) slog.Handler { return k }
func (k *kept) WithGroup(string) slog.Handler      { return k }

// relayed is what a host's relay makes of what a plugin writes.
func relayed(t *testing.T, written []byte) []slog.Record {
	t.Helper()
	k := &kept{}
	if err := relay.New(relay.Config{Logger: slog.New(k)}).Run(bytes.NewReader(written)); err != nil {
		t.Fatal(err)
	}
	return k.records
}

// A host made with this module gets the plugin's record back: level, time, message, and attributes with order and type.
func TestRelayed(t *testing.T) {
	var out bytes.Buffer
	log := slog.New(pluginlog.NewHandler(&out, pluginlog.Options{})).With("first", "x").WithGroup("g")
	r := slog.NewRecord(at(), slog.LevelWarn, "disk is \"nearly\" full\n", 0)
	r.AddAttrs(slog.Int64("int", math.MinInt64), slog.Uint64("uint", math.MaxUint64), slog.Float64("float", 3), slog.Bool("bool", true),
		slog.Duration("took", time.Second), slog.Any("err", errors.New("e")), slog.Any("nil", nil), slog.Any("object", map[string]int{"a": 1}))
	if err := log.Handler().Handle(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	got := relayed(t, out.Bytes())
	if len(got) != 1 {
		t.Fatalf("%d records out of %q", len(got), out.String())
	}
	if !got[0].Time.Equal(at().Truncate(time.Microsecond)) || got[0].Level != slog.LevelWarn || got[0].Message != `disk is "nearly" full\n` {
		t.Errorf("record %v %v %q", got[0].Time, got[0].Level, got[0].Message)
	}
	want := []slog.Attr{
		slog.String("first", "x"), slog.Int64("g.int", math.MinInt64), slog.Uint64("g.uint", math.MaxUint64), slog.Float64("g.float", 3),
		slog.Bool("g.bool", true), slog.String("g.took", "1s"), slog.String("g.err", "e"), slog.Any("g.nil", nil), slog.Group("g.object", "a", int64(1)),
	}
	var attrs []slog.Attr
	got[0].Attrs(func(a slog.Attr) bool { attrs = append(attrs, a); return true })
	if !slices.EqualFunc(attrs, want, slog.Attr.Equal) {
		t.Errorf("got  %v\nwant %v", attrs, want)
	}
}

// A level that hclog has no name for stays known.
func TestRelayedLevels(t *testing.T) {
	var out bytes.Buffer
	log := slog.New(pluginlog.NewHandler(&out, pluginlog.Options{}))
	log.Log(t.Context(), pluginlog.LevelTrace, "t")
	log.Log(t.Context(), slog.LevelInfo+2, "n")
	got := relayed(t, out.Bytes())
	if len(got) != 2 || got[0].Level != relay.LevelTrace || got[1].Level != slog.LevelInfo {
		t.Fatalf("records %v", got)
	}
	got[1].Attrs(func(a slog.Attr) bool {
		if a.Key != "level_name" || a.Value.String() != "INFO+2" {
			t.Errorf("attribute %v", a)
		}
		return true
	})
}

// FuzzHandle: whatever is logged, each record is one line that both makes of host read as a record, with what it held.
func FuzzHandle(f *testing.F) {
	f.Add("message", "group", "key", "value", 1.5, int64(7), 0)
	f.Add("\xff\n\x1b[2J\u2028", "@level", "@message", "a\x00b", math.Inf(-1), int64(-1), 3)
	f.Add("", "", "@level", "info", math.NaN(), int64(math.MaxInt64), -8)
	f.Add("m", "", "@timestamp", "\U0001f469\xf0\x9f", 1e21, int64(math.MinInt64), 8)
	f.Fuzz(func(t *testing.T, message, group, key, text string, number float64, integer int64, level int) {
		var out bytes.Buffer
		r := slog.NewRecord(at(), slog.Level(level), message, 0)
		r.AddAttrs(slog.Int64(key, integer), slog.Group(group, key, text), slog.Any(key, []string{text}))
		h := pluginlog.NewHandler(&out, pluginlog.Options{Module: text}).WithAttrs([]slog.Attr{slog.Float64(key, number)})
		if err := h.Handle(t.Context(), r); err != nil {
			t.Fatal(err)
		}
		checkGoPlugin(t, out.Bytes())
		got := relayed(t, out.Bytes())
		if len(out.Bytes()) < 64<<10 && (len(got) != 1 || got[0].Message != relay.Escape(string([]rune(message)))) {
			t.Errorf("records %v out of %q", got, out.Bytes())
		}
	})
}

// checkGoPlugin asks what go-plugin's host asks of a line before it takes it for a record. It does not ask whether the three
// are strings, and crashes.
func checkGoPlugin(t *testing.T, line []byte) {
	t.Helper()
	var raw map[string]any
	if err := json.Unmarshal(line, &raw); err != nil || bytes.Count(line, []byte("\n")) != 1 || line[len(line)-1] != '\n' {
		t.Fatalf("not one JSON line: %v: %q", err, line)
	}
	message, isText := raw["@message"].(string)
	level, _ := raw["@level"].(string)
	stamp, _ := raw["@timestamp"].(string)
	if _, err := time.Parse("2006-01-02T15:04:05.000000Z07:00", stamp); err != nil || !isText ||
		!slices.Contains([]string{"trace", "debug", "info", "warn", "error"}, level) {
		t.Errorf("message %q, level %q, timestamp %q: %v", message, level, stamp, err)
	}
}
