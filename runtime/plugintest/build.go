package plugintest

import (
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"
)

// busyTimeout bounds the wait for a program that another process still holds open for writing.
const busyTimeout = 10 * time.Second

// Build builds the main package in the folder pkgDir with the go command, and returns the program's path; it is removed
// when the test ends. A relative pkgDir starts at the test's folder.
func Build(t testing.TB, pkgDir string) string {
	t.Helper()
	dir, err := filepath.Abs(pkgDir)
	if err != nil {
		t.Fatalf("plugintest: build %s: %v", pkgDir, err)
	}
	program := filepath.Join(t.TempDir(), filepath.Base(dir)+suffix())
	cmd := exec.CommandContext(t.Context(), "go", "build", "-o", program, ".")
	cmd.Dir = dir
	if output, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("plugintest: go build in %s: %v\n%s", dir, err, strings.TrimSpace(string(output)))
	}
	awaitReady(t, program)
	return program
}

func suffix() string {
	if runtime.GOOS == "windows" {
		return ".exe"
	}
	return ""
}

// awaitReady waits until nobody holds program open for writing: a process that was forked while it was being written does
// so for a moment, and until then starting it fails with "text file busy".
func awaitReady(t testing.TB, program string) {
	t.Helper()
	deadline := time.NewTimer(busyTimeout)
	defer deadline.Stop()
	again := time.NewTicker(time.Millisecond) // nothing tells when it is over
	defer again.Stop()
	for isBusy(program) {
		select {
		case <-again.C:
		case <-deadline.C:
			t.Fatalf("plugintest: %s is still being written after %s", program, busyTimeout)
		}
	}
}
