package process

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// TestNoExec has a script whose copy lies, or which lies itself, where nothing may be executed.
func TestNoExec(t *testing.T) {
	dir := t.TempDir()
	if err := unix.Mount("none", dir, "tmpfs", unix.MS_NOEXEC, "size=1m"); err != nil {
		t.Skip("only root may mount:", err)
	}
	t.Cleanup(func() { _ = unix.Unmount(dir, unix.MNT_DETACH) })
	script := filepath.Join(t.TempDir(), "script")
	program(t, "script echo", script)
	copies := filepath.Join(dir, "copies")
	_, err := Start(t.Context(), Config{Path: script, Sum: sumOf(t, script), Folder: func() (string, func() error, error) {
		return copies, func() error { return os.RemoveAll(copies) }, os.Mkdir(copies, 0o700)
	}})
	e, ok := errors.AsType[*StartError](err)
	if !ok || !errors.Is(err, ErrNotExecutable) || !strings.Contains(e.Hint, "TMPDIR") || exists(copies) {
		t.Errorf("%v; copy left: %v", err, exists(copies))
	}
	for _, kind := range []string{"script echo", "binary echo"} {
		there := filepath.Join(dir, "program")
		program(t, kind, there)
		if _, err := Start(t.Context(), Config{Path: there, Sum: sumOf(t, there)}); !errors.Is(err, ErrNotExecutable) {
			t.Errorf("%s: %v, want ErrNotExecutable, as without a checksum", kind, err)
		}
		_ = os.Remove(there)
	}
}
