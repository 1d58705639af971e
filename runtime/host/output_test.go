//go:build unix

package host_test

import (
	"context"
	"io"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/plugingen/plugingen/runtime/host"
)

// gate is a writer and a log handler that blocks until it is opened.
type gate struct {
	open    chan struct{}
	entered chan struct{}
	once    sync.Once
}

func newGate(t *testing.T) *gate {
	g := &gate{open: make(chan struct{}), entered: make(chan struct{})}
	t.Cleanup(g.release)
	return g
}

func (g *gate) release() {
	select {
	case <-g.open:
	default:
		close(g.open)
	}
}

func (g *gate) block() {
	g.once.Do(func() { close(g.entered) })
	<-g.open
}

func (g *gate) Write(p []byte) (int, error) {
	g.block()
	return len(p), nil
}

func (g *gate) Enabled(context.Context, slog.Level) bool { return true }

func (g *gate) Handle(context.Context, slog.Record) error {
	g.block()
	return nil
}

func (g *gate) WithAttrs([]slog.Attr) slog.Handler { return g }

func (g *gate) WithGroup(string) slog.Handler { return g }

func TestLoggerBlocks(t *testing.T) { // row 17
	for _, fault := range []string{"stderr-flood", "stderr-bigline"} {
		t.Run(fault, func(t *testing.T) {
			s := newStage(t)
			g := newGate(t)
			cfg := s.config(fault)
			cfg.Logger = slog.New(g)
			p := s.open(cfg)
			await(t, g.entered, "a record")
			mustDo(t, p, "still there") // nor does it hold up the plugin
			if err := p.Close(); err != nil {
				t.Errorf("close: %v", err)
			}
			g.release()
		})
	}
}

func TestLoggerBlocksAtStart(t *testing.T) { // row 17
	s := newStage(t)
	g := newGate(t)
	cfg := s.config("exit")
	cfg.Logger = slog.New(g)
	e := s.openFails(t.Context(), cfg)
	if e.ExitCode != 3 || !strings.Contains(strings.Join(e.Stderr, "\n"), "boom") {
		t.Errorf("exit code %d, stderr %q", e.ExitCode, e.Stderr)
	}
	g.release()
}

func TestWriterBlocks(t *testing.T) { // row 17
	s := newStage(t)
	g := newGate(t)
	cfg := s.config("printing")
	cfg.Stdout = g
	p := s.open(cfg)
	await(t, g.entered, "a write")
	if err := p.Close(); err != nil {
		t.Errorf("close: %v", err)
	}
	s.log.await(t, "the host's writer blocks")
	g.release()
}

func TestPrintsAreLogged(t *testing.T) {
	s := newStage(t)
	s.open(s.config("printing"))
	if line := s.log.await(t, "hello from the plugin"); !strings.Contains(line, "stream=stdout") {
		t.Errorf("record %q: want the stream", line)
	}
}

func TestPrintsAreWritten(t *testing.T) {
	s := newStage(t)
	r, w := io.Pipe()
	cfg := s.config("printing")
	cfg.Stdout = w
	s.open(cfg)
	buf := make([]byte, 100)
	n, err := r.Read(buf)
	if got := string(buf[:n]); err != nil || got != "hello from the plugin\n" {
		t.Errorf("print %q, %v", got, err)
	}
	_ = r.Close()
}

func TestPrintsShareAWriter(t *testing.T) { // the race detector looks on
	s := newStage(t)
	out := &untilText{text: "hello from the plugin\nand an error\n", seen: make(chan struct{})}
	cfg := s.config("printing")
	cfg.Stdout, cfg.Stderr = out, out
	s.open(cfg)
	await(t, out.seen, "both prints")
}

// untilText is a writer that expects to be called by one goroutine at a time.
type untilText struct {
	got, text string
	seen      chan struct{}
}

func (w *untilText) Write(p []byte) (int, error) {
	w.got += string(p)
	if w.got == w.text {
		close(w.seen)
	}
	return len(p), nil
}

func TestLastWords(t *testing.T) {
	s := newStage(t)
	var out lockedBuffer
	cfg := s.config("last-words")
	cfg.Stdout = &out
	p := s.open(cfg)
	eventually(t, "the first print", func() bool { return out.String() != "" })
	if err := p.Close(); err != nil {
		t.Errorf("close: %v", err)
	}
	if got := strings.Count(out.String(), "hello from the plugin\n"); got < manyWords {
		t.Errorf("%d prints, want %d or one more", got, manyWords)
	}
}

// TestPrintsUpToTheEnd has a plugin that prints all the time, from before it serves until it has stopped.
func TestPrintsUpToTheEnd(t *testing.T) {
	s := newStage(t)
	var out lockedBuffer
	cfg := s.config("printer")
	cfg.Stdout = &out
	p := s.open(cfg)
	for range 20 {
		mustDo(t, p, "x")
	}
	if err := p.Close(); err != nil {
		t.Errorf("close: %v", err)
	}
	lines := strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
	if len(lines) < 2 {
		t.Fatalf("prints: %d lines", len(lines))
	}
	for _, line := range lines[1:] {
		if !strings.HasPrefix(line, "print ") || !strings.HasSuffix(line, strings.Repeat("p", 1<<10)) {
			t.Fatalf("a torn line of %d bytes: %.100q", len(line), line)
		}
	}
	s.log.await(t, "printed early")
}

type lockedBuffer struct {
	mu sync.Mutex
	b  strings.Builder
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

func TestEnvironment(t *testing.T) {
	for name, value := range map[string]string{
		"PLUGIN_CLIENT_CERT": "leaked", "PLUGIN_WHATEVER": "leaked", "TF_PLUGIN_MAGIC_COOKIE": "leaked",
		"HOST_TEST_COOKIE": "leaked", "HOST_TEST_SECRET": "leaked", "LC_TIME": "C", "HOST_TEST_NAMED": "named", "OTHER_A": "a",
		"VAULT_BACKEND_PLUGIN": "leaked", "OTHER_COOKIE": "leaked", "OTHER_PLUGINS": "no cookie",
	} {
		t.Setenv(name, value)
	}
	t.Run("by default", func(t *testing.T) {
		env := environOf(t, func(*host.Config) {})
		wantEnv(t, env, map[string]string{
			"HOST_TEST_COOKIE": "c0ffee", "PLUGIN_PROTOCOL_VERSIONS": "1,2", "PLUGIN_TRANSPORTS": "unix,tcp",
			"PLUGIN_MIN_PORT": "10000", "PLUGIN_MAX_PORT": "25000", "LC_TIME": "C",
		}, "PLUGIN_CLIENT_CERT", "PLUGIN_WHATEVER", "TF_PLUGIN_MAGIC_COOKIE", "HOST_TEST_SECRET", "HOST_TEST_NAMED", "OTHER_A",
			"PLUGIN_MULTIPLEX_GRPC", "PLUGIN_UNIX_SOCKET_GROUP")
		if env["PLUGIN_UNIX_SOCKET_DIR"] == "" || env["PATH"] == "" {
			t.Errorf("no socket folder or no PATH in %v", env)
		}
	})
	t.Run("by name", func(t *testing.T) {
		env := environOf(t, func(c *host.Config) {
			c.InheritEnv = []string{"HOST_TEST_NAMED", "OTHER_*", "PLUGIN_WHATEVER", "VAULT_BACKEND_PLUGIN"}
			c.Env = append(c.Env, "LC_TIME=POSIX", "PLUGIN_OF_MINE=yes")
		})
		wantEnv(t, env, map[string]string{"HOST_TEST_NAMED": "named", "OTHER_A": "a", "LC_TIME": "POSIX", "PLUGIN_OF_MINE": "yes", "VAULT_BACKEND_PLUGIN": "leaked"},
			"PLUGIN_WHATEVER", "HOST_TEST_SECRET", "OTHER_COOKIE")
	})
	t.Run("all", func(t *testing.T) {
		env := environOf(t, func(c *host.Config) { c.InheritEnv = []string{"*"} })
		wantEnv(t, env, map[string]string{"HOST_TEST_NAMED": "named", "HOST_TEST_SECRET": "leaked", "HOST_TEST_COOKIE": "c0ffee", "OTHER_PLUGINS": "no cookie"},
			"PLUGIN_CLIENT_CERT", "PLUGIN_WHATEVER", "TF_PLUGIN_MAGIC_COOKIE", "VAULT_BACKEND_PLUGIN", "OTHER_COOKIE")
	})
}

func environOf(t *testing.T, change func(*host.Config)) map[string]string {
	t.Helper()
	s := newStage(t)
	cfg := s.config("plain")
	cfg.Handshake.ProtocolVersions = []int{2, 1, 2}
	change(&cfg)
	env := map[string]string{}
	for line := range strings.Lines(mustDo(t, s.open(cfg), "env")) {
		key, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "=")
		if _, twice := env[key]; twice {
			t.Errorf("%s is there twice", key)
		}
		env[key] = value
	}
	return env
}

func wantEnv(t *testing.T, env, want map[string]string, absent ...string) {
	t.Helper()
	for key, value := range want {
		if env[key] != value {
			t.Errorf("%s is %q, want %q", key, env[key], value)
		}
	}
	for _, key := range absent {
		if value, has := env[key]; has {
			t.Errorf("%s is %q, want it away", key, value)
		}
	}
}

// TestQuietAfterClose makes sure that Close is not held up by the time that it has for plugins that do not end.
func TestQuietAfterClose(t *testing.T) {
	s := newStage(t)
	cfg := s.config("good")
	cfg.StopTimeout = 10 * time.Minute
	p := s.open(cfg)
	if err := p.Close(); err != nil {
		t.Errorf("close: %v", err)
	}
}
