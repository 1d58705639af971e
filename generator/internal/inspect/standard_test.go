package inspect

import (
	"go/ast"
	"go/build"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestStandardSentinelsExist looks into the standard library for every name of the table.
func TestStandardSentinelsExist(t *testing.T) {
	source, err := os.ReadFile("standard.go")
	if err != nil {
		t.Fatal(err)
	}
	packages := regexp.MustCompile(`case "(.*)":`).FindAllStringSubmatch(string(source), -1)
	if len(packages) == 0 {
		t.Fatal("the table is empty: has its form changed?")
	}
	for _, m := range packages {
		declared := variables(t, filepath.Join(build.Default.GOROOT, "src", filepath.FromSlash(m[1])))
		for name := range strings.FieldsSeq(standardSentinels(m[1])) {
			if !declared[name] {
				t.Errorf("package %s declares no %s", m[1], name)
			}
		}
	}
}

func variables(t *testing.T, dir string) map[string]bool {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil || len(files) == 0 {
		t.Skipf("no source of the standard library in %s: %v", dir, err)
	}
	names := map[string]bool{}
	for _, file := range files {
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, decl := range parsed.Decls {
			g, ok := decl.(*ast.GenDecl)
			if !ok || g.Tok != token.VAR {
				continue
			}
			for _, spec := range g.Specs {
				specNames(spec, names)
			}
		}
	}
	return names
}
