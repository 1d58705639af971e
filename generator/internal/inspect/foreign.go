package inspect

import (
	"context"
	"errors"
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"strings"
)

// foreign has the packages of other modules and of the standard library, from their source: export data would have to be
// compiled first where the build cache has none, and is of no use to a program that was built with an older Go.
// Of all that the go command lists, only the packages are read that the types of the contract reach.
type foreign struct {
	fset    *token.FileSet
	listed  map[string]*listedPackage
	parsed  map[string]*parsedPackage
	checked map[string]*types.Package
	loading map[string]bool
	direct  []string // the packages that were asked for

	followed map[ast.Node]bool
	scopes   map[*ast.File]*scope
}

// listForeign asks the go command about what the packages that quick has read import, and reads what they reach.
// Positions are those of fset.
func listForeign(ctx context.Context, env []string, quick *loader, fset *token.FileSet) (*foreign, error) {
	direct := quick.neededImports()
	listed, err := goList(ctx, env, quick, direct)
	if err != nil {
		return nil, err
	}
	f := &foreign{
		fset: fset, listed: listed, direct: direct,
		parsed: map[string]*parsedPackage{}, checked: map[string]*types.Package{}, loading: map[string]bool{},
		followed: map[ast.Node]bool{}, scopes: map[*ast.File]*scope{},
	}
	f.reach(quick)
	return f, nil
}

// Import implements types.Importer.
func (f *foreign) Import(importPath string) (*types.Package, error) {
	if importPath == "unsafe" {
		return types.Unsafe, nil
	}
	if pkg, ok := f.checked[importPath]; ok {
		return pkg, nil
	}
	p := f.parsed[importPath]
	switch {
	case f.loading[importPath]:
		return nil, fmt.Errorf("import cycle through %s", importPath)
	case p == nil:
		return nil, fmt.Errorf("package %s was not asked for", importPath)
	case p.err != nil:
		return nil, p.err
	}
	f.loading[importPath] = true
	defer delete(f.loading, importPath)
	cfg := types.Config{
		Importer: importer{f, f.listed[importPath]}, IgnoreFuncBodies: true, FakeImportC: true, DisableUnusedImportCheck: true,
		Error: func(error) {}, // what the contract uses is checked when it is mapped
	}
	pkg, _ := cfg.Check(importPath, f.fset, p.files, nil)
	f.checked[importPath] = pkg
	return pkg, nil
}

// importer is what a foreign package imports.
type importer struct {
	foreign *foreign
	by      *listedPackage
}

// Import implements types.Importer.
func (i importer) Import(importPath string) (*types.Package, error) {
	return i.foreign.Import(i.by.mapped(importPath))
}

// folder is where the package's source is; empty when the go command has not said.
func (f *foreign) folder(importPath string) string {
	if p := f.listed[importPath]; p != nil {
		return p.Dir
	}
	return ""
}

// why explains a package that could not be read.
func (f *foreign) why(importPath string) error {
	if p := f.listed[importPath]; p != nil && p.Error != nil {
		return errors.New(strings.TrimSpace(p.Error.Err))
	}
	return nil
}
