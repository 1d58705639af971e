package interop

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"
	goplugin "github.com/hashicorp/go-plugin"

	"github.com/plugingen/plugingen/golden/interop/peers/goplugin/goplug"
	"github.com/plugingen/plugingen/golden/interop/peers/goplugin/work"
	"github.com/plugingen/plugingen/runtime/handshake"
	"github.com/plugingen/plugingen/runtime/host"
	"github.com/plugingen/plugingen/runtime/plugin/pluginlog"
	"github.com/plugingen/plugingen/runtime/relay"
)

// serveLogging is our plugin, which logs with slog as the main of a generated plugin does.
func serveLogging() int {
	log := slog.New(pluginlog.NewHandler(os.Stderr, pluginlog.Options{Module: "ours.http"}))
	log.Log(context.Background(), pluginlog.LevelTrace, "a trace")
	log.Debug("a debug line")
	log.Info("request served", "method", "GET", "status", 200, "ok", true, "took", 1500*time.Millisecond, slog.Group("client", "name", "ada"))
	log.Warn("own keys", "@level", 7, "@message", 8, "@timestamp", 9) // as numbers these would crash a host of go-plugin
	log.Error("it broke \x1b[2J\n", "error", errors.New("no such table"))
	return serveOurPlugin()
}

// serveGoLogging is go-plugin's plugin, which logs with hclog.
func serveGoLogging() {
	log := hclog.New(&hclog.LoggerOptions{Name: "theirs.http", JSONFormat: true, Level: hclog.Trace, Output: os.Stderr})
	log.Trace("a trace")
	log.Debug("a debug line")
	log.Info("request served", "method", "GET", "status", 200, "ok", true, "share", 0.5)
	log.Warn("a warning")
	log.Error("it broke \x1b[2J\n", "error", errors.New("no such table"))
	goplug.Serve()
}

// A host of go-plugin shows what our plugin logs with slog: level, message and pairs.
func TestOurLogsUnderGoPluginHost(t *testing.T) {
	tmp := shortTemp(t)
	cmd := exec.Command(self(t))
	cmd.Env = pluginEnv(tmp, "logging")
	log := work.NewOutput()
	client := goplugin.NewClient(&goplugin.ClientConfig{
		HandshakeConfig:  goplug.Handshake(),
		Plugins:          goplug.Set(),
		Cmd:              cmd,
		AllowedProtocols: []goplugin.Protocol{goplugin.ProtocolGRPC},
		Logger:           hclog.New(&hclog.LoggerOptions{Output: log, Level: hclog.Trace, JSONFormat: true}),
	})
	defer client.Kill()
	if _, err := client.Client(); err != nil {
		t.Fatalf("start: %v\nlog: %s", err, log)
	}
	client.Kill() // by then it has read standard error to its end

	for _, want := range []map[string]any{
		{"@level": "trace", "@message": "a trace"},
		{"@level": "debug", "@message": "a debug line"},
		{"@level": "info", "@message": "request served", "method": "GET", "status": 200.0, "ok": true, "took": "1.5s", "client.name": "ada"},
		{"@level": "warn", "@message": "own keys", "@level_": 7.0, "@message_": 8.0, "@timestamp_": 9.0},
		{"@level": "error", "@message": "it broke \x1b[2J\n", "error": "no such table"},
	} {
		line := hclogLine(t, log.String(), want["@message"].(string))
		for key, value := range want {
			if line[key] != value {
				t.Errorf("%q: %s is %v, want %v", want["@message"], key, line[key], value)
			}
		}
		stamp, _ := line["timestamp"].(string)
		if at, err := time.Parse(hclog.TimeFormat, stamp); err != nil || at.Year() < 2026 {
			t.Errorf("%q: the plugin's time is %q: %v", want["@message"], stamp, err)
		}
	}
	checkStopped(t, cmd, tmp)
}

// hclogLine finds the record with the message.
func hclogLine(t *testing.T, log, message string) map[string]any {
	t.Helper()
	for text := range strings.Lines(log) {
		var line map[string]any
		if err := json.Unmarshal([]byte(text), &line); err != nil {
			t.Fatalf("log %q: %v", text, err)
		}
		if line["@message"] == message {
			return line
		}
	}
	t.Fatalf("no record %q in the log:\n%s", message, log)
	return nil
}

// records keeps what a host logs.
type records struct {
	mu  sync.Mutex
	all []slog.Record
}

func (*records) Enabled(context.Context, slog.Level) bool { return true }

func (r *records) Handle(_ context.Context, record slog.Record) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.all = append(r.all, record.Clone())
	return nil
}

func (r *records) WithAttrs([]slog.Attr) slog.Handler { return r }
func (r *records) WithGroup(string) slog.Handler      { return r }

func (r *records) find(t *testing.T, message string) slog.Record {
	t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, record := range r.all {
		if record.Message == message {
			return record
		}
	}
	t.Fatalf("no record %q in %v", message, r.all)
	return slog.Record{}
}

// Our host shows what a plugin of either make logs, with level, message, and attributes in their types. Order is kept
// where the plugin kept it: hclog sorts keys.
func TestLogsUnderOurHost(t *testing.T) {
	for _, tt := range []struct {
		mode, broken string
		served       []slog.Attr
	}{
		{"logging", `it broke \x1b[2J\n`, []slog.Attr{
			slog.String("@module", "ours.http"), slog.String("method", "GET"), slog.Int("status", 200), slog.Bool("ok", true),
			slog.String("took", "1.5s"), slog.String("client.name", "ada"),
		}},
		{"go-logging", `it broke \x1b[2J\n`, []slog.Attr{
			slog.String("@module", "theirs.http"), slog.String("method", "GET"), slog.Bool("ok", true), slog.Float64("share", 0.5), slog.Int("status", 200),
		}},
	} {
		t.Run(tt.mode, func(t *testing.T) {
			log := logged(t, tt.mode)
			for level, message := range map[slog.Level]string{
				relay.LevelTrace: "a trace", slog.LevelDebug: "a debug line", slog.LevelInfo: "request served", slog.LevelError: tt.broken,
			} {
				if got := log.find(t, message); got.Level != level || time.Since(got.Time) > time.Hour {
					t.Errorf("%q has level %v and time %v, want %v and now", message, got.Level, got.Time, level)
				}
			}
			var attrs []slog.Attr
			log.find(t, "request served").Attrs(func(a slog.Attr) bool { attrs = append(attrs, a); return true })
			if len(attrs) != len(tt.served) {
				t.Fatalf("attributes %v, want %v", attrs, tt.served)
			}
			for i, want := range tt.served {
				if !attrs[i].Equal(want) {
					t.Errorf("attribute %d is %v (%v), want %v", i, attrs[i], attrs[i].Value.Kind(), want)
				}
			}
		})
	}
}

// logged is what our host has logged of the plugin when it is closed.
func logged(t *testing.T, mode string) *records {
	t.Helper()
	tmp := shortTemp(t)
	log := &records{}
	cfg := hostConfig(t, mode, tmp)
	cfg.Logger = slog.New(log)
	cfg.Handshake.Transports = []string{handshake.Unix}
	p, err := host.Open(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Close(); err != nil {
		t.Errorf("close: %v", err)
	}
	checkEmpty(t, tmp)
	return log
}
