package generate

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
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
	var trips, processes []string
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
			if bytes.Contains(data, []byte("func Implementation()")) {
				processes = append(processes, c.name)
			} else {
				trips = append(trips, c.name)
			}
		}
	}
	layRandom(t, root)
	write(t, filepath.Join(root, "check", "check.go"), read(t, "testdata/check.go.txt"))
	write(t, filepath.Join(root, "all_test.go"), allTrips(trips, processes))
	run(t, root, "vet", "-composites=false", "./...")
	run(t, root, "test", "-count=1", "-timeout=120s", ".")
}

// allTrips is one test program for all contracts: linking one takes long enough. It is also the plugin of those whose trip
// has an Implementation: they are called in this process and in one of their own.
func allTrips(names, processes []string) []byte {
	var b strings.Builder
	b.WriteString("package golden_test\n\nimport (\n\t\"os\"\n\t\"testing\"\n\n")
	for _, name := range slices.Concat(names, processes) {
		fmt.Fprintf(&b, "\t%s %q\n", name+"trip", module+"/"+name+"/trip")
	}
	b.WriteString("\t" + strconv.Quote(module+"/check") + "\n)\n\nfunc TestMain(m *testing.M) {\n\tos.Exit(check.Main(m")
	for _, name := range processes {
		fmt.Fprintf(&b, ", %strip.Implementation()", name)
	}
	b.WriteString("))\n}\n")
	for _, name := range names {
		fmt.Fprintf(&b, "\nfunc Test_%s(t *testing.T) { %strip.Run(t) }\n", name, name)
	}
	for _, name := range processes {
		fmt.Fprintf(&b, "\nfunc Test_%s(t *testing.T) { %strip.Run(t, check.Open(t)) }\n", name, name)
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
