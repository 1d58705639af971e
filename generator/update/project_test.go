package update_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/plugingen/plugingen/generator"
	"github.com/plugingen/plugingen/generator/tree"
	"github.com/plugingen/plugingen/generator/update"
)

// go.mod is merged by what it says: two lines that touch are no conflict.
func TestModules(t *testing.T) {
	dir := newProject(t, nil)
	edit(t, dir, "go.mod", "require (\n", "require (\n\texample.com/mine v1.2.3\n")
	edit(t, dir, "go.mod", "google.golang.org/protobuf ", "google.golang.org/protobuf/mine v1.0.0\n\tgoogle.golang.org/protobuf ")
	edit(t, dir, "go.mod", "golang.org/x/sys v0.", "golang.org/x/sys v0.99")
	mine := "example.com/mine v1.2.3 h1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n"
	write(t, dir, "go.sum", mine+read(t, dir, "go.sum"))
	newer := strings.Replace(read(t, newProject(t, nil), "go.mod"), "google.golang.org/grpc v1.", "google.golang.org/grpc v1.99", 1)
	u := mustPlan(t, request(dir, files{"go.mod.tmpl": newer, "go.sum.tmpl": "example.com/new v1.0.0 h1:BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBB=\n"}))
	if len(u.Conflicts()) > 0 {
		t.Fatalf("conflicts: %v", u.Conflicts())
	}
	commit(t, u)
	mod := read(t, dir, "go.mod")
	for _, want := range []string{"example.com/mine v1.2.3", "protobuf/mine v1.0.0", "google.golang.org/grpc v1.99", "golang.org/x/sys v0.99"} {
		if !strings.Contains(mod, want) {
			t.Errorf("go.mod lacks %q:\n%s", want, mod)
		}
	}
	if sum := read(t, dir, "go.sum"); !strings.Contains(sum, mine) || !strings.Contains(sum, "example.com/new") {
		t.Errorf("go.sum:\n%s", sum)
	}
}

// A newer released plugingen brings a newer runtime: in go.mod, in go.sum, and for the tools, beside what the owner requires.
func TestNewerRuntime(t *testing.T) {
	const sum = "h1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
	dir := filepath.Join(t.TempDir(), "my-plugin")
	p, err := generator.Plugin(t.Context(), generator.ProjectRequest{Name: "my-plugin", Dir: dir, Runtime: generator.Runtime{Version: "v0.1.0", Sum: sum}})
	if err != nil {
		t.Fatal(err)
	}
	writeTree(t, p.Tree, dir)
	edit(t, dir, "go.mod", "require (\n", "require (\n\texample.com/mine v1.2.3\n")
	write(t, dir, "go.sum", "example.com/mine v1.2.3 "+sum+"\n"+read(t, dir, "go.sum"))
	req := request(dir, nil)
	req.Project.Runtime = generator.Runtime{Version: "v0.2.0", Sum: sum}
	u := mustPlan(t, req)
	if len(u.Conflicts()) > 0 {
		t.Errorf("conflicts: %v", u.Conflicts())
	}
	commit(t, u)
	for _, name := range []string{"go.mod", "go.sum", "go.tool.mod", "go.tool.sum"} {
		text := read(t, dir, name)
		if !strings.Contains(text, "plugingen/plugingen v0.2.0") || strings.Contains(text, "plugingen/plugingen v0.1.0 ") {
			t.Errorf("%s:\n%s", name, text)
		}
	}
	if mod := read(t, dir, "go.mod"); !strings.Contains(mod, "example.com/mine v1.2.3") {
		t.Errorf("go.mod:\n%s", mod)
	}
}

// Who gave the module another path, in go.mod and in all imports, gets templates with that path.
func TestModulePath(t *testing.T) {
	dir := newProject(t, nil)
	for _, name := range []string{"go.mod", "go.tool.mod", "main.go", "implementation.go", "implementation_test.go"} {
		write(t, dir, name, strings.ReplaceAll(read(t, dir, name), "example.com/my-plugin", "corp.example/x"))
	}
	u := mustPlan(t, request(dir, nil))
	if len(u.Conflicts()) > 0 {
		t.Errorf("conflicts: %v", u.Conflicts())
	}
	for _, name := range []string{"go.mod", "go.tool.mod", "main.go"} {
		if c := change(t, u, name); c.Action != update.Same {
			t.Errorf("%+v, want it left alone", c)
		}
	}
}

func TestForce(t *testing.T) {
	dir := newProject(t, files{"f": generatedOne, "g": "a\x00"})
	write(t, dir, "f", "X\n")
	write(t, dir, "g", "X\x00")
	req := request(dir, files{"f": generatedTwo, "g": "Y\x00"})
	req.Force = true
	u := mustPlan(t, req)
	if len(u.Conflicts()) > 0 {
		t.Errorf("conflicts: %v", u.Conflicts())
	}
	commit(t, u)
	if f, g := read(t, dir, "f"), read(t, dir, "g"); f != generatedTwo || g != "Y\x00" {
		t.Errorf("f is %q, g is %q", f, g)
	}
}

// A rule of the set gives a file another name, and its text changes altogether: what its owner wrote moves along all the same.
func TestRenameRule(t *testing.T) {
	const manifest = "schema: 1\nname: acme\nkinds: [plugin]\nfiles:\n  plugin/OWNERS.tmpl: {rename: %s}\n"
	steps := []struct{ from, to, rule string }{
		{"OWNERS", ".github/OWNERS", fmt.Sprintf(manifest, ".github/OWNERS")},
		{".github/OWNERS", "docs/OWNERS", fmt.Sprintf(manifest, "docs/OWNERS")},
		{"docs/OWNERS", "OWNERS", strings.SplitAfter(manifest, "[plugin]\n")[0]},
	}
	set := t.TempDir()
	write(t, set, "template.yaml", steps[2].rule)
	write(t, set, "plugin/OWNERS.tmpl", "before\nmore\n")
	dir := filepath.Join(t.TempDir(), "my-plugin")
	p, err := generator.Plugin(t.Context(), generator.ProjectRequest{Name: "my-plugin", Dir: dir, Runtime: checkout(t), Template: set})
	if err != nil {
		t.Fatal(err)
	}
	writeTree(t, p.Tree, dir)
	write(t, dir, "OWNERS", "before\nmore\nmine\n")
	for i, step := range steps {
		write(t, set, "template.yaml", step.rule)
		text := fmt.Sprintf("now %d\n", i)
		write(t, set, "plugin/OWNERS.tmpl", text)
		u := mustPlan(t, update.Request{Dir: dir})
		if c := change(t, u, step.to); c.From != step.from {
			t.Errorf("%+v, want %s renamed", c, step.from)
		}
		commit(t, u)
		if got := read(t, dir, step.to); !strings.Contains(got, "mine\n") || read(t, dir, step.from) != missing {
			t.Errorf("%s is %q, %s is %q", step.to, got, step.from, read(t, dir, step.from))
		}
		write(t, dir, step.to, text+"mine\n")
	}
}

// TestModes: permissions are the owner's, but for the right to execute that a template gives or takes.
func TestModes(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("files have no such permissions here")
	}
	dir := newProject(t, files{"f": "a\n"})
	if err := os.Chmod(filepath.Join(dir, "f"), 0o750); err != nil {
		t.Fatal(err)
	}
	commit(t, mustPlan(t, request(dir, files{"f": "Y\n"})))
	if info, err := os.Stat(filepath.Join(dir, "f")); err != nil || info.Mode() != 0o750 {
		t.Errorf("f: %v, %v, want the mode that its owner gave it", info.Mode(), err)
	}
}

// TestExecutable: a template that makes a file executable does so in projects, too.
func TestExecutable(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("files have no such permissions here")
	}
	const manifest = "schema: 1\nname: acme\nkinds: [plugin]\n"
	set := t.TempDir()
	write(t, set, "template.yaml", manifest)
	write(t, set, "plugin/run.sh", "#!/bin/sh\n")
	dir := filepath.Join(t.TempDir(), "my-plugin")
	p, err := generator.Plugin(t.Context(), generator.ProjectRequest{Name: "my-plugin", Dir: dir, Runtime: checkout(t), Template: set})
	if err != nil {
		t.Fatal(err)
	}
	writeTree(t, p.Tree, dir)
	write(t, dir, "run.sh", "#!/bin/sh\n# mine\n")
	if err := os.Chmod(filepath.Join(dir, "run.sh"), 0o640); err != nil {
		t.Fatal(err)
	}
	write(t, set, "template.yaml", manifest+"files:\n  plugin/run.sh: {mode: 0755}\n")
	u := mustPlan(t, update.Request{Dir: dir})
	if c := change(t, u, "run.sh"); c.Action != update.Replace {
		t.Errorf("%+v, want it updated", c)
	}
	commit(t, u)
	if info, err := os.Stat(filepath.Join(dir, "run.sh")); err != nil || info.Mode() != 0o750 || read(t, dir, "run.sh") != "#!/bin/sh\n# mine\n" {
		t.Errorf("run.sh: %v, %q", info.Mode(), read(t, dir, "run.sh"))
	}
	if again := mustPlan(t, update.Request{Dir: dir}); again.Differs() {
		t.Errorf("a second update would change %v", again.Changes)
	}
}

func TestRefuses(t *testing.T) {
	lockOf := func(t *testing.T, from, to string) string {
		dir := newProject(t, nil)
		edit(t, dir, generator.LockName, from, to)
		return dir
	}
	cases := map[string]struct {
		prepare func(t *testing.T) string
		to      string
		is      error
		want    string
	}{
		"no lock": {func(t *testing.T) string { return t.TempDir() }, "", update.ErrNoLock, "nobody knows"},
		"a damaged lock": {
			func(t *testing.T) string { return lockOf(t, "kind plugin", "kind x") }, "", generator.ErrInput, "kind is neither",
		},
		"a lock that leads outside": {
			func(t *testing.T) string { return lockOf(t, "file .gitattributes", "file ../.gitattributes") }, "", generator.ErrInput, "plugingen.lock",
		},
		"a lock that git merged": {
			func(t *testing.T) string {
				return lockOf(t, "file Makefile ", "<<<<<<< HEAD\n=======\n>>>>>>> topic\nfile Makefile ")
			}, "", generator.ErrInput, "it has conflicts of a merge in it",
		},
		"a newer plugingen": {
			func(t *testing.T) string { return lockOf(t, "generator 0.1.0", "generator 99.0.0") }, "", generator.ErrInput, "was made by plugingen 99.0.0",
		},
		"another version of the built-in templates": {
			func(t *testing.T) string { return newProject(t, nil) }, "v9.9.9", generator.ErrInput, "run plugingen v9.9.9",
		},
		"a lock that is a folder": {
			func(t *testing.T) string {
				dir := t.TempDir()
				write(t, dir, generator.LockName+"/x", "x")
				return dir
			}, "", generator.ErrInput, "in its place is a folder",
		},
		"somebody else's conflict": {
			func(t *testing.T) string {
				dir := newProject(t, nil)
				write(t, dir, "Makefile", "a\n<<<<<<< HEAD\nb\n=======\nc\n>>>>>>> topic\n")
				return dir
			}, "", tree.ErrConflict, "Makefile:2",
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			dir := c.prepare(t)
			req := request(dir, nil)
			req.To = c.to
			if _, err := update.New(t.Context(), req); !errors.Is(err, c.is) || !strings.Contains(err.Error(), c.want) {
				t.Errorf("New: %v, want %v with %q", err, c.is, c.want)
			}
		})
	}
}

// Marks in a file that plugingen does not look after are none of its business.
func TestForeignMarks(t *testing.T) {
	dir := newProject(t, nil)
	write(t, dir, "mine.txt", "<<<<<<< HEAD\nb\n=======\nc\n>>>>>>> topic\n")
	mustPlan(t, request(dir, nil))
}

// TestInterrupted: an update that was killed half way has to be taken back first.
func TestInterrupted(t *testing.T) {
	dir := newProject(t, files{"f": "a\n"})
	write(t, dir, tree.JournalDir+"/journal.json", `{"version":1,"kept":false,"edits":[]}`)
	if _, err := update.New(t.Context(), request(dir, nil)); !errors.As(err, new(*update.InterruptedError)) {
		t.Errorf("New: %v, want *InterruptedError", err)
	}
	if _, err := update.Abort(dir, false); err != nil {
		t.Error(err)
	}
	mustPlan(t, request(dir, nil))
}

// TestGitLooksAway: what is kept for Abort is not shown to git.
func TestGitLooksAway(t *testing.T) {
	git, err := exec.LookPath("git")
	if err != nil {
		t.Skip("there is no git")
	}
	dir := newProject(t, files{"f": "a\n"})
	run := func(args ...string) string {
		cmd := exec.CommandContext(t.Context(), git, append([]string{"-C", dir, "-c", "user.name=x", "-c", "user.email=x@example.com"}, args...)...)
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("git %v: %v\n%s", args, err, out)
		}
		return string(out)
	}
	run("init", "-q")
	write(t, dir, "f", "X\n")
	run("add", ".")
	run("commit", "-qm", "x")
	commit(t, mustPlan(t, request(dir, files{"f": "Y\n"})))
	if out := run("status", "--porcelain"); strings.Contains(out, tree.JournalDir) || !strings.Contains(out, " M f") {
		t.Errorf("git status:\n%s", out)
	}
}

func TestFindAndRoot(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"a", "a/nested", "b/c", "node_modules/x", "vendor/x", ".git/x", "testdata/x"} {
		write(t, dir, name+"/"+generator.LockName, "lock 1\n")
	}
	write(t, dir, "b/other/file", "x")
	found, err := update.Find(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, f := range found {
		rel, _ := filepath.Rel(dir, f)
		names = append(names, filepath.ToSlash(rel))
	}
	if got := strings.Join(names, " "); got != "a a/nested b/c" {
		t.Errorf("Find: %s", got)
	}
	if _, err := update.Find(filepath.Join(dir, "nowhere")); err == nil {
		t.Error("Find in a folder that is not there: no error")
	}
	write(t, dir, "a/deep/er/x", "x")
	for from, want := range map[string]string{"a/deep/er": "a", "a/nested": "a/nested", "b/other": "b/other"} {
		if root, err := update.Root(filepath.Join(dir, from)); err != nil || root != filepath.Join(dir, want) {
			t.Errorf("Root(%s) = %s, %v, want %s", from, root, err, want)
		}
	}
}
