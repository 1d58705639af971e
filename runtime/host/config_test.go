package host_test

import (
	"errors"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"

	"github.com/plugingen/plugingen/runtime/handshake"
	"github.com/plugingen/plugingen/runtime/host"
)

func TestConfigErrors(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*host.Config)
		want   string
	}{
		"no cookie key":     {func(c *host.Config) { c.Handshake.MagicCookieKey = "" }, "cookie key is not configured"},
		"no cookie value":   {func(c *host.Config) { c.Handshake.MagicCookieValue = "" }, "cookie value is not configured"},
		"no path":           {func(c *host.Config) { c.Path = "" }, "path: it is empty"},
		"NUL in path":       {func(c *host.Config) { c.Path = "a\x00b" }, "NUL"},
		"NUL in args":       {func(c *host.Config) { c.Args = []string{"\x00"} }, "NUL"},
		"transport":         {func(c *host.Config) { c.Handshake.Transports = []string{"pipe"} }, `"pipe"`},
		"start timeout":     {func(c *host.Config) { c.StartTimeout = -1 }, "start timeout"},
		"stop timeout":      {func(c *host.Config) { c.StopTimeout = -time.Second }, "stop timeout -1s"},
		"call timeout":      {func(c *host.Config) { c.CallTimeout = -1 }, "call timeout"},
		"watchdog":          {func(c *host.Config) { c.Watchdog.Interval = -1 }, "watchdog interval"},
		"watchdog's misses": {func(c *host.Config) { c.Watchdog = host.Watchdog{Interval: 1, Misses: -1} }, "watchdog misses"},
		"log rate":          {func(c *host.Config) { c.MaxLogRate = -1 }, "max log rate"},
		"message size":      {func(c *host.Config) { c.MaxMessageSize = -1 }, "max message size"},
		"huge message size": {func(c *host.Config) { c.MaxMessageSize = math.MaxInt32 + 1 }, "max message size"},
		"ports":             {func(c *host.Config) { c.MinPort, c.MaxPort = 2, 1 }, "ports 2 to 1"},
		"one port":          {func(c *host.Config) { c.MinPort = 1 }, "ports 1 to 0"},
		"high port":         {func(c *host.Config) { c.MinPort, c.MaxPort = 1, 65536 }, "ports"},
		"env":               {func(c *host.Config) { c.Env = []string{"A=1", "SECRET"} }, "entry 1 is not KEY=VALUE"},
		"env without key":   {func(c *host.Config) { c.Env = []string{"=1"} }, "entry 0"},
		"env with NUL":      {func(c *host.Config) { c.Env = []string{"A=\x00"} }, "NUL"},
		"env of protocol":   {func(c *host.Config) { c.Env = []string{"PLUGIN_CLIENT_CERT=SECRET"} }, "PLUGIN_CLIENT_CERT belongs to the protocol"},
		"env of the cookie": {func(c *host.Config) { c.Env = []string{"COOKIE=SECRET"} }, "COOKIE belongs to the protocol"},
		"no such program":   {func(c *host.Config) { c.Path = "/nonexistent" }, "no such file"},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := host.Config{Handshake: handshake.Config{MagicCookieKey: "COOKIE", MagicCookieValue: "SECRET"}, Path: "./plugin"}
			c.change(&cfg)
			_, err := host.Open(t.Context(), cfg)
			e, ok := errors.AsType[*host.Error](err)
			if !ok || e.ExitCode != -1 || e.Path != cfg.Path {
				t.Fatalf("error %#v", err)
			}
			if !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "SECRET") {
				t.Errorf("error %q: want %q in it, and no values", err, c.want)
			}
		})
	}
}

func TestConfigIsNotChanged(t *testing.T) {
	cfg := host.Config{
		Path:        "./nonexistent",
		Handshake:   handshake.Config{MagicCookieKey: "COOKIE", MagicCookieValue: "x", ProtocolVersions: []int{2, 1}},
		Env:         []string{"A=1"},
		DialOptions: make([]grpc.DialOption, 0, 4),
	}
	_, _ = host.Open(t.Context(), cfg)
	if cfg.StartTimeout != 0 || cfg.Logger != nil || !slices.Equal(cfg.Handshake.ProtocolVersions, []int{2, 1}) || !slices.Equal(cfg.Env, []string{"A=1"}) {
		t.Errorf("changed to %+v", cfg)
	}
}

func TestErrorText(t *testing.T) {
	cause := errors.New("it broke")
	e := &host.Error{Stage: host.StageRun, Path: "./p", Err: cause, Stderr: []string{"starting", "panic: oh no", "goroutine 1 [running]:", ""}}
	if got, want := e.Error(), "plugin ./p: run: it broke; it wrote: panic: oh no"; got != want || !errors.Is(e, cause) {
		t.Errorf("%q, want %q", got, want)
	}
	e = &host.Error{Stage: host.StageConfig, Err: cause, Stderr: []string{"one", "two", " "}}
	if got, want := e.Error(), "config: it broke; it wrote: two"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestFind(t *testing.T) {
	dir := t.TempDir()
	for name, mode := range map[string]os.FileMode{"plugin-b.exe": 0o755, "plugin-a.exe": 0o700, "plugin-notes.txt": 0o600, "other.exe": 0o755} {
		if err := os.WriteFile(filepath.Join(dir, name), nil, mode); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(filepath.Join(dir, "plugin-folder.exe"), 0o755); err != nil {
		t.Fatal(err)
	}
	_ = os.Symlink("plugin-a.exe", filepath.Join(dir, "plugin-link.exe")) // Windows may refuse
	_ = os.Symlink("nowhere", filepath.Join(dir, "plugin-dangling.exe"))
	for pattern, want := range map[string]string{
		"":         "other.exe plugin-a.exe plugin-b.exe plugin-link.exe",
		"plugin-*": "plugin-a.exe plugin-b.exe plugin-link.exe",
		"x*":       "",
	} {
		found, err := host.Find(dir, pattern)
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, path := range found {
			names = append(names, filepath.Base(path))
		}
		if got := strings.Join(names, " "); got != want {
			t.Errorf("find %q: %s, want %s", pattern, got, want)
		}
	}
}

func TestFindErrors(t *testing.T) {
	if _, err := host.Find(t.TempDir(), "[a"); !errors.Is(err, filepath.ErrBadPattern) {
		t.Errorf("bad pattern: %v", err)
	}
	if _, err := host.Find(filepath.Join(t.TempDir(), "missing"), ""); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("missing folder: %v", err)
	}
}
