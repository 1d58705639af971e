// Package script holds how the command behaves: its exit codes, its messages, and every file of the projects that it writes.
package script

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/rogpeppe/go-internal/txtar"

	"github.com/plugingen/plugingen/generator"
)

var update = flag.Bool("update", false, "rewrite what the scripts expect, and the golden projects")

// bin is the folder with the program under test: TestMain builds it once for all tests.
var bin string

func TestMain(m *testing.M) {
	flag.Parse()
	os.Exit(withProgram(m.Run))
}

// withProgram builds the program before it calls run.
func withProgram(run func() int) int {
	dir, err := os.MkdirTemp("", "plugingen-script-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	build := exec.Command("go", "build", "-o", dir+string(filepath.Separator), "../../cmd/plugingen")
	build.Stderr = os.Stderr
	if err := build.Run(); err != nil {
		fmt.Fprintln(os.Stderr, "build plugingen:", err)
		return 1
	}
	bin = dir
	return run()
}

// goldenProjects has one archive for each project that the scripts compare.
const goldenProjects = "testdata/projects"

func TestScripts(t *testing.T) {
	if *update && !strings.Contains(flag.Lookup("test.run").Value.String(), "/") { // a single script writes its own projects alone
		if err := os.RemoveAll(goldenProjects); err != nil {
			t.Fatal(err)
		}
	}
	runScripts(t, "testdata")
}

// TestProjectsWork builds, vets and tests what the command writes, and generates it anew, without the network.
func TestProjectsWork(t *testing.T) {
	if testing.Short() {
		t.Skip("it builds programs")
	}
	warm(t)
	runScripts(t, "testdata/build")
}

// warm fetches, with the machine's own settings, what the scripts need besides what a build of this module needs.
// With a warm cache it needs no network, and the scripts have none.
func warm(t *testing.T) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "warm")
	for _, c := range []struct {
		dir  string
		args []string
	}{
		{".", []string{filepath.Join(bin, "plugingen"), "new", "warm", "--dir", dir}},
		{dir, []string{"go", "mod", "tidy", "-diff"}},
		{".", []string{"go", "list", "-m", "github.com/spf13/pflag@v1.0.9"}},
	} {
		cmd := exec.CommandContext(t.Context(), c.args[0], c.args[1:]...)
		cmd.Dir = c.dir
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Logf("%s: %v\n%s", strings.Join(c.args, " "), err, out)
		}
	}
}

func runScripts(t *testing.T, dir string) {
	t.Helper()
	testscript.Run(t, testscript.Params{
		Dir:                 dir,
		UpdateScripts:       *update,
		RequireExplicitExec: true,
		Setup:               setup,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"project":   cmdProject,
			"exitcode":  cmdExitCode,
			"scrub":     cmdScrub,
			"publish":   cmdPublish,
			"remember":  cmdRemember,
			"unversion": cmdUnversion,
		},
	})
}

// setup puts the program in the path, and gives the go command the caches of the machine and no network.
func setup(env *testscript.Env) error {
	checkout, err := filepath.Abs("../..")
	if err != nil {
		return err
	}
	env.Setenv("PATH", bin+string(filepath.ListSeparator)+env.Getenv("PATH"))
	env.Setenv("CHECKOUT", checkout)
	env.Setenv("GOPROXY", "off")
	env.Setenv("GOFLAGS", "-ldflags=-s") // programs link in half the time without symbols
	env.Setenv("GOWORK", "off")
	home := filepath.Join(env.WorkDir, ".home")
	for name, dir := range map[string]string{"HOME": home, "XDG_CONFIG_HOME": home + "/.config", "XDG_CACHE_HOME": home + "/.cache", "AppData": home, "LocalAppData": home} {
		env.Setenv(name, filepath.FromSlash(dir))
	}
	for name, value := range map[string]string{
		"GIT_CONFIG_NOSYSTEM": "1", "GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@example.com", "GIT_COMMITTER_NAME": "a", "GIT_COMMITTER_EMAIL": "a@example.com",
		"GIT_AUTHOR_DATE": "2026-01-01T00:00:00Z", "GIT_COMMITTER_DATE": "2026-01-01T00:00:00Z",
	} {
		env.Setenv(name, value)
	}
	for _, name := range []string{"GOCACHE", "GOMODCACHE", "GOPATH", "GOTOOLCHAIN"} {
		out, err := exec.Command("go", "env", name).Output()
		if err != nil {
			return err
		}
		env.Setenv(name, strings.TrimSpace(string(out)))
	}
	return nil
}

// cmdExitCode runs a command and compares its exit code: exitcode 3 plugingen new X.
func cmdExitCode(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exitcode CODE COMMAND...")
	}
	err := ts.Exec(args[1], args[2:]...)
	code := 0
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		code = exit.ExitCode()
	} else if err != nil {
		ts.Fatalf("%v", err)
	}
	if got := fmt.Sprint(code); got != args[0] {
		ts.Fatalf("%s: exit code %s, want %s", strings.Join(args[1:], " "), got, args[0])
	}
}

// cmdScrub replaces what differs from machine to machine in the named file.
func cmdScrub(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: scrub FILE")
	}
	text := scrub(ts.ReadFile(args[0]), ts.Getenv("CHECKOUT"), ts.Getenv("WORK"))
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(text), 0o644))
}

func scrub(text, checkout, work string) string {
	text = strings.ReplaceAll(text, filepath.ToSlash(work), "$WORK")
	return strings.ReplaceAll(text, checkout, "$CHECKOUT")
}

// cmdUnversion replaces the shortened hashes of template sets in the named file.
func cmdUnversion(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: unversion FILE")
	}
	text := shortHash.ReplaceAllString(ts.ReadFile(args[0]), "HASH")
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(text), 0o644))
}

var shortHash = regexp.MustCompile(`h1:[A-Za-z0-9+/]{9}`)

// cmdProject compares a folder, file by file, with a golden one: project DIR NAME is testdata/projects/NAME.txtar.
func cmdProject(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: project DIR NAME")
	}
	root := ts.MkAbs(args[0])
	got, err := archive(root, func(text string) string { return scrub(text, ts.Getenv("CHECKOUT"), ts.Getenv("WORK")) })
	ts.Check(err)
	golden := filepath.Join(ts.Getenv("CHECKOUT"), "golden", "script", filepath.FromSlash(goldenProjects), args[1]+".txtar")
	if *update {
		ts.Check(os.MkdirAll(filepath.Dir(golden), 0o755))
		ts.Check(os.WriteFile(golden, got, 0o644))
		return
	}
	want, err := os.ReadFile(golden)
	ts.Check(err)
	if text := differences(txtar.Parse(want), txtar.Parse(got)); text != "" {
		ts.Fatalf("%s differs from %s; if that is meant, run make golden and read the diff\n%s", args[0], golden, text)
	}
}

// indirect matches the lines of go.tool.mod that repeat what this module requires.
var indirect = regexp.MustCompile(`(?m)^\t.* // indirect\n`)

// recorded matches what a lock repeats of the files beside it: their text, and their hashes.
var recorded = regexp.MustCompile(`(?m)^\|.*\n|[0-9a-f]{64} `)

// archive holds every file below root. Hashes, and what the tool requires, change with every new requirement and say nothing
// to a reader: go mod tidy -diff holds them.
func archive(root string, clean func(string) string) ([]byte, error) {
	var a txtar.Archive
	err := filepath.WalkDir(root, func(name string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		rel, err := filepath.Rel(root, name)
		if err != nil {
			return err
		}
		data, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		switch {
		case filepath.Ext(name) == ".sum":
			data = []byte("(not compared)\n")
		case rel == "go.tool.mod":
			data = indirect.ReplaceAll(data, nil)
		case rel == generator.LockName:
			data = recorded.ReplaceAll(data, nil)
		}
		if info, err := d.Info(); err == nil && info.Mode()&0o111 != 0 && runtime.GOOS != "windows" {
			rel += " (executable)"
		}
		a.Files = append(a.Files, txtar.File{Name: filepath.ToSlash(rel), Data: []byte(clean(string(data)))})
		return nil
	})
	return txtar.Format(&a), err
}
