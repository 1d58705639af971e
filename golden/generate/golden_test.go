package generate

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/diff"
)

// TestGolden compares what each case generates with what it wants: missing and extra files are faults, too.
func TestGolden(t *testing.T) {
	root := moduleRoot(t)
	for _, c := range loadCases(t) {
		t.Run(c.name, func(t *testing.T) {
			got := c.generate(t, c.input(t, root))
			if *update {
				c.rewrite(t, got)
				return
			}
			c.compare(t, got)
		})
	}
}

func (c *testCase) compare(t *testing.T, got result) {
	t.Helper()
	for _, name := range sortedKeys(got.wanted) {
		want, ok := c.named(name)
		if !ok {
			t.Errorf("%s is generated, but the case does not have it", name)
			continue
		}
		if d := diff.Diff("want", want, "got", []byte(got.wanted[name])); len(d) > 0 {
			t.Errorf("%s: %s", name, d)
		}
	}
	for _, f := range c.archive.Files {
		if _, ok := got.wanted[f.Name]; !ok && strings.HasPrefix(f.Name, wants) {
			t.Errorf("%s is in the case, but is not generated", f.Name)
		}
	}
}

// TestAgain generates a second time, over the output of the first: nothing may change.
func TestAgain(t *testing.T) {
	root := moduleRoot(t)
	for _, c := range loadCases(t) {
		t.Run(c.name, func(t *testing.T) {
			dir := c.input(t, root)
			first := c.generate(t, dir)
			for _, f := range first.files {
				write(t, filepath.Join(dir, filepath.FromSlash(f.Name)), f.Data)
			}
			second := c.generate(t, dir)
			for _, f := range first.files {
				if f.Once {
					delete(first.wanted, wants+f.Name)
				}
			}
			delete(first.wanted, warnsAt) // what was removed is told once
			delete(second.wanted, warnsAt)
			for name, want := range first.wanted {
				if d := diff.Diff("first", []byte(want), "second", []byte(second.wanted[name])); len(d) > 0 {
					t.Errorf("%s: %s", name, d)
				}
			}
		})
	}
}
