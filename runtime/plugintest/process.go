package plugintest

import (
	"log/slog"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/plugingen/plugingen/runtime/handshake"
	"github.com/plugingen/plugingen/runtime/host"
	"github.com/plugingen/plugingen/runtime/plugin"
)

// pluginEnv tells the test binary that it is to be the plugin.
const pluginEnv = "PLUGINGEN_TEST_PLUGIN"

// Main makes the test binary a plugin when Open has started it, and runs the tests otherwise. It returns the code to exit with:
//
//	func TestMain(m *testing.M) {
//		os.Exit(plugintest.Main(m, config()))
//	}
func Main(m *testing.M, cfg plugin.Config) int {
	if os.Getenv(pluginEnv) == "" {
		return m.Run()
	}
	_ = os.Unsetenv(pluginEnv) // what the plugin starts is not the plugin
	return plugin.Main(cfg)
}

// Open starts this test binary as a plugin, in a process of its own, under a real host. Its TestMain must call Main.
// What the plugin logs is in the test's log. The plugin is closed when the test ends, and the test fails when it does not
// stop in good order; one that the test itself has ended before is all right.
func Open(t testing.TB, hs handshake.Config) *host.Plugin {
	t.Helper()
	if os.Getenv(pluginEnv) != "" {
		t.Fatal("plugintest: Open runs inside the plugin: TestMain must call plugintest.Main, before it does anything else")
	}
	path, err := os.Executable()
	if err != nil {
		t.Fatalf("plugintest: find the test binary: %v", err)
	}
	// Without GORACE, each plugin of a test with -race would sleep for a second before it exits.
	p, err := host.Open(t.Context(), host.Config{
		Handshake: hs,
		Path:      path,
		Args:      []string{"-test.run=^$"}, // without Main it must not run the tests, which would start it again
		Env:       []string{pluginEnv + "=1", "GORACE=" + strings.TrimSpace(os.Getenv("GORACE")+" atexit_sleep_ms=0")},
		Logger:    logger(t),
	})
	if err != nil {
		t.Fatalf("plugintest: start this test binary as a plugin (does TestMain call plugintest.Main?): %v", err)
	}
	t.Cleanup(func() { closePlugin(t, p) })
	return p
}

func closePlugin(t testing.TB, p *host.Plugin) {
	select {
	case <-p.Done():
		_ = p.Close()
		return
	default:
	}
	if err := p.Close(); err != nil {
		t.Errorf("plugintest: close the plugin: %v", err)
	}
}

// logger writes to the test's log while the test runs; afterwards that would end the test binary.
func logger(t testing.TB) *slog.Logger {
	w := &testLog{t: t}
	t.Cleanup(w.close)
	return slog.New(slog.NewTextHandler(w, &slog.HandlerOptions{Level: slog.LevelDebug}))
}

type testLog struct {
	mu     sync.Mutex
	t      testing.TB
	closed bool
}

func (w *testLog) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed {
		return len(p), nil
	}
	return w.t.Output().Write(p)
}

func (w *testLog) close() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.closed = true
}
