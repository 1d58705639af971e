package stubs

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/plugingen/plugingen/generator/tree"
)

// maxDepth is how far below a module's root packages are looked for.
const maxDepth = 4

// Module says where to look, and for which contract.
type Module struct {
	Root, Path string // of the module
	Contract   string // import path of the contract's package
	// Services has the interface of each service variable of the contract, such as Greeter of GreeterService.
	Services map[string]string

	known map[string]*Package // by folder
	fault error               // of the first package that could not be read
}

// Package is a folder with Go files.
type Package struct {
	Dir   string // relative to the module's root, with slashes
	Path  string // import path
	Files []*File
	fset  *token.FileSet
	in    *Module
}

// File is a Go file that is no test.
type File struct {
	Name      string // relative to the module's root, with slashes
	Source    []byte
	Syntax    *ast.File
	Generated bool
	contract  string // name of the contract's package in the file; "." in the package itself; empty when it is not imported
}

// load reads the packages that have a file which is wanted.
func (m *Module) load(wanted func(data []byte) bool) ([]*Package, error) {
	var packages []*Package
	err := filepath.WalkDir(m.Root, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(m.Root, name)
		if err != nil || !d.IsDir() {
			return err
		}
		if rel != "." && (skipped(d.Name()) || isRoot(name) || strings.Count(rel, string(filepath.Separator)) >= maxDepth) {
			return fs.SkipDir
		}
		p, err := m.loadDir(filepath.ToSlash(rel), wanted)
		if p != nil {
			packages = append(packages, p)
		}
		return err
	})
	return packages, err
}

// other is the package of the module with the import path; nil for what is none, or cannot be read.
func (m *Module) other(importPath string) *Package {
	dir, inside := strings.CutPrefix(importPath, m.Path)
	if !inside || dir != "" && dir[0] != '/' {
		return nil
	}
	p, err := m.loadDir(path.Join(".", dir), func([]byte) bool { return true })
	if m.fault == nil {
		m.fault = err
	}
	return p
}

func isRoot(dir string) bool {
	_, err := os.Stat(filepath.Join(dir, "go.mod"))
	return err == nil
}

func skipped(name string) bool {
	return name == "vendor" || name == "testdata" || name == "node_modules" || strings.HasPrefix(name, ".") || strings.HasPrefix(name, "_")
}

// Read are the names of all files that were read, sorted.
func (m *Module) Read() []string {
	var names []string
	for _, p := range m.known {
		for _, f := range p.Files {
			names = append(names, f.Name)
		}
	}
	slices.Sort(names)
	return names
}

// loadDir returns nil for a folder none of whose files is wanted.
func (m *Module) loadDir(dir string, wanted func(data []byte) bool) (*Package, error) {
	if p, known := m.known[dir]; known {
		return p, nil
	}
	names, err := filepath.Glob(filepath.Join(m.Root, filepath.FromSlash(dir), "*.go"))
	if err != nil {
		return nil, err
	}
	sources, some := map[string][]byte{}, false
	for _, name := range names {
		if info, err := os.Stat(name); err != nil || !info.Mode().IsRegular() || strings.HasSuffix(name, "_test.go") {
			continue
		}
		data, err := os.ReadFile(name)
		if err != nil {
			return nil, err
		}
		sources[name], some = data, some || wanted(data)
	}
	if !some {
		return nil, nil
	}
	p := &Package{Dir: dir, Path: path.Join(m.Path, dir), fset: token.NewFileSet(), in: m}
	for _, name := range names {
		if data, found := sources[name]; found {
			if err := p.add(path.Join(dir, filepath.Base(name)), data); err != nil {
				return nil, err
			}
		}
	}
	if m.known == nil {
		m.known = map[string]*Package{}
	}
	m.known[dir] = p
	return p, nil
}

// mentioned says whether a file passes something to Implement of one of the contract's services.
func (m *Module) mentioned(data []byte) bool {
	for variable := range m.Services {
		if bytes.Contains(data, []byte(variable+".Implement(")) {
			return true
		}
	}
	return false
}

func (p *Package) add(name string, data []byte) error {
	syntax, err := parser.ParseFile(p.fset, name, data, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return fmt.Errorf("look for what implements the contract: %w", err)
	}
	f := &File{Name: name, Source: data, Syntax: syntax, Generated: tree.IsGenerated(data)}
	if p.Path == p.in.Contract {
		f.contract = "."
	}
	for _, spec := range syntax.Imports {
		if importPath(spec) == p.in.Contract {
			f.contract = path.Base(p.in.Contract)
			if spec.Name != nil {
				f.contract = spec.Name.Name
			}
		}
	}
	p.Files = append(p.Files, f)
	return nil
}

func importPath(spec *ast.ImportSpec) string {
	text, err := strconv.Unquote(spec.Path.Value)
	if err != nil {
		return ""
	}
	return text
}

// Declared are the names that the package declares: no import of its files may have them.
func (p *Package) Declared() []string {
	var names []string
	for _, f := range p.Files {
		for _, d := range f.Syntax.Decls {
			switch d := d.(type) {
			case *ast.FuncDecl:
				if d.Recv == nil {
					names = append(names, d.Name.Name)
				}
			case *ast.GenDecl:
				names = append(names, specNames(d)...)
			}
		}
	}
	return names
}

func specNames(d *ast.GenDecl) []string {
	var names []string
	for _, s := range d.Specs {
		switch s := s.(type) {
		case *ast.TypeSpec:
			names = append(names, s.Name.Name)
		case *ast.ValueSpec:
			for _, n := range s.Names {
				names = append(names, n.Name)
			}
		}
	}
	return names
}

// typeNamed finds the declaration of a type; nil when the package has none.
func (p *Package) typeNamed(name string) (*File, *ast.TypeSpec) {
	for _, f := range p.Files {
		for _, d := range f.Syntax.Decls {
			g, ok := d.(*ast.GenDecl)
			if !ok || g.Tok != token.TYPE {
				continue
			}
			for _, s := range g.Specs {
				if t := s.(*ast.TypeSpec); t.Name.Name == name {
					return f, t
				}
			}
		}
	}
	return nil, nil
}
