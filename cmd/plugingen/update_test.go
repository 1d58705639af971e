package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// runIn runs the program in this process, and returns its exit code and what it printed.
func runIn(t *testing.T, args ...string) (int, string) {
	t.Helper()
	var out, errs bytes.Buffer
	code := run(t.Context(), args, streams{out: &out, err: &errs})
	return code, out.String() + errs.String()
}

// TestUpdateAllAtOnce updates many projects side by side, one of which is wired to another's contract: under the race detector
// this shows what they share.
func TestUpdateAllAtOnce(t *testing.T) {
	dir := t.TempDir()
	set := filepath.Join(dir, "acme")
	write(t, filepath.Join(set, "template.yaml"), "schema: 1\nname: acme\nkinds: [plugin]\n")
	write(t, filepath.Join(set, "plugin", "f.txt"), "one\n")
	t.Setenv("XDG_CONFIG_HOME", filepath.Join(dir, "config"))
	projects := filepath.Join(dir, "projects")
	const n = 6
	for i := range n {
		name := fmt.Sprintf("p%d", n-1-i)
		args := []string{"new", name, "--dir", filepath.Join(projects, name), "--template", set}
		if i == n-1 {
			args = append(args, "--contract", filepath.Join(projects, "p1", "greeter"))
		}
		if code, said := runIn(t, args...); code != exitDone {
			t.Fatalf("%v: %d\n%s", args, code, said)
		}
	}
	write(t, filepath.Join(set, "plugin", "f.txt"), "two\n")
	write(t, filepath.Join(projects, "p2", "f.txt"), "mine\n")
	code, said := runIn(t, "update", "--all", projects)
	if code != exitConflict || strings.Count(said, "updated\n") != n-1 || strings.Count(said, "conflicts\n") != 1 {
		t.Errorf("update --all: %d\n%s", code, said)
	}
	for i := range n {
		data, err := os.ReadFile(filepath.Join(projects, fmt.Sprintf("p%d", i), "f.txt"))
		if err != nil || !strings.Contains(string(data), "two\n") {
			t.Errorf("p%d: %q, %v", i, data, err)
		}
	}
}

func write(t *testing.T, name, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}
