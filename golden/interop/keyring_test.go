package interop

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	_ "github.com/99designs/keyring" // keeps the module in go.mod, at the version that the test asks for
)

// TestKeyring makes a plugin of an interface that somebody else published, and lets it serve that module's own implementation.
func TestKeyring(t *testing.T) {
	dir := t.TempDir()
	plugingen := filepath.Join(dir, "plugingen")
	run(t, "../..", "go", "build", "-o", plugingen, "./cmd/plugingen")
	run(t, dir, plugingen, "new", "keys", "--interface", "github.com/99designs/keyring.Keyring@v1.2.2")

	project := filepath.Join(dir, "keys")
	edit(t, filepath.Join(project, "main.go"), "&myKeyring{}", "keyring.NewArrayKeyring(nil)")
	edit(t, filepath.Join(project, "main.go"), `import (`, "import (\n\t\"github.com/99designs/keyring\"")
	roundTrip, err := os.ReadFile("testdata/roundtrip.go.txt")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(project, "roundtrip_test.go"), roundTrip, 0o644); err != nil {
		t.Fatal(err)
	}
	run(t, project, "go", "mod", "tidy", "-diff")
	run(t, project, "go", "test", "./...")
}

func run(t *testing.T, dir, name string, args ...string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
}

// edit replaces old, which must stand in the file once, by text.
func edit(t *testing.T, file, old, text string) {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(string(data), old); n != 1 {
		t.Fatalf("%s has %d of %q, want one", file, n, old)
	}
	if err := os.WriteFile(file, []byte(strings.Replace(string(data), old, text, 1)), 0o644); err != nil {
		t.Fatal(err)
	}
}
