//go:build unix

package host_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/plugingen/plugingen/runtime/host"
)

func touch(t *testing.T, mode os.FileMode, paths ...string) {
	t.Helper()
	for _, path := range paths {
		if err := os.WriteFile(path, nil, mode); err != nil {
			t.Fatal(err)
		}
	}
}

// hostileNames are what a configuration file may say, and mean something else than a program in the folder.
func hostileNames() []string {
	return []string{
		"", ".", "..", "/", "/bin/sh", "../evil", "../../../../bin/sh", "a/../../evil", "sub/program", "./program", `..\evil`, `c:\evil`, `sub\program`,
		"program\x00", "pro\ngram", "pro\x1b[2Jgram", "pro\u202egram", "\xff", "program/", "program/.", strings.Repeat("n", 256),
	}
}

func TestLookupStaysInTheFolder(t *testing.T) {
	root := t.TempDir()
	dir := filepath.Join(root, "plugins")
	if err := os.MkdirAll(filepath.Join(dir, "sub"), 0o755); err != nil {
		t.Fatal(err)
	}
	touch(t, 0o755, filepath.Join(root, "evil"), filepath.Join(dir, "program"), filepath.Join(dir, "sub", "program"))
	for _, name := range hostileNames() {
		if path, err := host.Lookup(name, dir); !errors.Is(err, host.ErrName) || path != "" {
			t.Errorf("%.40q: %s, %v; want ErrName", name, path, err)
		} else if strings.ContainsAny(err.Error(), "\n\x1b\u202e") {
			t.Errorf("%q: the error moves the cursor", name)
		}
	}
}

func TestLookup(t *testing.T) {
	first, second := t.TempDir(), t.TempDir()
	touch(t, 0o755, filepath.Join(second, "program"), filepath.Join(second, "both"), filepath.Join(first, "both"), filepath.Join(second, "with space"))
	touch(t, 0o644, filepath.Join(first, "text"), filepath.Join(first, "program"))
	if err := errors.Join(os.Symlink("both", filepath.Join(first, "link")), os.Mkdir(filepath.Join(first, "folder"), 0o755)); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"program":    filepath.Join(second, "program"), // the first one may not be executed
		"both":       filepath.Join(first, "both"),
		"link":       filepath.Join(first, "link"),
		"with space": filepath.Join(second, "with space"),
	} {
		if got, err := host.Lookup(name, filepath.Join(first, "missing"), first, second); got != want || err != nil {
			t.Errorf("%s: %s, %v; want %s", name, got, err, want)
		}
	}
	for name, want := range map[string]error{"none": fs.ErrNotExist, "text": fs.ErrPermission, "folder": fs.ErrPermission} {
		if _, err := host.Lookup(name, first, second); !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", name, err, want)
		}
	}
}

func TestFindIn(t *testing.T) {
	first, second := t.TempDir(), t.TempDir()
	touch(t, 0o755, filepath.Join(first, "greet-b"), filepath.Join(second, "greet-b"), filepath.Join(second, "greet-a"), filepath.Join(second, "other"))
	touch(t, 0o644, filepath.Join(first, "greet-text"))
	touch(t, 0o755, filepath.Join(first, "greet-\x1b[2J"), filepath.Join(first, `greet-..\x`))
	got, err := host.FindIn("greet-*", first, filepath.Join(first, "missing"), second)
	want := []string{filepath.Join(second, "greet-a"), filepath.Join(first, "greet-b")}
	if err != nil || fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("%q, %v; want %q", got, err, want)
	}
	file := filepath.Join(first, "greet-text")
	if got, err := host.FindIn("greet-*", file, second); err == nil || len(got) != 2 {
		t.Errorf("a folder that cannot be read: %q, %v", got, err)
	}
	if _, err := host.FindIn("[", first); !errors.Is(err, filepath.ErrBadPattern) {
		t.Errorf("%v, want ErrBadPattern", err)
	}
}

// TestPatternsStayInTheFolder has patterns that name other folders.
func TestPatternsStayInTheFolder(t *testing.T) {
	root := t.TempDir()
	dir := filepath.Join(root, "plugins")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	touch(t, 0o755, filepath.Join(root, "evil"), filepath.Join(dir, "program"))
	for _, pattern := range []string{"../*", "*/../*", "..", "/bin/*", filepath.Join(root, "*"), "../evil"} {
		if got, err := host.Find(dir, pattern); len(got) > 0 || err != nil {
			t.Errorf("%s: %q, %v", pattern, got, err)
		}
	}
}

// A name from a configuration file becomes a program in the folder, or an error.
func ExampleLookup() {
	dir, err := os.MkdirTemp("", "plugins")
	if err != nil {
		panic(err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	if err := os.WriteFile(filepath.Join(dir, "english"), nil, 0o755); err != nil {
		panic(err)
	}
	path, err := host.Lookup("english", dir)
	fmt.Println(filepath.Base(path), err)
	_, err = host.Lookup("../../bin/sh", dir)
	fmt.Println(err)
	// Output:
	// english <nil>
	// find plugin "../../bin/sh": it is not the name of a program in a folder
}

func ExampleFindIn() {
	mine, systems := filepath.Join(os.TempDir(), "no-such-folder"), "/"
	found, err := host.FindIn("greet-*", mine, systems)
	fmt.Println(len(found), err)
	// Output: 0 <nil>
}
