package transport_test

import (
	"path/filepath"
	"testing"

	"github.com/plugingen/plugingen/runtime/transport"
)

// TestSocketDirInMemory: nothing is made on a disk that nobody has asked for.
func TestSocketDirInMemory(t *testing.T) {
	want := transport.SharedMemory()
	if want == "" {
		t.Skip("there is no folder in memory that would be better than the one for temporary files")
	}
	t.Setenv("TMPDIR", "")
	t.Setenv("XDG_RUNTIME_DIR", "")
	if got := filepath.Dir(newSocketDir(t, "", "").Path()); got != want {
		t.Errorf("a folder in %s, want %s", got, want)
	}
	asked := shortDir(t)
	t.Setenv("TMPDIR", asked)
	if got := filepath.Dir(newSocketDir(t, "", "").Path()); got != asked {
		t.Errorf("with TMPDIR a folder in %s, want %s", got, asked)
	}
}
