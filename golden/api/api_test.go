// Package api holds the exported API of the public packages, so that a change of it shows in a review.
package api

import (
	"bytes"
	"flag"
	"fmt"
	"go/ast"
	"go/build"
	"go/parser"
	"go/printer"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// packages are what other people's code may import.
func packages() []string {
	return []string{
		"runtime",
		"runtime/broker",
		"runtime/handshake",
		"runtime/host",
		"runtime/object",
		"runtime/plugin",
		"runtime/plugin/pluginlog",
		"runtime/plugintest",
		"runtime/relay",
		"runtime/rpc",
		"runtime/transport",
		"generator",
		"generator/model",
		"generator/tree",
		"generator/update",
	}
}

func TestExportedAPI(t *testing.T) {
	var files []string
	for _, pkg := range packages() {
		file := strings.ReplaceAll(pkg, "/", "_") + ".txt"
		files = append(files, file)
		t.Run(pkg, func(t *testing.T) {
			compare(t, filepath.Join("testdata", file), exported(t, filepath.Join("..", "..", pkg)))
		})
	}
	checkNoOrphans(t, files)
}

func compare(t *testing.T, golden string, got []byte) {
	t.Helper()
	if *update {
		if err := os.MkdirAll(filepath.Dir(golden), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(golden, got, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatalf("%v (make golden writes it)", err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("the exported API differs from %s; if that is meant, run make golden and read the diff\ngot:\n%s", golden, got)
	}
}

func checkNoOrphans(t *testing.T, want []string) {
	t.Helper()
	entries, err := os.ReadDir("testdata")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if slices.Contains(want, e.Name()) {
			continue
		}
		if *update {
			if err := os.Remove(filepath.Join("testdata", e.Name())); err != nil {
				t.Fatal(err)
			}
			continue
		}
		t.Errorf("testdata/%s belongs to no package", e.Name())
	}
}

// exported prints the exported declarations of the package in dir as Linux sees it, one a paragraph, sorted.
func exported(t *testing.T, dir string) []byte {
	t.Helper()
	ctx := build.Default
	ctx.GOOS, ctx.GOARCH, ctx.CgoEnabled = "linux", "amd64", false
	pkg, err := ctx.ImportDir(dir, 0)
	if err != nil {
		t.Fatal(err)
	}
	fset := token.NewFileSet()
	var decls []string
	for _, name := range pkg.GoFiles {
		file, err := parser.ParseFile(fset, filepath.Join(dir, name), nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		if !ast.FileExports(file) {
			continue
		}
		for _, d := range file.Decls {
			decls = append(decls, declarations(t, fset, d)...)
		}
	}
	slices.Sort(decls)
	return []byte(fmt.Sprintf("package %s\n\n%s\n", pkg.Name, strings.Join(decls, "\n")))
}

// declarations prints each function, type, constant and variable of d by itself.
func declarations(t *testing.T, fset *token.FileSet, d ast.Decl) []string {
	t.Helper()
	switch d := d.(type) {
	case *ast.FuncDecl:
		if d.Recv != nil && !ast.IsExported(receiver(d)) {
			return nil
		}
		d.Body = nil
		return []string{text(t, fset, d)}
	case *ast.GenDecl:
		if d.Tok == token.IMPORT {
			return nil
		}
		if d.Tok == token.CONST { // iota needs its group
			return []string{text(t, fset, d)}
		}
		var out []string
		for _, spec := range d.Specs {
			out = append(out, text(t, fset, &ast.GenDecl{Tok: d.Tok, Specs: []ast.Spec{spec}}))
		}
		return out
	default:
		t.Fatalf("%s: unexpected %T", fset.Position(d.Pos()), d)
		return nil
	}
}

// receiver is the name of the type that d is a method of.
func receiver(d *ast.FuncDecl) string {
	expr := d.Recv.List[0].Type
	for {
		switch e := expr.(type) {
		case *ast.StarExpr:
			expr = e.X
		case *ast.IndexExpr:
			expr = e.X
		case *ast.IndexListExpr:
			expr = e.X
		case *ast.Ident:
			return e.Name
		default:
			return ""
		}
	}
}

func text(t *testing.T, fset *token.FileSet, node any) string {
	t.Helper()
	var out bytes.Buffer
	if err := (&printer.Config{Mode: printer.TabIndent | printer.UseSpaces, Tabwidth: 8}).Fprint(&out, fset, node); err != nil {
		t.Fatal(err)
	}
	return out.String()
}
