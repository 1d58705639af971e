package sets_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/plugingen/plugingen/generator/internal/sets"
	"github.com/plugingen/plugingen/generator/internal/source"
)

func put(t *testing.T, name, text string) {
	t.Helper()
	if err := errors.Join(os.MkdirAll(filepath.Dir(name), 0o755), os.WriteFile(name, []byte(text), 0o644)); err != nil {
		t.Fatal(err)
	}
}

func TestResolve(t *testing.T) {
	folder := source.Reference{Path: filepath.FromSlash("a/b")}
	module := source.Reference{Kind: source.Module, Path: "corp.example/tpl", Sub: "a/b", Version: "v1.0.0"}
	for _, c := range []struct {
		base       source.Reference
		text, want string // empty: refused
	}{
		{folder, "../c", filepath.FromSlash("a/c")},
		{folder, "corp.example/x@v1", "corp.example/x@v1"},
		{folder, "c", ""},
		{module, "../c", "corp.example/tpl//a/c@v1.0.0"},
		{module, "./c", "corp.example/tpl//a/b/c@v1.0.0"},
		{module, "../..", "corp.example/tpl@v1.0.0"},
		{module, "../../..", ""},
		{module, "../../../x", ""},
		{module, "./../../../../etc", ""},
		{module, "/etc", ""},
		{module, `..\..\..\x`, ""},
		{module, "../%2e%2e/x", ""},
		{module, "../c:x", ""},
		{module, "corp.example/other@v2.0.0", "corp.example/other@v2.0.0"},
		{module, "corp.example/../other@v2.0.0", ""},
	} {
		got, err := sets.Resolve(c.text, c.base)
		if (err != nil) != (c.want == "") || err == nil && got.String() != c.want {
			t.Errorf("Resolve(%q) of %s = %s, %v, want %q", c.text, c.base, got, err, c.want)
		}
	}
}

func manifest(name, extends, more string) string {
	text := "schema: 1\nname: " + name + "\nkinds: [plugin]\n"
	if extends != "" {
		text += "extends: " + extends + "\n"
	}
	return text + more
}

func load(t *testing.T, dir string) (*sets.Stack, error) {
	t.Helper()
	return sets.Loader{}.Load(t.Context(), source.Reference{Path: dir})
}

func TestChains(t *testing.T) {
	dir := t.TempDir()
	put(t, filepath.Join(dir, "top/template.yaml"), manifest("top", "../middle", "variables:\n  a: {type: string, default: top}\npost: [git-init]\n"))
	put(t, filepath.Join(dir, "middle/template.yaml"), manifest("middle", "../bottom", "variables:\n  b: {type: int}\n  a: {type: string, default: middle}\n"))
	put(t, filepath.Join(dir, "bottom/template.yaml"), manifest("bottom", "", "post: [tidy]\n"))
	put(t, filepath.Join(dir, "bottom/plugin/x.tmpl"), "x")
	stack, err := load(t, filepath.Join(dir, "top"))
	if err != nil {
		t.Fatal(err)
	}
	if len(stack.Sets) != 3 || stack.Sets[0].Manifest.Set != "bottom" || stack.Top().Manifest.Set != "top" {
		t.Errorf("the sets are %+v", stack.Sets)
	}
	variables, err := stack.Variables()
	if err != nil || len(variables) != 2 || variables[0].Name != "b" || variables[1].Default != "top" {
		t.Errorf("variables %+v, %v", variables, err)
	}
	if got := strings.Join(stack.Post(), " "); got != "tidy git-init" {
		t.Errorf("steps %q", got)
	}
	before := stack.Hash
	put(t, filepath.Join(dir, "bottom/plugin/x.tmpl"), "y")
	if stack, err = load(t, filepath.Join(dir, "top")); err != nil || stack.Hash == before {
		t.Errorf("the hash does not cover what is extended: %v", err)
	}
	put(t, filepath.Join(dir, "bottom/template.yaml"), manifest("bottom", "", "variables:\n  a: {type: int}\n"))
	if stack, err = load(t, filepath.Join(dir, "top")); err != nil {
		t.Fatal(err)
	}
	if _, err := stack.Variables(); err == nil || !strings.Contains(err.Error(), "the variable a is string here and int in the set that this one extends") {
		t.Errorf("types that differ: %v", err)
	}
}

func TestCirclesAndLongChains(t *testing.T) {
	dir := t.TempDir()
	put(t, filepath.Join(dir, "a/template.yaml"), manifest("a", "../b", ""))
	put(t, filepath.Join(dir, "b/template.yaml"), manifest("b", "../b/../a", ""))
	if _, err := load(t, filepath.Join(dir, "a")); err == nil || !strings.Contains(err.Error(), "b/template.yaml:4:10: extends goes in a circle") {
		t.Errorf("a circle: %v", err)
	}
	for i := range 12 {
		put(t, filepath.Join(dir, fmt.Sprint("c", i), "template.yaml"), manifest("c", fmt.Sprint("../c", i+1), ""))
	}
	if _, err := load(t, filepath.Join(dir, "c0")); err == nil || !strings.Contains(err.Error(), "more than 8 sets extend each other") {
		t.Errorf("a long chain: %v", err)
	}
}

func TestRuns(t *testing.T) {
	for name, want := range map[string]bool{
		".github/workflows/ci.yml": true, "sub/.github/workflows/x.yaml": true, "Makefile": true, "MAKEFILE": true, "a/b.mk": true, "x.sh": true, ".gitlab-ci.yml": true,
		"Dockerfile": true, ".vscode/tasks.json": true, ".envrc": true, "package.json": true, ".github/CODEOWNERS": false, "README.md": false, "main.go": false, "docs/workflows/x.yml": false,
	} {
		if got := sets.Runs(name); got != want {
			t.Errorf("Runs(%q) = %v", name, got)
		}
	}
}
