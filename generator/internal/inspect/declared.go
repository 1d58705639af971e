package inspect

import (
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"path/filepath"
	"slices"
	"strings"
)

// declared are the names that the package's files declare, those for tests and for other systems included, and those
// that they give to imports; both sorted.
func (l *loader) declared(src *source) (declared, imported []string) {
	names, imports := map[string]bool{}, map[string]bool{}
	for _, name := range src.types.Scope().Names() {
		names[name] = true
	}
	for _, file := range src.files {
		importNames(file, imports)
	}
	for _, file := range l.otherFiles(src) {
		importNames(file, imports)
		declNames(file, names)
	}
	return slices.Sorted(maps.Keys(names)), slices.Sorted(maps.Keys(imports))
}

// otherFiles are those of the package that are no part of this build.
func (l *loader) otherFiles(src *source) []*ast.File {
	bases, err := l.files.goFiles(l.dir)
	if err != nil {
		return nil // the package itself could be read: the folder went away meanwhile
	}
	var others []*ast.File
	for _, base := range bases {
		data, err := l.files.read(filepath.Join(l.dir, base))
		if err != nil || isGenerated(data) || !strings.HasSuffix(base, "_test.go") && l.files.matches(l.dir, base) {
			continue
		}
		file, _ := parser.ParseFile(token.NewFileSet(), base, data, parser.SkipObjectResolution) // faults are the compiler's to tell
		if file != nil && file.Name.Name == src.types.Name() {
			others = append(others, file)
		}
	}
	return others
}

func importNames(file *ast.File, names map[string]bool) {
	for _, spec := range file.Imports {
		if spec.Name != nil && spec.Name.Name != "." && spec.Name.Name != "_" {
			names[spec.Name.Name] = true
			continue
		}
		names[strings.Trim(filepath.Base(spec.Path.Value), `"`)] = true
	}
}

func declNames(file *ast.File, names map[string]bool) {
	for _, decl := range file.Decls {
		switch d := decl.(type) {
		case *ast.FuncDecl:
			if d.Recv == nil {
				names[d.Name.Name] = true
			}
		case *ast.GenDecl:
			for _, spec := range d.Specs {
				specNames(spec, names)
			}
		}
	}
}

func specNames(spec ast.Spec, names map[string]bool) {
	switch s := spec.(type) {
	case *ast.TypeSpec:
		names[s.Name.Name] = true
	case *ast.ValueSpec:
		for _, id := range s.Names {
			names[id.Name] = true
		}
	}
}
