//go:build unix

package host_test

import (
	"context"
	"crypto/sha512"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/plugingen/plugingen/runtime/host"
)

func checksum(t testing.TB, path string) string {
	t.Helper()
	sum, err := host.FileChecksum(path)
	if err != nil {
		t.Fatal(err)
	}
	return sum
}

func TestChecksum(t *testing.T) {
	s := newStage(t)
	cfg := s.config("good")
	content, err := os.ReadFile(cfg.Path)
	if err != nil {
		t.Fatal(err)
	}
	for _, sum := range []string{
		checksum(t, cfg.Path),
		strings.ToUpper(checksum(t, cfg.Path)),
		fmt.Sprintf("sha384:%x", sha512.Sum384(content)),
		fmt.Sprintf("sha512:%x", sha512.Sum512(content)),
	} {
		cfg.Checksum = sum
		for range 2 { // a Config may be used again
			p := s.open(cfg)
			if got := mustDo(t, p, "hello"); got != "hello" {
				t.Errorf("do: %q", got)
			}
			if err := p.Close(); err != nil {
				t.Errorf("close: %v", err)
			}
		}
	}
}

func TestChecksumOfAnother(t *testing.T) {
	s := newStage(t)
	cfg := s.config("good")
	right := checksum(t, cfg.Path)
	cfg.Checksum = "sha256:" + strings.Repeat("0", 64)
	e := s.openFails(t.Context(), cfg)
	sums, ok := errors.AsType[*host.ChecksumError](e)
	if !ok || sums.Want != cfg.Checksum || sums.Got != right || sums.Path != cfg.Path {
		t.Errorf("%+v in %v", sums, e)
	}
	if !errors.Is(e, host.ErrChecksum) || e.Stage != host.StageLaunch || e.Hint == "" || !strings.Contains(e.Error(), right) {
		t.Errorf("%v, stage %s, hint %q", e, e.Stage, e.Hint)
	}
}

// TestChecksumOfAScript has an interpreter that opens the script after it was checked and started.
func TestChecksumOfAScript(t *testing.T) {
	s := newStage(t)
	cfg := s.config("good")
	script := filepath.Join(t.TempDir(), "plugin.sh")
	if err := os.WriteFile(script, []byte("#!/bin/sh\nexec '"+cfg.Path+"'\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("TMPDIR", s.dir) // where the copy goes, and nothing may be left
	cfg.Path, cfg.Checksum = script, checksum(t, script)
	p := s.open(cfg)
	if got := mustDo(t, p, "hello"); got != "hello" || p.Name() != "plugin.sh" {
		t.Errorf("%s: do: %q", p.Name(), got)
	}
}

// TestCheckedProgram looks at what a checked program sees of itself.
func TestCheckedProgram(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("needs /proc")
	}
	s := newStage(t)
	cfg := s.config("good")
	cfg.Checksum = checksum(t, cfg.Path)
	p := s.open(cfg)
	proc := fmt.Sprintf("/proc/%d/", p.PID())
	exe, err := os.Readlink(proc + "exe")
	if err != nil || !strings.HasPrefix(exe, "/memfd:"+filepath.Base(cfg.Path)) {
		t.Errorf("it runs %s, %v; want sealed memory", exe, err)
	}
	args, err := os.ReadFile(proc + "cmdline")
	if err != nil || string(args) != cfg.Path+"\x00" {
		t.Errorf("it is called %q, %v; want %s", args, err, cfg.Path)
	}
	f, err := os.OpenFile(proc+"exe", os.O_WRONLY, 0)
	if err == nil {
		_, err = f.WriteAt([]byte("x"), 0)
		_ = f.Close()
	}
	if err == nil {
		t.Error("it was changed while it ran")
	}
}

func TestChecksumConfig(t *testing.T) {
	good := "sha256:" + strings.Repeat("0", 64)
	for _, c := range []struct {
		sum      string
		launcher host.Launcher
	}{
		{sum: "sha256"},
		{sum: strings.Repeat("0", 64)},
		{sum: "md5:" + strings.Repeat("0", 32)},
		{sum: "sha256:" + strings.Repeat("0", 62)},
		{sum: "sha256:" + strings.Repeat("x", 64)},
		{sum: "sha512:" + strings.Repeat("0", 64)},
		{sum: good, launcher: shellLauncher{}},
	} {
		_, err := host.Open(t.Context(), host.Config{Handshake: testHandshake(), Path: "/none", Checksum: c.sum, Launcher: c.launcher})
		if e := hostError(t, err); e.Stage != host.StageConfig || !strings.Contains(e.Error(), "checksum") {
			t.Errorf("%q with %T: %v", c.sum, c.launcher, err)
		}
	}
}

// BenchmarkChecksum starts this test binary with and without a check.
func BenchmarkChecksum(b *testing.B) {
	for _, sum := range []string{"", checksum(b, os.Args[0])} {
		name, _, _ := strings.Cut(sum, ":")
		b.Run("checksum "+name, func(b *testing.B) {
			cfg := benchConfig()
			cfg.Checksum = sum
			for b.Loop() {
				p, err := host.Open(b.Context(), cfg)
				if err != nil {
					b.Fatal(err)
				}
				if err := p.Close(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// What was checked is what runs, and nothing else does.
func ExampleConfig_checksum() {
	cfg := host.Config{
		Handshake: testHandshake(),
		Path:      os.Args[0],
		Env:       []string{faultEnv + "=" + "good"},
		Logger:    slog.New(slog.DiscardHandler),
	}
	sum, err := host.FileChecksum(cfg.Path) // or what sha256sum printed when the plugin was released
	if err != nil {
		panic(err)
	}
	cfg.Checksum = sum
	p, err := host.Open(context.Background(), cfg)
	if err != nil {
		panic(err)
	}
	fmt.Println(p.Close())

	cfg.Checksum = "sha256:" + strings.Repeat("0", 64)
	_, err = host.Open(context.Background(), cfg)
	fmt.Println(errors.Is(err, host.ErrChecksum))
	// Output:
	// <nil>
	// true
}

func ExampleFileChecksum() {
	dir, err := os.MkdirTemp("", "plugins")
	if err != nil {
		panic(err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	path := filepath.Join(dir, "plugin")
	if err := os.WriteFile(path, []byte("a program"), 0o700); err != nil {
		panic(err)
	}
	fmt.Println(host.FileChecksum(path))
	// Output: sha256:d69ea8cda2433733c1ce02de65da8f48e6a3dbba6bb18876a2062908e54ef7cb <nil>
}
