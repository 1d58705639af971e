package inspect

import (
	"context"
	"errors"
	"fmt"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// foreign has the packages of other modules and of the standard library: their export data, or where that cannot be
// read (a newer tool chain, a package that does not build) their source.
type foreign struct {
	fset    *token.FileSet
	listed  map[string]*listedPackage
	gc      types.Importer
	sources map[string]*types.Package
	loading map[string]bool
	direct  []string // the packages that were asked for
	newer   error    // why the first export data that was there could not be read; nil when there is none
}

// listForeign asks the go command about what the packages that quick has read import.
func listForeign(ctx context.Context, env []string, quick *loader) (*foreign, error) {
	direct := quick.neededImports()
	listed, err := goList(ctx, env, quick, direct)
	if err != nil {
		return nil, err
	}
	f := &foreign{listed: listed, sources: map[string]*types.Package{}, loading: map[string]bool{}, direct: direct}
	return f, nil
}

// attach shares the loader's positions; it comes before the first Import.
func (f *foreign) attach(fset *token.FileSet) {
	f.fset = fset
	f.gc = importer.ForCompiler(fset, "gc", f.open)
}

func (f *foreign) open(importPath string) (io.ReadCloser, error) {
	p := f.listed[importPath]
	if p == nil || p.Export == "" {
		return nil, fmt.Errorf("no export data of %s", importPath)
	}
	return os.Open(p.Export)
}

// Import implements types.Importer.
func (f *foreign) Import(importPath string) (*types.Package, error) {
	if importPath == "unsafe" {
		return types.Unsafe, nil
	}
	if pkg, ok := f.sources[importPath]; ok {
		return pkg, nil
	}
	p := f.listed[importPath]
	if p == nil {
		return nil, fmt.Errorf("package %s was not asked for", importPath)
	}
	if p.Export != "" {
		pkg, err := f.gc.Import(importPath)
		if err == nil {
			return pkg, nil
		}
		if _, missing := os.Stat(p.Export); f.newer == nil && missing == nil {
			f.newer = err
		}
	}
	return f.fromSource(p)
}

func (f *foreign) fromSource(p *listedPackage) (*types.Package, error) {
	if f.loading[p.ImportPath] {
		return nil, fmt.Errorf("import cycle through %s", p.ImportPath)
	}
	f.loading[p.ImportPath] = true
	defer delete(f.loading, p.ImportPath)
	var parsed []*ast.File
	for _, base := range p.GoFiles {
		file, err := parser.ParseFile(f.fset, filepath.Join(p.Dir, base), nil, parser.SkipObjectResolution)
		if err != nil && file == nil {
			return nil, fmt.Errorf("read %s: %w", p.ImportPath, err)
		}
		parsed = append(parsed, file)
	}
	if len(parsed) == 0 {
		return nil, fmt.Errorf("package %s: %s", p.ImportPath, p.reason())
	}
	cfg := types.Config{
		Importer: mapped{f, p.ImportMap}, IgnoreFuncBodies: true, FakeImportC: true, DisableUnusedImportCheck: true,
		Error: func(error) {}, // what the contract uses is checked when it is mapped
	}
	pkg, _ := cfg.Check(p.ImportPath, f.fset, parsed, nil)
	f.sources[p.ImportPath] = pkg
	return pkg, nil
}

// mapped follows the go command's import map: the standard library has vendored packages.
type mapped struct {
	foreign *foreign
	names   map[string]string
}

// Import implements types.Importer.
func (m mapped) Import(importPath string) (*types.Package, error) {
	if vendored, ok := m.names[importPath]; ok {
		importPath = vendored
	}
	return m.foreign.Import(importPath)
}

// folder is where the package's source is; empty when the go command has not said.
func (f *foreign) folder(importPath string) string {
	if p := f.listed[importPath]; p != nil {
		return p.Dir
	}
	return ""
}

// tell says, once, that source was read where export data should have done.
func (f *foreign) tell(r *report) {
	if f.newer != nil && r != nil {
		r.warn(token.Position{}, codeExportData, "", "what the go command compiled cannot be read ("+f.newer.Error()+"): source was read instead, which takes longer",
			"build plugingen with the Go version that is in use here")
	}
}

// why explains a package that could not be read.
func (f *foreign) why(importPath string) error {
	if p := f.listed[importPath]; p != nil && p.Error != nil {
		return errors.New(strings.TrimSpace(p.Error.Err))
	}
	return nil
}
