package inspect

import (
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/scanner"
	"go/token"
	"go/types"
	"path/filepath"
	"strings"
)

// loader type-checks the packages of one module from source; what other modules have comes from foreign.
type loader struct {
	files   files
	module  module
	dir     string // the contract's folder
	fset    *token.FileSet
	sources map[string]*source // by import path
	known   *knownPackages
	foreign *foreign // nil on the quick way
	syntax  scanner.ErrorList
	errs    []types.Error // what the type checker said; most of it does not matter
	docs    *docs
	// listedPaths are import paths that only directives name.
	listedPaths map[string]bool
}

// source is a package that was read from source.
type source struct {
	files []*ast.File
	types *types.Package
	done  bool

	directives *directives // nil until somebody asks
}

func newLoader(f files, m module, dir string) *loader {
	l := &loader{files: f, module: m, dir: dir, fset: token.NewFileSet(), sources: map[string]*source{}, listedPaths: map[string]bool{}}
	l.known = &knownPackages{fset: l.fset, packages: map[string]*types.Package{}}
	l.docs = &docs{loader: l, parsed: map[string]*ast.File{}}
	return l
}

// load reads the package in dir. A package with type errors is fine: only what the contract uses has to be right.
func (l *loader) load(importPath, dir string) (*source, error) {
	src := &source{}
	l.sources[importPath] = src
	parsed, err := l.parse(dir)
	if err != nil {
		return nil, err
	}
	if len(parsed) == 0 {
		return nil, fmt.Errorf("%s: %w", dir, ErrNoGoFiles)
	}
	src.files = parsed
	src.types, _ = l.config().Check(importPath, l.fset, parsed, nil) // the errors are in l.errs
	src.done = true
	return src, nil
}

// ErrNoGoFiles says that a folder is no Go package.
var ErrNoGoFiles = errors.New("no Go files that this machine would build")

func (l *loader) config() *types.Config {
	return &types.Config{
		Importer: l, IgnoreFuncBodies: true, FakeImportC: true, DisableUnusedImportCheck: true,
		Error: func(err error) {
			var e types.Error
			if errors.As(err, &e) {
				l.errs = append(l.errs, e)
			}
		},
	}
}

// parse reads the Go files in dir that make the package: no tests, no output of plugingen.
func (l *loader) parse(dir string) ([]*ast.File, error) {
	names, err := l.files.goFiles(dir)
	if err != nil {
		return nil, fmt.Errorf("contract package: %w", err)
	}
	var parsed []*ast.File
	for _, base := range names {
		if strings.HasSuffix(base, "_test.go") || !l.files.matches(dir, base) {
			continue
		}
		file, err := l.parseFile(filepath.Join(dir, base))
		if err != nil {
			return nil, err
		}
		if file != nil {
			parsed = append(parsed, file)
		}
	}
	return parsed, nil
}

// parseFile returns nil for files that plugingen generated.
func (l *loader) parseFile(name string) (*ast.File, error) {
	data, err := l.files.read(name)
	if err != nil {
		return nil, fmt.Errorf("contract package: %w", err)
	}
	if isGenerated(data) {
		return nil, nil
	}
	file, err := parser.ParseFile(l.fset, name, data, parser.ParseComments|parser.SkipObjectResolution|parser.AllErrors)
	var list scanner.ErrorList
	if errors.As(err, &list) {
		l.syntax = append(l.syntax, list...)
	}
	return file, nil
}

// Import implements types.Importer.
func (l *loader) Import(importPath string) (*types.Package, error) {
	if importPath == "unsafe" {
		return types.Unsafe, nil
	}
	if src, ok := l.sources[importPath]; ok {
		if !src.done {
			return nil, fmt.Errorf("import cycle through %s", importPath)
		}
		return src.types, nil
	}
	if dir, ok := l.module.folder(importPath); ok && l.isPackage(dir) {
		src, err := l.load(importPath, dir)
		if err != nil {
			delete(l.sources, importPath)
			return nil, err
		}
		return src.types, nil
	}
	if l.foreign != nil {
		return l.foreign.Import(importPath)
	}
	return l.known.Import(importPath)
}

// isPackage says whether dir has Go files and is part of the module, not of one nested in it.
func (l *loader) isPackage(dir string) bool {
	for d := dir; d != l.module.root; d = filepath.Dir(d) {
		if l.files.has(filepath.Join(d, "go.mod")) {
			return false
		}
	}
	names, err := l.files.goFiles(dir)
	return err == nil && len(names) > 0
}

// isOwn says whether pos is in a file that was read from source.
func (l *loader) isOwn(pos token.Pos) bool {
	for _, src := range l.sources {
		for _, file := range src.files {
			if file.FileStart <= pos && pos < file.FileEnd {
				return true
			}
		}
	}
	return false
}
