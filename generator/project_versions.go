package generator

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// handshakeVersions reads off the package in dir which protocol versions its Handshake names, each once, in their order there:
//
//	var Handshake = handshake.Config{ProtocolVersions: []int{2}, ...}
//
// It is {1}, which is what the runtime takes a Config without versions for, also where they are not written out as numbers:
// then the author has to correct the project's main.
func handshakeVersions(dir string) []int {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return []int{1}
	}
	for _, e := range entries {
		if !strings.HasSuffix(e.Name(), ".go") || strings.HasSuffix(e.Name(), "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(dir, e.Name()), nil, parser.SkipObjectResolution)
		if err != nil {
			continue
		}
		if versions := versionsOf(handshakeOf(file)); len(versions) > 0 {
			return versions
		}
	}
	return []int{1}
}

// handshakeOf is the value of the file's variable Handshake; nil when it declares none as a literal.
func handshakeOf(file *ast.File) *ast.CompositeLit {
	for _, d := range file.Decls {
		g, ok := d.(*ast.GenDecl)
		if !ok || g.Tok != token.VAR {
			continue
		}
		for _, spec := range g.Specs {
			values := spec.(*ast.ValueSpec)
			for i, name := range values.Names {
				if name.Name != "Handshake" || i >= len(values.Values) {
					continue
				}
				lit, _ := values.Values[i].(*ast.CompositeLit)
				return lit
			}
		}
	}
	return nil
}

func versionsOf(handshake *ast.CompositeLit) []int {
	if handshake == nil {
		return nil
	}
	for _, e := range handshake.Elts {
		field, ok := e.(*ast.KeyValueExpr)
		if !ok {
			continue
		}
		list, ok := field.Value.(*ast.CompositeLit)
		if key, isName := field.Key.(*ast.Ident); ok && isName && key.Name == "ProtocolVersions" {
			return numbers(list)
		}
	}
	return nil
}

// numbers are the elements of list; none when one of them is not a number.
func numbers(list *ast.CompositeLit) []int {
	var all []int
	for _, e := range list.Elts {
		lit, ok := e.(*ast.BasicLit)
		if !ok {
			return nil
		}
		n, err := strconv.Atoi(lit.Value)
		if err != nil {
			return nil
		}
		if !slices.Contains(all, n) {
			all = append(all, n)
		}
	}
	return all
}
