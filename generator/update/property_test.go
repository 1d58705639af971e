package update_test

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"math/rand/v2"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/plugingen/plugingen/generator"
	"github.com/plugingen/plugingen/generator/tree"
	"github.com/plugingen/plugingen/generator/update"
)

// dice makes random templates and edits of them. Every line that it writes is there once in the world, so that a test can
// tell whose it is and whether it was lost.
type dice struct {
	*rand.Rand
	lines int
}

func (d *dice) line(who string) string {
	d.lines++
	return fmt.Sprintf("%s %d\n", who, d.lines)
}

func (d *dice) text(who string) string {
	var b strings.Builder
	for range d.IntN(12) {
		b.WriteString(d.line(who))
	}
	return b.String()
}

// change replaces, adds and drops a few lines.
func (d *dice) change(text, who string) string {
	lines := strings.SplitAfter(text, "\n")
	for range 1 + d.IntN(3) {
		at := d.IntN(len(lines))
		end := min(len(lines), at+d.IntN(3))
		var put []string
		for range d.IntN(3) {
			put = append(put, d.line(who))
		}
		lines = slices.Replace(lines, at, end, put...)
		if len(lines) == 0 {
			lines = []string{""}
		}
	}
	return strings.Join(lines, "")
}

// names are few, so that files meet: also as folders of each other.
func (d *dice) name() string {
	return []string{"docs/a", "docs/b", "docs/c", "d", "d/e", "F", "f", "new/deep/g", "h"}[d.IntN(9)]
}

// version is the next version of a template: files changed, renamed, dropped and added.
func (d *dice) version(before files) files {
	after := files{}
	for _, name := range slices.Sorted(maps.Keys(before)) {
		text := before[name]
		switch d.IntN(6) {
		case 0:
			text = d.change(text, "theirs")
		case 1:
			name = d.name() // a renamed file, or one that takes the place of another
		case 2:
			name, text = d.name(), d.change(text, "theirs")
		case 3:
			continue
		}
		after[name] = text
	}
	if d.IntN(2) == 0 {
		after[d.name()] = d.text("theirs")
	}
	return clean(after)
}

// clean drops what no template set can have: a file that is the folder of another one, and names that differ in case alone.
func clean(f files) files {
	var t tree.Tree
	kept := files{}
	for _, name := range slices.Sorted(maps.Keys(f)) {
		if f[name] != "" && t.Add(tree.File{Path: name}) == nil {
			kept[name] = f[name]
		}
	}
	return kept
}

// work is what the owner of a project does to it.
func (d *dice) work(t *testing.T, dir string, made files) (removed []string) {
	for _, name := range slices.Sorted(maps.Keys(made)) {
		there, found := snapshot(t, dir)[name]
		if !found {
			continue
		}
		_, text, _ := strings.Cut(there, "\n") // after the permissions
		switch d.IntN(6) {
		case 0, 1:
			write(t, dir, name, d.change(text, "ours"))
		case 2:
			write(t, dir, name, strings.ReplaceAll(strings.ReplaceAll(d.change(text, "ours"), "\r\n", "\n"), "\n", "\r\n"))
		case 3:
			remove(t, dir, name)
			_ = os.Remove(filepath.Join(dir, filepath.Dir(name))) // when it is empty: the template may need the name
			removed = append(removed, name)
		}
	}
	for range d.IntN(3) {
		if name := d.name(); isFree(snapshot(t, dir), name) {
			write(t, dir, name, d.text("ours"))
		}
	}
	return removed
}

// isFree says whether a file of that name can be written beside those that are there.
func isFree(there map[string]string, name string) bool {
	var all tree.Tree
	for other := range there {
		_ = all.Add(tree.File{Path: other})
	}
	return all.Add(tree.File{Path: name}) == nil
}

// ownLines are the lines in a folder that the owner wrote, each with its number of times.
func ownLines(there map[string]string) map[string]int {
	found := map[string]int{}
	for name, text := range there {
		if name == generator.LockName {
			continue
		}
		for line := range strings.Lines(text) {
			if strings.HasPrefix(line, "ours ") {
				found[strings.TrimRight(line, "\r\n")]++
			}
		}
	}
	return found
}

// TestNothingIsLost: random work of an owner meets random changes of a template, over several versions. Every line that the
// owner wrote is still there after an update, what the owner removed stays away, a second update changes nothing, and taking
// back brings back every byte.
func TestNothingIsLost(t *testing.T) {
	n := uint64(20)
	if testing.Short() {
		n = 10
	}
	for seed := range n {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			d := &dice{Rand: rand.New(rand.NewPCG(seed, 5))}
			made := files{}
			for range 4 {
				made[d.name()] = d.text("theirs")
			}
			made = clean(made)
			dir := newProject(t, made)
			for range 3 {
				removed := d.work(t, dir, made)
				next := d.version(made)
				oneUpdate(t, dir, made, next, removed)
				made = next
			}
		})
	}
}

func oneUpdate(t *testing.T, dir string, made, next files, removed []string) {
	t.Helper()
	before := snapshot(t, dir)
	u, err := update.New(t.Context(), request(dir, next))
	if err != nil {
		t.Fatal(err)
	}
	if now := snapshot(t, dir); !maps.Equal(now, before) {
		t.Fatal("New wrote something")
	}
	commit(t, u)
	after := snapshot(t, dir)
	if want, got := ownLines(before), ownLines(after); !containsAll(got, want) {
		t.Errorf("lines of the owner were lost:\nbefore %v\nafter  %v\nchanges %+v", want, got, u.Changes)
	}
	for _, name := range removed {
		_, stays := made[name]
		_, wanted := next[name]
		if _, back := after[name]; back && stays && wanted && before[name] == "" {
			t.Errorf("%s was removed by its owner, and is back", name)
		}
	}
	if len(u.Conflicts()) == 0 {
		if again := mustPlan(t, request(dir, next)); again.Differs() {
			t.Errorf("a second update would change %+v", again.Changes)
		}
		return
	}
	if _, err := update.Abort(dir, false); err != nil {
		t.Fatal(err)
	}
	if back := snapshot(t, dir); !maps.Equal(back, before) {
		t.Errorf("taken back, these differ: %v", differing(back, before))
	}
	commit(t, mustPlan(t, request(dir, next)))
	resolve(t, dir, u.Conflicts())
	if _, err := update.New(t.Context(), request(dir, next)); err != nil {
		t.Errorf("after resolving: %v", err)
	}
}

// differing are the files that are not the same, or not there, in both.
func differing(a, b map[string]string) []string {
	var names []string
	for _, name := range slices.Sorted(maps.Keys(a)) {
		if b[name] != a[name] {
			names = append(names, fmt.Sprintf("%s: %q, %q", name, a[name], b[name]))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(b)) {
		if _, found := a[name]; !found {
			names = append(names, name+" is gone")
		}
	}
	return names
}

func containsAll(got, want map[string]int) bool {
	for line, n := range want {
		if got[line] < n {
			return false
		}
	}
	return true
}

// resolve takes the owner's side and the template's, as many people do: it drops the marks.
func resolve(t *testing.T, dir string, conflicts []update.Change) {
	t.Helper()
	for _, c := range conflicts {
		if c.Marked == 0 {
			continue
		}
		var kept []string
		for line := range strings.Lines(read(t, dir, path.Clean(c.Path))) {
			if !strings.ContainsAny(line[:1], "<|=>") {
				kept = append(kept, line)
			}
		}
		write(t, dir, c.Path, strings.Join(kept, ""))
	}
}

// FuzzLock: no lock makes an update panic, write, or read outside.
func FuzzLock(f *testing.F) {
	dir := newProject(f, files{"f": "a\n"})
	f.Add([]byte(read(f, dir, generator.LockName)))
	f.Add([]byte("lock 1\ngenerator 0.1.0\nkind host\nname a\nmodule example.com/a\ncontract ../../../etc\n"))
	f.Add([]byte("lock 1\ngenerator 0.1.0\nkind plugin\nname a\nmodule example.com/a\nruntime /etc\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		if strings.Contains(string(data), "interface ") || strings.Contains(string(data), "contract ") {
			return // it would run the go command
		}
		write(t, dir, generator.LockName, string(data))
		before := snapshot(t, dir)
		_, err := update.New(t.Context(), request(dir, nil))
		if err != nil && errors.Is(err, fs.ErrPermission) {
			t.Error(err)
		}
		if now := snapshot(t, dir); !maps.Equal(now, before) {
			t.Error("New wrote something")
		}
	})
}
