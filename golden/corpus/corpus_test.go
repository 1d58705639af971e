package corpus

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"go/format"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"golang.org/x/mod/modfile"

	"github.com/plugingen/plugingen/generator"
	"github.com/plugingen/plugingen/generator/model"
	_ "github.com/plugingen/plugingen/runtime/plugintest" // what is generated links it: its modules have to be in go.mod

	_ "github.com/alexedwards/scs/v2/memstore" // and what testdata/real.go.txt runs
	_ "github.com/go-git/go-billy/v5/memfs"
	_ "github.com/syndtr/goleveldb/leveldb"
)

var (
	update = flag.Bool("update", false, "rewrite the list in README.md")
	only   = flag.String("only", "", "the one contract to run, for who works on it")
)

const module = "github.com/plugingen/plugingen/golden/corpus"

// entry is a contract that is made of a published interface.
type entry struct {
	name, goType string // folder and interface
	foreign      string // import path
	module       string // with version
	directive    bool
	faults       model.Diagnostics
	result       *generator.ContractResult
}

// TestCorpus generates all contracts, builds them, calls every method through a plugin's process, and compares what came of it
// with the list in README.md.
func TestCorpus(t *testing.T) {
	if testing.Short() {
		t.Skip("builds the modules of the corpus")
	}
	root := layModule(t)
	entries := loadEntries(t, root)
	generateAll(t, root, entries)
	var names []string
	for _, e := range entries {
		if e.result == nil {
			must(t, os.RemoveAll(filepath.Join(root, "contracts", e.name)))
			continue
		}
		lay(t, root, e)
		names = append(names, e.name)
	}
	write(t, filepath.Join(root, "corpus_test.go"), program(names))
	if *only == "" {
		write(t, filepath.Join(root, "real", "real_test.go"), read(t, "testdata/real.go.txt"))
	}
	run(t, root, "vet", "-composites=false", "./...") // published structs are written without keys in their own packages, too
	run(t, root, "test", "-count=1", "./...")
	if *only == "" {
		compareList(t, entries)
	}
}

// layModule copies this module to where it may be written to.
func layModule(t *testing.T) string {
	t.Helper()
	root := t.TempDir()
	checkout, err := filepath.Abs("../..")
	must(t, err)
	f, err := modfile.Parse("go.mod", read(t, "go.mod"), nil)
	must(t, err)
	must(t, f.AddReplace("github.com/plugingen/plugingen", "", checkout, ""))
	data, err := f.Format()
	must(t, err)
	write(t, filepath.Join(root, "go.mod"), data)
	for _, name := range []string{"go.sum", "echo/echo.go"} {
		write(t, filepath.Join(root, name), read(t, name))
	}
	return root
}

var (
	importLine = regexp.MustCompile(`(?m)^import .*"(.*)"$`)
	typeLine   = regexp.MustCompile(`(?m)^type (\w+) = `)
)

func loadEntries(t *testing.T, root string) []*entry {
	t.Helper()
	files, err := filepath.Glob("contracts/*/contract.go")
	must(t, err)
	var entries []*entry
	for _, file := range files {
		data := read(t, file)
		e := &entry{name: filepath.Base(filepath.Dir(file)), directive: bytes.Contains(data, []byte("//plugingen:"))}
		if *only != "" && e.name != *only {
			continue
		}
		e.foreign, e.goType = string(importLine.FindSubmatch(data)[1]), string(typeLine.FindSubmatch(data)[1])
		write(t, filepath.Join(root, file), data)
		entries = append(entries, e)
	}
	required := modules(t)
	for _, e := range entries {
		e.module = moduleOf(required, e.foreign)
	}
	return entries
}

// modules are those that go.mod requires, with versions, the longest path first.
func modules(t *testing.T) []string {
	t.Helper()
	f, err := modfile.Parse("go.mod", read(t, "go.mod"), nil)
	must(t, err)
	var list []string
	for _, r := range f.Require {
		list = append(list, r.Mod.String())
	}
	slices.SortFunc(list, func(a, b string) int { return len(b) - len(a) })
	return list
}

func moduleOf(required []string, importPath string) string {
	for _, m := range required {
		path, _, _ := strings.Cut(m, "@")
		if importPath == path || strings.HasPrefix(importPath, path+"/") {
			return m
		}
	}
	return importPath
}

// generateAll runs two at a time: most of the time is the go command's.
func generateAll(t *testing.T, root string, entries []*entry) {
	t.Helper()
	var wg sync.WaitGroup
	slots := make(chan struct{}, 2)
	for _, e := range entries {
		wg.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			req := generator.ContractRequest{Dir: filepath.Join(root, "contracts", e.name), Types: []string{e.goType}}
			r, err := generator.Contract(t.Context(), req)
			if err != nil && !errors.As(err, &e.faults) {
				t.Errorf("%s: %v", e.name, err)
				return
			}
			e.result = r
		})
	}
	wg.Wait()
	if t.Failed() {
		t.FailNow()
	}
}

// lay writes what was generated, and an implementation that echo serves.
func lay(t *testing.T, root string, e *entry) {
	t.Helper()
	dir := filepath.Join(root, "contracts", e.name)
	for _, f := range e.result.Files {
		write(t, filepath.Join(dir, filepath.FromSlash(f.Name)), f.Data)
	}
	write(t, filepath.Join(dir, "trip", "trip.go"), trip(t, e))
}

// trip is a package with an implementation, and a test of its client.
func trip(t *testing.T, e *entry) []byte {
	t.Helper()
	c, s := e.result.Contract, e.result.Contract.Services[0]
	imports := model.NewImportSet("", "fake", "Implementation", "Run", "t", "c")
	contract, echo := imports.Add(c.Package), imports.Std(module+"/echo")
	var body strings.Builder
	for _, m := range s.Methods {
		m.Signature(imports) // imports first: no parameter may hide one
	}
	for _, m := range s.Methods {
		fmt.Fprintf(&body, "\n%s\n", method(m, imports, echo, s.Name))
	}
	fmt.Fprintf(&body, "\nfunc Implementation() %s.Implementation { return %s.%s.Implement(fake{}) }\n", imports.Std("github.com/plugingen/plugingen/runtime"), contract, s.Var)
	host := imports.Std("github.com/plugingen/plugingen/runtime/host")
	fmt.Fprintf(&body, `
func Run(t *%s.T, p *%s.Plugin) {
	c, err := %s.Dispense(p, %s.%s)
	if err != nil {
		t.Fatal(err)
	}
	%s.Test[%s.%s](t, %q, c)
}
`, imports.Std("testing"), host, host, contract, s.Var, echo, contract, s.Name, s.Name)
	return formatted(t, "package trip\n\n"+imports.Block()+"\ntype fake struct{}\n"+body.String())
}

func method(m *model.Method, imports *model.ImportSet, echo, service string) string {
	names := m.ParamNames(imports)
	params := strings.TrimSuffix(m.SignatureWith(imports, names), m.ResultList(imports))
	if m.HasContext {
		names = names[1:]
	}
	var in, out, results []string
	for _, name := range names {
		in = append(in, "&"+name)
	}
	for i, r := range m.Results {
		results = append(results, fmt.Sprintf("out%d %s", i, r.Type.Expr(imports)))
		out = append(out, fmt.Sprintf("&out%d", i))
	}
	if m.HasError {
		results = append(results, "failure error")
		out = append(out, "&failure")
	}
	return fmt.Sprintf("func (fake) %s (%s) {\n\t%s.Serve(%q, []any{%s}, []any{%s})\n\treturn\n}",
		params, strings.Join(results, ", "), echo, service+"."+m.Name, strings.Join(in, ", "), strings.Join(out, ", "))
}

// program is one test binary for all contracts, and the plugin of all of them.
func program(names []string) []byte {
	var imports, services, tests strings.Builder
	for _, name := range names {
		fmt.Fprintf(&imports, "\t%s %q\n", name, module+"/contracts/"+name+"/trip")
		fmt.Fprintf(&services, "\t\t%s.Implementation(),\n", name)
		fmt.Fprintf(&tests, "\t\t%q: %s.Run,\n", name, name)
	}
	return []byte(`package corpus_test

import (
	"os"
	"testing"

	"github.com/plugingen/plugingen/runtime"
	"github.com/plugingen/plugingen/runtime/handshake"
	"github.com/plugingen/plugingen/runtime/host"
	"github.com/plugingen/plugingen/runtime/plugin"
	"github.com/plugingen/plugingen/runtime/plugintest"

` + imports.String() + `)

var shake = handshake.Config{MagicCookieKey: "CORPUS", MagicCookieValue: "corpus"}

func TestMain(m *testing.M) {
	os.Exit(plugintest.Main(m, plugin.Config{Handshake: shake, Services: map[int][]runtime.Implementation{1: {
` + services.String() + `	}}}))
}

func Test(t *testing.T) {
	for name, run := range map[string]func(*testing.T, *host.Plugin){
` + tests.String() + `	} {
		t.Run(name, func(t *testing.T) { run(t, plugintest.Open(t, shake)) })
	}
}
`)
}

func formatted(t *testing.T, source string) []byte {
	t.Helper()
	data, err := format.Source([]byte(source))
	if err != nil {
		t.Fatalf("%v in\n%s", err, source)
	}
	return data
}

func run(t *testing.T, dir string, args ...string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOFLAGS=-mod=mod", "GOWORK=off")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("go %s: %v\n%s", strings.Join(args, " "), err, out)
	}
}

func read(t *testing.T, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(name)
	must(t, err)
	return data
}

func write(t *testing.T, name string, data []byte) {
	t.Helper()
	must(t, os.MkdirAll(filepath.Dir(name), 0o755))
	must(t, os.WriteFile(name, data, 0o644))
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
