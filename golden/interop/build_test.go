package interop

import (
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
)

// programs are built once for all tests, when one needs them.
var programs builder

// builder builds programs into a folder of its own.
type builder struct {
	mu    sync.Mutex
	dir   string
	built map[string]func() ([]byte, error)
}

// goPlugin returns the peer made with go-plugin of the version.
func (b *builder) goPlugin(t *testing.T, version string) string {
	t.Helper()
	return b.program(t, "go-plugin-"+version, "peers/goplugin", "-modfile=go-plugin-"+version+".mod", ".")
}

// program returns the program that go build makes in folder, of what args say.
func (b *builder) program(t *testing.T, name, folder string, args ...string) string {
	t.Helper()
	path, build := b.once(t, name, func(path string) ([]byte, error) {
		cmd := exec.Command("go", append([]string{"build", "-o", path}, args...)...) // not for one test alone, so without its context
		cmd.Dir = filepath.FromSlash(folder)
		return cmd.CombinedOutput()
	})
	if out, err := build(); err != nil {
		t.Fatalf("build %s: %v\n%s", name, err, out)
	}
	return path
}

// once returns where the program is, or will be once the function has been called.
func (b *builder) once(t *testing.T, name string, build func(path string) ([]byte, error)) (string, func() ([]byte, error)) {
	t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.dir == "" {
		dir, err := os.MkdirTemp("", "interop") //nolint:usetesting // it is for all tests
		if err != nil {
			t.Fatal(err)
		}
		b.dir, b.built = dir, map[string]func() ([]byte, error){}
	}
	path := filepath.Join(b.dir, name)
	if b.built[name] == nil {
		b.built[name] = sync.OnceValues(func() ([]byte, error) { return build(path) })
	}
	return path, b.built[name]
}

// remove removes all programs.
func (b *builder) remove() {
	if b.dir != "" {
		_ = os.RemoveAll(b.dir)
	}
}
