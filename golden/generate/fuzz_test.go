package generate

import (
	"context"
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"

	"github.com/plugingen/plugingen/generator"
	"github.com/plugingen/plugingen/generator/model"
)

// FuzzContract gives the generator any Go source. What is an interface there becomes a contract, or is refused with a position;
// twice gives the same; and what is generated again over itself does not change. That it compiles, TestRoundTrips shows for
// the cases and for contracts made by chance.
func FuzzContract(f *testing.F) {
	for _, c := range loadCases(f) {
		for _, file := range c.archive.Files {
			if name, ok := strings.CutPrefix(file.Name, inputs); ok && !strings.Contains(name, "/") && strings.HasSuffix(name, ".go") {
				f.Add(string(file.Data))
			}
		}
	}
	for i := range uint64(8) {
		f.Add(randomSource("random", rand.New(rand.NewPCG(i, 1))))
	}
	f.Fuzz(func(t *testing.T, source string) {
		names := interfaces(source)
		if len(names) == 0 || importsOthers(source) {
			return
		}
		dir := filepath.Join(t.TempDir(), "nowhere", "fuzzed")
		overlay := map[string][]byte{
			filepath.Join(filepath.Dir(dir), "go.mod"): []byte("module example.com/nowhere\n\ngo 1.26\n"),
			filepath.Join(dir, "fuzzed.go"):            []byte(source),
		}
		req := generator.ContractRequest{Dir: dir, Overlay: overlay, Types: names, Env: []string{"PATH=" + filepath.Join(dir, "no-go-command")}}
		first, err := generator.Contract(context.Background(), req)
		if err != nil {
			checkRefusal(t, err)
			return
		}
		for _, file := range first.Files {
			overlay[filepath.Join(dir, filepath.FromSlash(file.Name))] = file.Data
		}
		second, err := generator.Contract(context.Background(), req)
		if err != nil {
			t.Fatalf("over its own output: %v", err)
		}
		for i, file := range first.Files {
			if string(file.Data) != string(second.Files[i].Data) {
				t.Errorf("%s changes when it is generated again", file.Name)
			}
		}
	})
}

// checkRefusal wants every fault to say where, why and what to do.
func checkRefusal(t *testing.T, err error) {
	t.Helper()
	var faults model.Diagnostics
	if !errors.As(err, &faults) {
		if strings.Contains(err.Error(), "go list") || strings.Contains(err.Error(), "need the go command") {
			return // types of packages that this test does not give it
		}
		if strings.Contains(err.Error(), "template") || errors.Is(err, context.Canceled) {
			t.Fatalf("what is generated is no Go: %v", err)
		}
		return
	}
	for _, d := range faults {
		if d.File == "" || d.Code == "" || d.Why == "" || d.Hint == "" {
			t.Errorf("a fault lacks something: %+v", d)
		}
	}
}

// interfaces are the names of the types that the source declares as interfaces.
func interfaces(source string) []string {
	file, err := parser.ParseFile(token.NewFileSet(), "fuzzed.go", source, parser.SkipObjectResolution)
	if err != nil {
		return nil
	}
	var names []string
	for _, decl := range file.Decls {
		g, ok := decl.(*ast.GenDecl)
		if !ok {
			continue
		}
		for _, spec := range g.Specs {
			if s, ok := spec.(*ast.TypeSpec); ok && len(names) < 3 {
				if _, ok := s.Type.(*ast.InterfaceType); ok {
					names = append(names, s.Name.Name)
				}
			}
		}
	}
	return names
}

// importsOthers spares the go command: it takes longer than everything else.
func importsOthers(source string) bool {
	file, err := parser.ParseFile(token.NewFileSet(), "fuzzed.go", source, parser.ImportsOnly)
	if err != nil {
		return true
	}
	for _, i := range file.Imports {
		switch strings.Trim(i.Path.Value, "`\"") {
		case "context", "time", "io", "errors", "fmt", "iter":
		default:
			return true
		}
	}
	return false
}
