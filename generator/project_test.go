package generator_test

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"golang.org/x/mod/modfile"
	"golang.org/x/mod/module"
	"golang.org/x/mod/sumdb/dirhash"
	"golang.org/x/mod/zip"

	"github.com/plugingen/plugingen/generator"
	"github.com/plugingen/plugingen/generator/tree"
)

var updatePins = flag.Bool("update", false, "rewrite pins.txt from what go mod tidy wants")

type maker func(context.Context, generator.ProjectRequest) (*generator.Project, error)

// checkout is the Runtime of the sources under test.
func checkout(t testing.TB) generator.Runtime {
	t.Helper()
	r, err := generator.CheckoutRuntime("..")
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// commit makes a project below dir and returns its folder.
func commit(t testing.TB, dir string, produce maker, req generator.ProjectRequest) string {
	t.Helper()
	req.Dir = filepath.Join(dir, req.Name)
	p, err := produce(t.Context(), req)
	if err != nil {
		t.Fatal(err)
	}
	plan, err := p.Tree.Plan(req.Dir)
	if err == nil {
		err = plan.Commit(tree.CommitOptions{})
	}
	if err != nil {
		t.Fatal(err)
	}
	return req.Dir
}

// goCommand runs go in dir without the network and returns what it prints.
func goCommand(t testing.TB, dir string, env []string, args ...string) (string, error) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), append([]string{"GOFLAGS=-mod=mod", "GOPROXY=off", "GOWORK=off", "PWD=" + dir}, env...)...)
	out, err := cmd.Output()
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
		err = fmt.Errorf("%w\n%s", err, exit.Stderr)
	}
	return string(out), err
}

func wantTidy(t *testing.T, dir string, env ...string) {
	t.Helper()
	if out, err := goCommand(t, dir, env, "mod", "tidy", "-diff"); err != nil || out != "" {
		t.Errorf("go mod tidy -diff in %s: %v\n%s\nif a requirement changed: go test ./generator -run TestProjectsAreTidy -update", filepath.Base(dir), err, out)
	}
}

// warm fetches, with the machine's own settings, what go mod tidy looks at besides what a build needs: modules that
// tests of grpc import. With a warm cache it needs no network, and all that follows has none.
func warm(t *testing.T) {
	t.Helper()
	dir := commit(t, t.TempDir(), generator.Plugin, generator.ProjectRequest{Name: "warm", Runtime: checkout(t)})
	cmd := exec.CommandContext(t.Context(), "go", "mod", "tidy", "-diff")
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Logf("fill the module cache: %v\n%s", err, out)
	}
}

// TestProjectsAreTidy holds pins.txt to what the go command wants of a project.
func TestProjectsAreTidy(t *testing.T) {
	if *updatePins {
		writePins(t)
		return
	}
	warm(t)
	for name, r := range map[string]generator.Runtime{"checkout": checkout(t), "copy": {Copy: true, Dir: checkout(t).Dir}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			plugin := commit(t, dir, generator.Plugin, generator.ProjectRequest{Name: "my-plugin", Runtime: r})
			wantTidy(t, plugin)
			wantTidy(t, commit(t, dir, generator.Host, generator.ProjectRequest{Name: "my-host", Runtime: r}))
			wired := generator.ProjectRequest{Contract: filepath.Join(plugin, "greeter")}
			wired.Name = "wired-host"
			wantTidy(t, commit(t, dir, generator.Host, wired))
			wired.Name = "wired-plugin"
			wantTidy(t, commit(t, dir, generator.Plugin, wired))
			wired.Name = "nested-host"
			wantTidy(t, commit(t, plugin, generator.Host, wired))
			askForThisGo(t, plugin)
			wired.Name = "newer-host"
			wantTidy(t, commit(t, dir, generator.Host, wired))
		})
	}
}

// askForThisGo makes a module ask for the Go that runs, which is newer than what projects ask for by themselves.
func askForThisGo(t *testing.T, dir string) {
	t.Helper()
	name := filepath.Join(dir, "go.mod")
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	f, err := modfile.Parse(name, data, nil)
	if err == nil {
		err = f.AddGoStmt(strings.TrimPrefix(runtime.Version(), "go"))
	}
	if err != nil {
		t.Skip("the Go that runs has no version to ask for: ", err)
	}
	if data, err = f.Format(); err == nil {
		err = os.WriteFile(name, data, 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// writePins has the go command complete a project of each kind of runtime, and keeps which modules it named.
func writePins(t *testing.T) {
	required, summed, graph, inCopy := map[string]bool{}, map[string]bool{}, map[string]bool{}, map[string]bool{}
	for _, r := range []generator.Runtime{checkout(t), {Copy: true, Dir: checkout(t).Dir}} {
		dir := commit(t, t.TempDir(), generator.Plugin, generator.ProjectRequest{Name: "pins", Runtime: r})
		cmd := exec.CommandContext(t.Context(), "go", "mod", "tidy")
		cmd.Dir = dir
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("go mod tidy: %v\n%s", err, out)
		}
		for _, p := range requirements(t, dir) {
			required[p] = true
		}
		for _, line := range lines(t, filepath.Join(dir, "go.sum")) {
			name, version, _ := strings.Cut(line, " ")
			graph[name] = true
			if !strings.Contains(version, "/go.mod ") {
				summed[name] = true
			}
			if r.Copy {
				inCopy[name] = true
			}
		}
	}
	var b strings.Builder
	b.WriteString("# What a generated project needs of other modules: MODULE require|sums|graph [copy]\n# Written by: go test ./generator -run TestProjectsAreTidy -update\n")
	for _, name := range sorted(graph) {
		word := "graph"
		switch {
		case required[name]:
			word = "require"
		case summed[name]:
			word = "sums"
		}
		if inCopy[name] {
			word += " copy"
		}
		fmt.Fprintf(&b, "%s %s\n", name, word)
	}
	if err := os.WriteFile("pins.txt", []byte(b.String()), 0o644); err != nil {
		t.Fatal(err)
	}
}

func requirements(t *testing.T, dir string) []string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(dir, "go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	f, err := modfile.Parse("go.mod", data, nil)
	if err != nil {
		t.Fatal(err)
	}
	var paths []string
	for _, r := range f.Require {
		if !slices.ContainsFunc(f.Replace, func(x *modfile.Replace) bool { return x.Old.Path == r.Mod.Path }) {
			paths = append(paths, r.Mod.Path)
		}
	}
	return paths
}

func lines(t *testing.T, name string) []string {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return strings.Split(strings.TrimSpace(string(data)), "\n")
}

func sorted(set map[string]bool) []string {
	var names []string
	for n := range set {
		names = append(names, n)
	}
	slices.Sort(names)
	return names
}

// TestReleased plays a released plugingen: its module is a zip that only a proxy of this test has. The other modules come
// out of the module cache, which is a proxy, too.
func TestReleased(t *testing.T) {
	const version = "v0.1.0"
	warm(t)
	data, err := os.ReadFile("../go.mod")
	if err != nil {
		t.Fatal(err)
	}
	proxy := t.TempDir()
	sum := publish(t, proxy, "..", module.Version{Path: modfile.ModulePath(data), Version: version})
	cache := strings.TrimSpace(must(goCommand(t, ".", nil, "env", "GOMODCACHE")))
	env := []string{
		"GOMODCACHE=" + filepath.Join(t.TempDir(), "mod"), "GOFLAGS=-mod=mod -modcacherw", "GOSUMDB=off",
		"GOPROXY=file://" + filepath.ToSlash(proxy) + ",file://" + filepath.ToSlash(filepath.Join(cache, "cache", "download")),
	}
	released := generator.Runtime{Version: version, Sum: sum}
	dir := t.TempDir()
	plugin := commit(t, dir, generator.Plugin, generator.ProjectRequest{Name: "my-plugin", Runtime: released})
	if mod := strings.Join(lines(t, filepath.Join(plugin, "go.mod")), "\n"); strings.Contains(mod, "replace") {
		t.Errorf("go.mod of a project by a released plugingen replaces something:\n%s", mod)
	}
	wantTidy(t, plugin, env...)
	wantTidy(t, commit(t, dir, generator.Host, generator.ProjectRequest{Name: "my-host", Runtime: released}), env...)
	wantTidy(t, commit(t, dir, generator.Host, generator.ProjectRequest{Name: "wired", Runtime: released, Contract: filepath.Join(plugin, "greeter")}), env...)
	wantTidy(t, commit(t, dir, generator.Plugin, generator.ProjectRequest{Name: "copied", Runtime: generator.Runtime{Version: version, Sum: sum, Copy: true}}), env...)
	// A contract that is somebody's module.
	publish(t, proxy, plugin, module.Version{Path: "example.com/my-plugin", Version: "v1.0.0"})
	remote := generator.ProjectRequest{Name: "remote", Runtime: released, Contract: "example.com/my-plugin/greeter@v1.0.0", Env: append(os.Environ(), env...)}
	host := commit(t, dir, generator.Host, remote)
	wantTidy(t, host, env...)
	if mod := lines(t, filepath.Join(host, "go.mod")); !slices.Contains(mod, "\texample.com/my-plugin v1.0.0") {
		t.Errorf("go.mod of the host:\n%s", strings.Join(mod, "\n"))
	}
	// The module file for tools must be complete as it is: nothing may be added to it.
	out, err := goCommand(t, plugin, append(env, "GOFLAGS=-modcacherw"), "list", "-modfile=go.tool.mod", "-deps", "tool")
	if err != nil || !strings.Contains(out, "/cmd/plugingen") {
		t.Errorf("go list of the tool: %v\n%s", err, out)
	}
}

func must(out string, err error) string {
	if err != nil {
		panic(out)
	}
	return out
}

// publish makes the module in dir part of a folder that go takes for a proxy, and returns its hash.
func publish(t *testing.T, proxy, dir string, v module.Version) (sum string) {
	t.Helper()
	mod, err := os.ReadFile(filepath.Join(dir, "go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	at := filepath.Join(proxy, filepath.FromSlash(v.Path), "@v")
	var archive bytes.Buffer
	err = errors.Join(
		os.MkdirAll(at, 0o755),
		zip.CreateFromDir(&archive, v, dir),
		os.WriteFile(filepath.Join(at, v.Version+".zip"), archive.Bytes(), 0o644),
		os.WriteFile(filepath.Join(at, v.Version+".mod"), mod, 0o644),
		os.WriteFile(filepath.Join(at, v.Version+".info"), []byte(`{"Version":"`+v.Version+`"}`), 0o644),
		os.WriteFile(filepath.Join(at, "list"), []byte(v.Version+"\n"), 0o644),
	)
	if err != nil {
		t.Fatal(err)
	}
	if sum, err = dirhash.HashZip(filepath.Join(at, v.Version+".zip"), dirhash.DefaultHash); err != nil {
		t.Fatal(err)
	}
	return sum
}
