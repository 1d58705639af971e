//go:build unix

package tree

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// shot is everything in a folder: content and permissions.
func shot(t *testing.T, dir string) map[string]string {
	t.Helper()
	found := map[string]string{}
	err := filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		if err != nil || name == dir {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		rel, _ := filepath.Rel(dir, name)
		found[filepath.ToSlash(rel)] = info.Mode().String()
		if info.Mode().IsRegular() {
			data, err := os.ReadFile(name)
			found[filepath.ToSlash(rel)] += " " + string(data)
			return err
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func lay(t *testing.T, dir, name, data string, mode fs.FileMode) {
	t.Helper()
	full := filepath.Join(dir, filepath.FromSlash(name))
	if err := errors.Join(os.MkdirAll(filepath.Dir(full), 0o755), os.WriteFile(full, []byte(data), mode), os.Chmod(full, mode)); err != nil {
		t.Fatal(err)
	}
}

func content(data string) *Content { return &Content{Data: []byte(data), Mode: 0o644} }

// change is what the tests apply: every sort of edit.
func change(t *testing.T) (dir string, edits []Edit) {
	t.Helper()
	dir = t.TempDir()
	lay(t, dir, "edited", "old", 0o640)
	lay(t, dir, "run.sh", "same", 0o644)
	lay(t, dir, "gone/deep/file", "x", 0o600)
	lay(t, dir, "half/gone", "x", 0o644)
	lay(t, dir, "half/mine", "x", 0o644)
	lay(t, dir, "file", "x", 0o644)
	lay(t, dir, "folder/a", "x", 0o644)
	lay(t, dir, "folder/b/c", "x", 0o644)
	if err := os.Chmod(filepath.Join(dir, "gone", "deep"), 0o700); err != nil {
		t.Fatal(err)
	}
	old := func(data string, mode fs.FileMode) *Content { return &Content{Data: []byte(data), Mode: mode} }
	return dir, []Edit{
		{Path: "edited", Old: old("old", 0o640), New: old("new", 0o640)},
		{Path: "run.sh", Old: old("same", 0o644), New: old("same", 0o755)},
		{Path: "gone/deep/file", Old: old("x", 0o600)},
		{Path: "half/gone", Old: old("x", 0o644)},
		{Path: "file", Old: old("x", 0o644)},
		{Path: "file/in/it", New: content("new")},
		{Path: "folder", New: content("new")},
		{Path: "folder/a", Old: old("x", 0o644)},
		{Path: "folder/b/c", Old: old("x", 0o644)},
		{Path: "new/deep/file", New: content("new")},
	}
}

func TestApply(t *testing.T) {
	dir, edits := change(t)
	if err := Apply(dir, edits, ApplyOptions{}); err != nil {
		t.Fatal(err)
	}
	got := shot(t, dir)
	want := map[string]string{
		"edited": "-rw-r----- new", "run.sh": "-rwxr-xr-x same", "half": "drwxr-xr-x", "half/mine": "-rw-r--r-- x",
		"file": "drwxr-xr-x", "file/in": "drwxr-xr-x", "file/in/it": "-rw-r--r-- new", "folder": "-rw-r--r-- new",
		"new": "drwxr-xr-x", "new/deep": "drwxr-xr-x", "new/deep/file": "-rw-r--r-- new",
	}
	if !maps.Equal(got, want) {
		t.Errorf("got  %v\nwant %v", got, want)
	}
	if _, err := Restore(dir, false); !errors.Is(err, ErrNothingToRestore) {
		t.Errorf("Restore after an Apply that kept nothing: %v", err)
	}
}

func TestRestore(t *testing.T) {
	dir, edits := change(t)
	before := shot(t, dir)
	if err := Apply(dir, edits, ApplyOptions{Keep: true}); err != nil {
		t.Fatal(err)
	}
	if state, err := StateOf(dir); state != Kept || err != nil {
		t.Errorf("StateOf: %v, %v, want Kept", state, err)
	}
	if err := Apply(dir, nil, ApplyOptions{}); !errors.Is(err, ErrPending) {
		t.Errorf("a second Apply: %v, want ErrPending", err)
	}
	if paths, err := Restore(dir, false); err != nil || len(paths) != len(edits) {
		t.Errorf("Restore: %v, %v", paths, err)
	}
	if after := shot(t, dir); !maps.Equal(after, before) {
		t.Errorf("after Restore %v\nwant %v", after, before)
	}
	if state, err := StateOf(dir); state != Clean || err != nil {
		t.Errorf("StateOf: %v, %v, want Clean", state, err)
	}
}

// TestKilled stops after each step, as a crash would, and takes back what was done.
func TestKilled(t *testing.T) {
	_, edits := change(t)
	for done := range len(edits) + 1 {
		t.Run(fmt.Sprint(done), func(t *testing.T) {
			dir, edits := change(t)
			before := shot(t, dir)
			root, err := os.OpenRoot(dir)
			if err != nil {
				t.Fatal(err)
			}
			defer root.Close()
			a := &applier{root: root, edits: edits}
			if err := a.prepare(); err != nil {
				t.Fatal(err)
			}
			for _, step := range a.steps()[:done] {
				if err := step(); err != nil {
					t.Fatal(err)
				}
			}
			if state, err := StateOf(dir); state != Interrupted || err != nil {
				t.Fatalf("StateOf: %v, %v, want Interrupted", state, err)
			}
			if _, err := Restore(dir, false); err != nil {
				t.Fatal(err)
			}
			if after := shot(t, dir); !maps.Equal(after, before) {
				t.Errorf("after Restore %v\nwant %v", after, before)
			}
		})
	}
}

// A folder with somebody else's file cannot become a file: the Apply fails half way, and is undone.
func TestApplyFailsHalfWay(t *testing.T) {
	dir, edits := change(t)
	lay(t, dir, "folder/mine", "precious", 0o644)
	before := shot(t, dir)
	if err := Apply(dir, edits, ApplyOptions{}); err == nil {
		t.Fatal("Apply succeeded")
	}
	if after := shot(t, dir); !maps.Equal(after, before) {
		t.Errorf("after a failed Apply %v\nwant %v", after, before)
	}
}

func TestApplyRefuses(t *testing.T) {
	cases := map[string]Edit{
		"changed meanwhile":   {Path: "a", Old: content("other"), New: content("new")},
		"there already":       {Path: "a", New: content("new")},
		"gone meanwhile":      {Path: "b", Old: content("x"), New: content("new")},
		"a folder":            {Path: "folder", New: content("new")},
		"outside":             {Path: "../a", New: content("new")},
		"through a link":      {Path: "out/a", New: content("new")},
		"into git's own":      {Path: ".git/config", New: content("new")},
		"a file for a folder": {Path: "a/b", New: content("new")},
	}
	for name, e := range cases {
		t.Run(name, func(t *testing.T) {
			dir, outside := t.TempDir(), t.TempDir()
			lay(t, dir, "a", "x", 0o644)
			lay(t, dir, "folder/x", "x", 0o644)
			if err := os.Symlink(outside, filepath.Join(dir, "out")); err != nil {
				t.Skip("no links here")
			}
			before := shot(t, dir)
			if err := Apply(dir, []Edit{{Path: "new", New: content("x")}, e}, ApplyOptions{}); err == nil {
				t.Error("Apply succeeded")
			}
			if after := shot(t, dir); !maps.Equal(after, before) {
				t.Errorf("something was written: %v", after)
			}
			if after := shot(t, outside); len(after) > 0 {
				t.Errorf("something was written outside: %v", after)
			}
		})
	}
}

func TestRestoreSparesLaterWork(t *testing.T) {
	dir := t.TempDir()
	lay(t, dir, "a", "old", 0o644)
	lay(t, dir, "draft", "old", 0o644)
	before := shot(t, dir)
	edits := []Edit{
		{Path: "a", Old: content("old"), New: content("new")},
		{Path: "draft", Old: content("old"), New: content("new"), Draft: true},
	}
	if err := Apply(dir, edits, ApplyOptions{Keep: true}); err != nil {
		t.Fatal(err)
	}
	lay(t, dir, "draft", "work", 0o644)
	lay(t, dir, "a", "work", 0o644)
	var edited *EditedError
	if _, err := Restore(dir, false); !errors.As(err, &edited) || strings.Join(edited.Paths, " ") != "a" {
		t.Errorf("Restore: %v, want an *EditedError about a", err)
	}
	if _, err := Restore(dir, true); err != nil {
		t.Error(err)
	}
	if after := shot(t, dir); !maps.Equal(after, before) {
		t.Errorf("after Restore %v\nwant %v", after, before)
	}
}

// TestHostileJournal: a folder from anywhere may have a journal that Apply never wrote.
func TestHostileJournal(t *testing.T) {
	for name, text := range map[string]string{
		"outside":       `{"version":1,"kept":true,"edits":[{"path":"../victim","new":{"mode":420}}]}`,
		"folder":        `{"version":1,"kept":true,"edits":[],"folders":[{"path":"../x","mode":493}]}`,
		"made":          `{"version":1,"kept":true,"edits":[],"made":["/etc"]}`,
		"link":          `{"version":1,"kept":true,"edits":[{"path":"out/victim","old":{"mode":420,"hash":"x"}}]}`,
		"no copy":       `{"version":1,"kept":true,"edits":[{"path":"a","old":{"mode":420,"hash":"x"}}]}`,
		"newer":         `{"version":2,"kept":true,"edits":[]}`,
		"something new": `{"version":1,"kept":true,"edits":[],"run":"x"}`,
		"not JSON":      `lock 1`,
	} {
		t.Run(name, func(t *testing.T) {
			outer := t.TempDir()
			dir := filepath.Join(outer, "project")
			lay(t, outer, "victim", "precious", 0o644)
			lay(t, dir, "a", "mine", 0o644)
			lay(t, dir, journalName, text, 0o600)
			if err := os.Symlink("..", filepath.Join(dir, "out")); err != nil {
				t.Skip("no links here")
			}
			before := shot(t, outer)
			if _, err := Restore(dir, true); err == nil {
				t.Error("Restore succeeded")
			}
			if after := shot(t, outer); !maps.Equal(after, before) {
				t.Errorf("after %v\nwant %v", after, before)
			}
		})
	}
}

// TestRandomEdits takes back random changes of random folders.
func TestRandomEdits(t *testing.T) {
	modes := []fs.FileMode{0o644, 0o755, 0o600, 0o640}
	for seed := range uint64(150) {
		r := rand.New(rand.NewPCG(seed, 1))
		dir := t.TempDir()
		name := func() string { return []string{"a", "a/b", "b/c", "b/c/d", "e", "f/g", "f/h"}[r.IntN(7)] }
		some := func() *Content {
			return &Content{Data: []byte(fmt.Sprint(r.IntN(1000))), Mode: modes[r.IntN(len(modes))]}
		}
		var there, wanted Tree
		for range 4 {
			c := some()
			if n := name(); there.Add(File{Path: n}) == nil {
				lay(t, dir, n, string(c.Data), c.Mode)
				there.Put(n, c.Data)
			}
			_ = wanted.Add(File{Path: name(), Data: some().Data})
		}
		edits := difference(t, dir, &there, &wanted)
		before := shot(t, dir)
		if err := Apply(dir, edits, ApplyOptions{Keep: true}); err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		for _, f := range wanted.Files() {
			if data, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(f.Path))); err != nil || string(data) != string(f.Data) {
				t.Fatalf("seed %d: %s is %q, %v", seed, f.Path, data, err)
			}
		}
		if _, err := Restore(dir, false); err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		if after := shot(t, dir); !maps.Equal(after, before) {
			t.Fatalf("seed %d: after Restore %v\nwant %v", seed, after, before)
		}
	}
}

// difference makes the edits that turn what is there into what is wanted, and nothing else.
func difference(t *testing.T, dir string, there, wanted *Tree) []Edit {
	t.Helper()
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	var edits []Edit
	for _, f := range there.Files() {
		old, _, err := Read(root, f.Path)
		if err != nil {
			t.Fatal(err)
		}
		e := Edit{Path: f.Path, Old: old}
		if w, found := wanted.File(f.Path); found {
			e.New = &Content{Data: w.Data, Mode: old.Mode}
		}
		edits = append(edits, e)
	}
	for _, w := range wanted.Files() {
		if _, found := there.File(w.Path); !found {
			edits = append(edits, Edit{Path: w.Path, New: &Content{Data: w.Data, Mode: w.Mode}})
		}
	}
	return edits
}
