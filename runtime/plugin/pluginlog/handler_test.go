package pluginlog_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"math"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"testing/slogtest"
	"time"

	"github.com/plugingen/plugingen/runtime/plugin/pluginlog"
)

// at is when every record of these tests is made.
func at() time.Time { return time.Date(2026, 1, 2, 15, 4, 5, 6789, time.FixedZone("", 3600)) }

// written is what a handler makes of a record, without what each line begins with.
func written(t *testing.T, with func(slog.Handler) slog.Handler, attrs ...slog.Attr) string {
	t.Helper()
	var out bytes.Buffer
	h := slog.Handler(pluginlog.NewHandler(&out, pluginlog.Options{}))
	if with != nil {
		h = with(h)
	}
	r := slog.NewRecord(at(), slog.LevelInfo, "m", 0)
	r.AddAttrs(attrs...)
	if err := h.Handle(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	rest, ok := strings.CutPrefix(out.String(), `{"@level":"info","@message":"m","@timestamp":"2026-01-02T15:04:05.000006+01:00"`)
	if !ok || !strings.HasSuffix(rest, "}\n") {
		t.Fatalf("line %q", out.String())
	}
	return strings.TrimSuffix(rest, "}\n")
}

type valuer struct{ v slog.Value }

func (v valuer) LogValue() slog.Value { return v.v }

type panicking struct{}

func (panicking) LogValue() slog.Value { panic("no value today") }

type badJSON struct{ panics bool }

func (b *badJSON) MarshalJSON() ([]byte, error) {
	if b.panics {
		panic("no JSON today")
	}
	return nil, errors.New("no JSON ever")
}

type jsonError struct{}

func (jsonError) Error() string                { return "text" }
func (jsonError) MarshalJSON() ([]byte, error) { return []byte("{\n\"code\": 7 }"), nil }

func TestValues(t *testing.T) {
	for name, tt := range map[string]struct {
		value any
		want  string
	}{
		"string":                    {"a \"b\" \\ \n\r\t\x01 <&> ü \u2028", "\"a \\\"b\\\" \\\\ \\n\\r\\t\\u0001 <&> ü \u2028\""},
		"empty":                     {"", `""`},
		"not UTF-8":                 {"a\xffb\xe2\x82", "\"a\ufffdb\ufffd\ufffd\""},
		"int":                       {int64(math.MinInt64), "-9223372036854775808"},
		"uint":                      {uint64(math.MaxUint64), "18446744073709551615"},
		"float":                     {0.1, "0.1"},
		"float that is an integer":  {3.0, "3.0"},
		"large float":               {1e300, "1e+300"},
		"negative zero":             {math.Copysign(0, -1), "-0.0"},
		"NaN":                       {math.NaN(), `"NaN"`},
		"infinity":                  {math.Inf(1), `"+Inf"`},
		"negative infinity":         {math.Inf(-1), `"-Inf"`},
		"bool":                      {true, "true"},
		"duration":                  {1500 * time.Millisecond, `"1.5s"`},
		"time":                      {at(), `"2026-01-02T15:04:05.000006789+01:00"`},
		"nil":                       {nil, "null"},
		"error":                     {errors.New("it \"broke\""), `"it \"broke\""`},
		"error that writes JSON":    {jsonError{}, `{"code":7}`},
		"text marshaler":            {netip.MustParseAddr("192.0.2.1"), `"192.0.2.1"`},
		"bytes":                     {[]byte("abc"), `"YWJj"`},
		"slice":                     {[]string{"<a>", "b"}, `["<a>","b"]`},
		"struct":                    {struct{ A int }{1}, `{"A":1}`},
		"nil pointer with a method": {(*badJSON)(nil), "null"},
		"broken JSON":               {&badJSON{}, `"!ERROR:json: error calling MarshalJSON for type *pluginlog_test.badJSON: no JSON ever"`},
		"panicking JSON":            {&badJSON{panics: true}, `"!PANIC: no JSON today"`},
		"channel":                   {make(chan int), `"!ERROR:json: unsupported type: chan int"`},
		"NaN within":                {[]float64{1, math.NaN()}, `"!ERROR:json: unsupported value: NaN"`},
		"valuer":                    {valuer{slog.AnyValue(valuer{slog.IntValue(7)})}, "7"},
	} {
		t.Run(name, func(t *testing.T) {
			if got, want := written(t, nil, slog.Any("k", tt.value)), `,"k":`+tt.want; got != want {
				t.Errorf("got  %s\nwant %s", got, want)
			}
		})
	}
	t.Run("panicking valuer", func(t *testing.T) {
		if got := written(t, nil, slog.Any("k", panicking{})); !strings.Contains(got, "no value today") && !strings.Contains(got, "panic") {
			t.Errorf("got %s", got)
		}
	})
}

func TestKeys(t *testing.T) {
	in := func(group string) func(slog.Handler) slog.Handler {
		return func(h slog.Handler) slog.Handler { return h.WithGroup(group) }
	}
	for name, tt := range map[string]struct {
		with  func(slog.Handler) slog.Handler
		attrs []slog.Attr
		want  string
	}{
		"order and doubles": {nil, []slog.Attr{slog.Int("b", 1), slog.Int("a", 2), slog.Int("b", 3)}, `,"b":1,"a":2,"b":3`},
		"own keys": {
			nil,
			[]slog.Attr{slog.Int("@level", 1), slog.Int("@message", 2), slog.Int("@timestamp", 3), slog.Int("@module", 4), slog.Int("@caller", 5)},
			`,"@level_":1,"@message_":2,"@timestamp_":3,"@module_":4,"@caller_":5`,
		},
		"own key in a group":  {in("g"), []slog.Attr{slog.Int("@level", 1)}, `,"g.@level":1`},
		"escaped":             {in("g\"\xff"), []slog.Attr{slog.Int("a\n\xff", 1)}, ",\"g\\\"\ufffd.a\\n\ufffd\":1"},
		"group":               {nil, []slog.Attr{slog.Group("g", "a", 1, slog.Group("h", "b", 2)), slog.Int("c", 3)}, `,"g.a":1,"g.h.b":2,"c":3`},
		"inlined group":       {nil, []slog.Attr{slog.Group("", "a", 1)}, `,"a":1`},
		"own key, inlined":    {nil, []slog.Attr{slog.Group("", "@level", 1)}, `,"@level_":1`},
		"empty group":         {nil, []slog.Attr{slog.Group("g"), {}}, ``},
		"valuer with a group": {nil, []slog.Attr{slog.Any("g", valuer{slog.GroupValue(slog.Int("a", 1))})}, `,"g.a":1`},
		"empty name of group": {in(""), []slog.Attr{slog.Int("a", 1)}, `,"a":1`},
		"empty key":           {nil, []slog.Attr{slog.Int("", 1)}, `,"":1`},
		"with": {
			func(h slog.Handler) slog.Handler {
				return h.WithAttrs([]slog.Attr{slog.Int("a", 1)}).WithGroup("g").WithAttrs([]slog.Attr{slog.Int("b", 2)}).WithGroup("h")
			},
			[]slog.Attr{slog.Int("c", 3)},
			`,"a":1,"g.b":2,"g.h.c":3`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			if got := written(t, tt.with, tt.attrs...); got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
		})
	}
}

// Two handlers made from one do not write into each other's attributes.
func TestWithDoesNotShare(t *testing.T) {
	var out bytes.Buffer
	one := pluginlog.NewHandler(&out, pluginlog.Options{}).WithAttrs([]slog.Attr{slog.Int("base", 0)})
	left, right := one.WithAttrs([]slog.Attr{slog.Int("left", 1)}), one.WithAttrs([]slog.Attr{slog.Int("right", 2)})
	slog.New(left).Info("m")
	slog.New(right).Info("m")
	lines := strings.Split(out.String(), "\n")
	if !strings.HasSuffix(lines[0], `"base":0,"left":1}`) || !strings.HasSuffix(lines[1], `"base":0,"right":2}`) {
		t.Errorf("lines %q", lines)
	}
}

func TestLevels(t *testing.T) {
	for level, want := range map[slog.Level]string{
		-100:                  `"trace","level_name":"DEBUG-96"`,
		pluginlog.LevelTrace:  `"trace"`,
		slog.LevelDebug - 1:   `"trace","level_name":"DEBUG-1"`,
		slog.LevelDebug:       `"debug"`,
		slog.LevelInfo - 1:    `"debug","level_name":"DEBUG+3"`,
		slog.LevelInfo:        `"info"`,
		slog.LevelInfo + 2:    `"info","level_name":"INFO+2"`,
		slog.LevelWarn:        `"warn"`,
		slog.LevelError:       `"error"`,
		slog.LevelError + 100: `"error","level_name":"ERROR+100"`,
	} {
		var out bytes.Buffer
		h := pluginlog.NewHandler(&out, pluginlog.Options{})
		if err := h.Handle(t.Context(), slog.NewRecord(time.Time{}, level, "", 0)); err != nil {
			t.Fatal(err)
		}
		if got, want := strings.Replace(out.String(), `,"@message":""`, "", 1), `{"@level":`+want+"}\n"; got != want {
			t.Errorf("%v: got %s, want %s", level, got, want)
		}
	}
}

func TestLevelOption(t *testing.T) {
	var least slog.LevelVar
	least.Set(slog.LevelWarn)
	h := pluginlog.NewHandler(io.Discard, pluginlog.Options{Level: &least})
	if h.Enabled(t.Context(), slog.LevelInfo) || !h.Enabled(t.Context(), slog.LevelWarn) {
		t.Error("info is written, or warn is not")
	}
	least.Set(slog.LevelDebug)
	if !h.WithGroup("g").Enabled(t.Context(), slog.LevelDebug) {
		t.Error("the level did not change with its variable")
	}
	if all := pluginlog.NewHandler(io.Discard, pluginlog.Options{}); !all.Enabled(t.Context(), -1000) {
		t.Error("a level is left out by default")
	}
}

// A timestamp that no host could read would make the whole line a text.
func TestOddTimes(t *testing.T) {
	for _, odd := range []time.Time{{}, time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(-1, 1, 1, 0, 0, 0, 0, time.UTC)} {
		var out bytes.Buffer
		if err := pluginlog.NewHandler(&out, pluginlog.Options{}).Handle(t.Context(), slog.NewRecord(odd, 0, "m", 0)); err != nil {
			t.Fatal(err)
		}
		if got, want := out.String(), `{"@level":"info","@message":"m"}`+"\n"; got != want {
			t.Errorf("%v: %s, want %s", odd, got, want)
		}
	}
}

func TestModuleAndCaller(t *testing.T) {
	var out bytes.Buffer
	log := slog.New(pluginlog.NewHandler(&out, pluginlog.Options{Module: "plugin.http", AddSource: true}))
	log.Info("m")
	var line map[string]any
	if err := json.Unmarshal(out.Bytes(), &line); err != nil {
		t.Fatal(err)
	}
	caller, _ := line["@caller"].(string)
	if line["@module"] != "plugin.http" || !strings.Contains(caller, "/handler_test.go:") {
		t.Errorf("line %s", &out)
	}
}

// writes counts what a writer is given at once.
type writes struct {
	mu    sync.Mutex
	lines []string
	err   error
}

func (w *writes) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.lines = append(w.lines, string(p))
	return len(p), w.err
}

func TestOneWriteForEachRecord(t *testing.T) {
	var w writes
	log := slog.New(pluginlog.NewHandler(&w, pluginlog.Options{}))
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for i := range 100 {
				log.Info("m", "i", i, "text", strings.Repeat("x", i*i))
			}
		})
	}
	all.Wait()
	if len(w.lines) != 800 {
		t.Errorf("%d writes, want 800", len(w.lines))
	}
	for _, line := range w.lines {
		if !json.Valid([]byte(line)) || strings.Count(line, "\n") != 1 {
			t.Fatalf("line %q", line)
		}
	}
}

func TestErrorOfTheWriter(t *testing.T) {
	broken := errors.New("broken")
	err := pluginlog.NewHandler(&writes{err: broken}, pluginlog.Options{}).Handle(t.Context(), slog.Record{})
	if !errors.Is(err, broken) {
		t.Errorf("%v, want %v", err, broken)
	}
}

// slog's own rules for handlers. Groups are put together again, and keys get slog's names.
func TestSlogRules(t *testing.T) {
	var out bytes.Buffer
	slogtest.Run(t, func(*testing.T) slog.Handler {
		out.Reset()
		return pluginlog.NewHandler(&out, pluginlog.Options{})
	}, func(t *testing.T) map[string]any {
		var line map[string]any
		if err := json.Unmarshal(out.Bytes(), &line); err != nil {
			t.Fatal(err)
		}
		return nested(line)
	})
}

func nested(line map[string]any) map[string]any {
	names := map[string]string{"@message": slog.MessageKey, "@level": slog.LevelKey, "@timestamp": slog.TimeKey}
	all := map[string]any{}
	for key, value := range line {
		if name, own := names[key]; own {
			key = name
		}
		at, path := all, strings.Split(key, ".")
		for _, group := range path[:len(path)-1] {
			if at[group] == nil {
				at[group] = map[string]any{}
			}
			at = at[group].(map[string]any)
		}
		at[path[len(path)-1]] = value
	}
	return all
}

func TestAllocations(t *testing.T) {
	h := pluginlog.NewHandler(io.Discard, pluginlog.Options{})
	r := slog.NewRecord(at(), slog.LevelInfo, "request served", 0)
	r.AddAttrs(slog.String("method", "GET"), slog.Int("status", 200), slog.Bool("ok", true), slog.Float64("share", 0.5))
	if got := testing.AllocsPerRun(1000, func() { _ = h.Handle(context.Background(), r) }); got > 1 {
		t.Errorf("%v allocations for a simple record, want 1 at most", got)
	}
}

// withoutTime is for output that must not change.
type withoutTime struct{ slog.Handler }

func (h withoutTime) Handle(ctx context.Context, r slog.Record) error {
	r.Time = time.Time{}
	return h.Handler.Handle(ctx, r)
}
