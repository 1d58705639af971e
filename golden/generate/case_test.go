package generate

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"

	"github.com/plugingen/plugingen/generator"
	"github.com/plugingen/plugingen/generator/model"
)

var (
	update = flag.Bool("update", false, "rewrite the wanted files of the cases")
	only   = flag.String("only", "", "the one case to run, for who works on it")
)

const (
	module   = "example.com/golden"
	inputs   = "in/"
	wants    = "want/"
	trip     = "trip.go" // package trip, whose Run calls the contract over a connection
	errorsAt = wants + "errors.txt"
	warnsAt  = wants + "warnings.txt"
)

// testCase is one txtar: prose and a line with -type or -proto, then input files, a round trip, and wanted files.
type testCase struct {
	name    string
	file    string
	archive *txtar.Archive
	types   []string
	protos  []string
	withPB  bool // the .pb.go is compared, too
	noBuild bool // the input itself does not compile
}

func loadCases(t testing.TB) []*testCase {
	t.Helper()
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no cases: %v", err)
	}
	var cases []*testCase
	for _, file := range files {
		if c := loadCase(t, file); *only == "" || *only == c.name {
			cases = append(cases, c)
		}
	}
	return cases
}

func loadCase(t testing.TB, file string) *testCase {
	t.Helper()
	archive, err := txtar.ParseFile(file)
	if err != nil {
		t.Fatal(err)
	}
	c := &testCase{name: strings.TrimSuffix(filepath.Base(file), ".txtar"), file: file, archive: archive}
	for line := range strings.Lines(string(archive.Comment)) {
		if list, ok := strings.CutPrefix(strings.TrimSpace(line), "-type "); ok {
			words := strings.Fields(list)
			c.types = strings.Split(words[0], ",")
			c.withPB = slices.Contains(words, "+pb")
			c.noBuild = slices.Contains(words, "+nobuild")
		}
		if list, ok := strings.CutPrefix(strings.TrimSpace(line), "-proto "); ok {
			c.protos = strings.Split(list, ",")
		}
	}
	if len(c.types) == 0 && len(c.protos) == 0 {
		t.Fatalf("%s: the comment has no line with -type or -proto", file)
	}
	return c
}

// input lays the case's input files into the folder root/name and returns that.
func (c *testCase) input(t testing.TB, root string) string {
	t.Helper()
	dir := filepath.Join(root, c.name)
	for _, f := range c.archive.Files {
		if name, ok := strings.CutPrefix(f.Name, inputs); ok {
			write(t, filepath.Join(dir, filepath.FromSlash(name)), f.Data)
		}
	}
	return dir
}

func (c *testCase) named(name string) ([]byte, bool) {
	for _, f := range c.archive.Files {
		if f.Name == name {
			return f.Data, true
		}
	}
	return nil, false
}

// result is what generating gave, as files of a case.
type result struct {
	files     []generator.ContractFile
	wanted    map[string]string
	succeeded bool
}

func (c *testCase) generate(t testing.TB, dir string) result {
	t.Helper()
	got, err := generator.Contract(context.Background(), generator.ContractRequest{Dir: dir, Types: c.types, Protos: c.protos})
	var faults model.Diagnostics
	if errors.As(err, &faults) {
		return result{wanted: map[string]string{errorsAt: lines(faults)}}
	}
	if err != nil {
		return result{wanted: map[string]string{errorsAt: err.Error() + "\n"}}
	}
	r := result{files: got.Files, wanted: map[string]string{}, succeeded: true}
	if len(got.Warnings) > 0 {
		r.wanted[warnsAt] = lines(got.Warnings)
	}
	for _, f := range got.Files {
		if c.withPB || !strings.HasSuffix(f.Name, ".pb.go") {
			r.wanted[path.Join(wants, f.Name)] = string(f.Data)
		}
	}
	return r
}

func lines(faults model.Diagnostics) string { return faults.Error() + "\n" }

// rewrite replaces the wanted files of the case.
func (c *testCase) rewrite(t testing.TB, r result) {
	t.Helper()
	c.archive.Files = slices.DeleteFunc(c.archive.Files, func(f txtar.File) bool { return strings.HasPrefix(f.Name, wants) })
	for _, name := range sortedKeys(r.wanted) {
		c.archive.Files = append(c.archive.Files, txtar.File{Name: name, Data: []byte(r.wanted[name])})
	}
	if formatted := txtar.Format(c.archive); !bytes.Equal(formatted, read(t, c.file)) {
		write(t, c.file, formatted)
	}
}

func sortedKeys(m map[string]string) []string {
	names := make([]string, 0, len(m))
	for name := range m {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

func write(t testing.TB, name string, data []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, data, 0o644); err != nil {
		t.Fatal(err)
	}
}

func read(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return data
}
