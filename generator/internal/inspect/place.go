package inspect

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	xmodule "golang.org/x/mod/module"
)

// Place is the folder of a package in its module. The folder need not be there yet. All that is read of the disk is
// recorded in the trace of the Config.
type Place struct {
	Dir    string // absolute
	files  files
	module module
}

// Locate finds the module that cfg.Dir is in. ErrNoModule is wrapped when there is none.
func Locate(cfg Config) (*Place, error) {
	dir, err := filepath.Abs(cfg.Dir)
	if err != nil {
		return nil, fmt.Errorf("contract folder: %w", err)
	}
	p := &Place{Dir: dir, files: files{overlay: cleanOverlay(cfg.Overlay), trace: cfg.Trace}}
	if p.module, err = findModule(p.files, dir); err != nil {
		return nil, err
	}
	if err := xmodule.CheckImportPath(p.ImportPath(dir)); err != nil {
		return nil, fmt.Errorf("contract in %s: %w", dir, err)
	}
	return p, nil
}

// Module is the module's path.
func (p *Place) Module() string { return p.module.path }

// Root is the module's folder.
func (p *Place) Root() string { return p.module.root }

// ImportPath is that of a folder of the module.
func (p *Place) ImportPath(dir string) string { return p.module.importPath(dir) }

// Folder is where the package with the import path is, or would be; not ok for those of other modules.
func (p *Place) Folder(importPath string) (dir string, ok bool) { return p.module.folder(importPath) }

// Read returns a file.
func (p *Place) Read(name string) ([]byte, error) { return p.files.read(name) }

// Has says whether a regular file is there.
func (p *Place) Has(name string) bool { return p.files.has(name) }

// Relative shortens the name of a file in the module to what a person in the folder would type.
func (p *Place) Relative(name string) string {
	return (&loader{module: p.module, dir: p.Dir}).relative(name)
}

// GoFiles are the hand-written Go files of a folder, without those in except.
type GoFiles struct {
	// Package is their name; empty without files.
	Package string
	// Declared are the names that they declare, Imported those that they give to imports; sorted.
	Declared, Imported []string
}

// GoFiles reads what the package in the folder declares: files for tests and for other systems included. Those that
// plugingen generated are left out, as are those with a name (without folder) among except.
func (p *Place) GoFiles(dir string, except ...string) (GoFiles, error) {
	bases, err := p.files.goFiles(dir)
	if err != nil {
		return GoFiles{}, fmt.Errorf("contract package: %w", err)
	}
	var found GoFiles
	names, imports := map[string]bool{}, map[string]bool{}
	for _, base := range bases {
		if slices.Contains(except, base) {
			continue
		}
		file, err := p.parse(filepath.Join(dir, base))
		if err != nil {
			return GoFiles{}, err
		}
		if file == nil || strings.HasSuffix(file.Name.Name, "_test") {
			continue
		}
		if found.Package == "" || !strings.HasSuffix(base, "_test.go") {
			found.Package = file.Name.Name
		}
		importNames(file, imports)
		declNames(file, names)
	}
	found.Declared, found.Imported = slices.Sorted(maps.Keys(names)), slices.Sorted(maps.Keys(imports))
	return found, nil
}

// parse returns nil for files that plugingen generated. Faults are the compiler's to tell.
func (p *Place) parse(name string) (*ast.File, error) {
	data, err := p.files.read(name)
	if err != nil {
		return nil, fmt.Errorf("contract package: %w", err)
	}
	if isGenerated(data) {
		return nil, nil
	}
	file, _ := parser.ParseFile(token.NewFileSet(), name, data, parser.SkipObjectResolution)
	if file == nil || file.Name == nil {
		return nil, nil
	}
	return file, nil
}
