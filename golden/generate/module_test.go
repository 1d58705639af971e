package generate

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/mod/modfile"
)

// moduleRoot makes a module that requires what this repository requires, and takes the runtime from it.
func moduleRoot(t testing.TB) string {
	t.Helper()
	root := t.TempDir()
	checkout, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	f, err := modfile.Parse("go.mod", read(t, filepath.Join(checkout, "go.mod")), nil)
	if err != nil {
		t.Fatal(err)
	}
	runtime := f.Module.Mod.Path
	must(t, f.AddModuleStmt(module))
	f.AddNewRequire(runtime, "v0.0.0", false)
	must(t, f.AddReplace(runtime, "", checkout, ""))
	data, err := f.Format()
	must(t, err)
	write(t, filepath.Join(root, "go.mod"), data)
	write(t, filepath.Join(root, "go.sum"), read(t, filepath.Join(checkout, "go.sum")))
	return root
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// TestRoundTrips lays all cases that generate into one module, with some that chance makes, vets it, and calls every contract
// over a connection.
func TestRoundTrips(t *testing.T) {
	if testing.Short() {
		t.Skip("builds a module")
	}
	root := moduleRoot(t)
	var trips []string
	for _, c := range loadCases(t) {
		dir := c.input(t, root)
		r := c.generate(t, dir)
		if !r.succeeded || c.noBuild {
			must(t, os.RemoveAll(dir))
			continue
		}
		for _, f := range r.files {
			write(t, filepath.Join(dir, filepath.FromSlash(f.Name)), f.Data)
		}
		if data, ok := c.named(trip); ok {
			write(t, filepath.Join(dir, "trip", trip), data)
			trips = append(trips, c.name)
		}
	}
	layRandom(t, root)
	write(t, filepath.Join(root, "check", "check.go"), read(t, "testdata/check.go.txt"))
	write(t, filepath.Join(root, "all_test.go"), allTrips(trips))
	run(t, root, "vet", "-composites=false", "./...")
	run(t, root, "test", "-count=1", "-timeout=120s", ".")
}

// allTrips is one test program for all contracts: linking one takes long enough.
func allTrips(names []string) []byte {
	var b strings.Builder
	b.WriteString("package golden_test\n\nimport (\n\t\"testing\"\n\n")
	for _, name := range names {
		fmt.Fprintf(&b, "\t%s %q\n", name+"trip", module+"/"+name+"/trip")
	}
	b.WriteString(")\n")
	for _, name := range names {
		fmt.Fprintf(&b, "\nfunc Test_%s(t *testing.T) { %strip.Run(t) }\n", name, name)
	}
	return []byte(b.String())
}

func run(t *testing.T, dir string, args ...string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOFLAGS=-mod=mod", "GOPROXY=off", "GOWORK=off")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("go %s: %v\n%s", strings.Join(args, " "), err, out)
	}
}
