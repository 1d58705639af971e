//go:build unix

package tree_test

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/plugingen/plugingen/generator/tree"
)

// Each prepare puts something into the target that would lead a write outside or make it hang.
func TestHostileTarget(t *testing.T) {
	link := func(target, name string) func(t *testing.T, dir, outside string) {
		return func(t *testing.T, dir, outside string) {
			to := target
			if to == "" {
				to = outside
			}
			if err := os.Symlink(to, filepath.Join(dir, name)); err != nil {
				t.Fatal(err)
			}
		}
	}
	cases := map[string]func(t *testing.T, dir, outside string){
		"folder is a link outside":       link("", "sub"),
		"folder is a link to the parent": link("..", "sub"),
		"folder is a link to nowhere":    link("nowhere", "sub"),
		"folder is a link to itself":     link("sub", "sub"),
		"folder is a link to / and back": link("/etc", "sub"),
		"file is a link outside":         func(t *testing.T, dir, outside string) { fileLink(t, dir, filepath.Join(outside, "victim")) },
		"file is a link to a new file":   func(t *testing.T, dir, outside string) { fileLink(t, dir, filepath.Join(outside, "new")) },
		"file is a link inside":          func(t *testing.T, dir, outside string) { write(t, dir, "inside", "x"); fileLink(t, dir, "../inside") },
		"file is a named pipe":           func(t *testing.T, dir, _ string) { pipe(t, filepath.Join(dir, "sub", "file")) },
		"file is a folder":               func(t *testing.T, dir, _ string) { write(t, dir, "sub/file/x", "x") },
		"folder is a file":               func(t *testing.T, dir, _ string) { write(t, dir, "sub", "x") },
	}
	for name, prepare := range cases {
		t.Run(name, func(t *testing.T) {
			dir, outside := t.TempDir(), t.TempDir()
			write(t, outside, "victim", "precious")
			prepare(t, dir, outside)
			before, beforeOutside := snapshotLinks(t, dir), snapshot(t, outside)
			wanted := newTree(t,
				tree.File{Path: "first", Data: []byte("x")},
				tree.File{Path: "sub/file", Data: []byte("x"), Owner: tree.Generated},
			)
			plan, err := wanted.Plan(dir)
			if err == nil {
				err = plan.Commit(tree.CommitOptions{Force: true})
			}
			if !errors.Is(err, tree.ErrConflict) {
				t.Fatalf("Commit: %v, want ErrConflict", err)
			}
			if after := snapshotLinks(t, dir); len(after) != len(before) {
				t.Errorf("in the folder: %v, want %v", after, before)
			}
			if after := snapshot(t, outside); len(after) != len(beforeOutside) || after["victim"] != "precious" {
				t.Errorf("outside: %v, want %v", after, beforeOutside)
			}
		})
	}
}

// snapshotLinks lists what is in the folder without opening anything: there may be a pipe.
func snapshotLinks(t *testing.T, dir string) []string {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil {
		t.Fatal(err)
	}
	below, err := filepath.Glob(filepath.Join(dir, "*", "*"))
	if err != nil {
		t.Fatal(err)
	}
	return append(names, below...)
}

func fileLink(t *testing.T, dir, target string) {
	t.Helper()
	if err := os.Mkdir(filepath.Join(dir, "sub"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(target, filepath.Join(dir, "sub", "file")); err != nil {
		t.Fatal(err)
	}
}

func pipe(t *testing.T, name string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mkfifo(name, 0o600); err != nil {
		t.Fatal(err)
	}
}

// A link that stays inside is the user's way to arrange the project.
func TestFolderLinkInside(t *testing.T) {
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "real"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("real", filepath.Join(dir, "sub")); err != nil {
		t.Fatal(err)
	}
	if err := mustPlan(t, newTree(t, tree.File{Path: "sub/file", Data: []byte("x")}), dir).Commit(tree.CommitOptions{}); err != nil {
		t.Fatal(err)
	}
	expect(t, dir, map[string]string{"real": "folder", "real/file": "x", "sub": "-> real"})
}

// A commit that fails half way leaves nothing of itself. The second file's folder is not writable.
func TestFailedCommitIsUndone(t *testing.T) {
	if os.Getuid() == 0 {
		t.Skip("root may write everywhere")
	}
	dir := t.TempDir()
	write(t, dir, "closed/x.go", header+"old")
	plan := mustPlan(t, newTree(t,
		tree.File{Path: "a/b/new.go", Data: []byte("new")},
		tree.File{Path: "closed/x.go", Data: []byte(header + "new"), Owner: tree.Generated},
	), dir)
	if err := os.Chmod(filepath.Join(dir, "closed"), 0o555); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.Chmod(filepath.Join(dir, "closed"), 0o755) })
	if err := plan.Commit(tree.CommitOptions{}); err == nil {
		t.Fatal("Commit succeeded")
	}
	expect(t, dir, map[string]string{"closed": "folder", "closed/x.go": header + "old"})
}
