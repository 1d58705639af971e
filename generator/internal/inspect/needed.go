package inspect

import (
	"go/ast"
	"go/token"
	"maps"
	"path"
	"slices"
	"strconv"
	"strings"
)

// neededImports are the import paths, sorted, that types and error variables of the packages read so far refer to.
// What only function bodies and other variables use is left out: asking for it would cost time, and it may not build.
func (l *loader) neededImports() []string {
	needed := map[string]bool{"context": true, "time": true, "errors": true, "fmt": true, "io": true, "iter": true} // as the quick way knows
	for _, src := range l.sources {
		for _, file := range src.files {
			l.neededBy(file, needed)
		}
	}
	for importPath := range l.listedPaths {
		needed[importPath] = true
	}
	return slices.Sorted(maps.Keys(needed))
}

func (l *loader) neededBy(file *ast.File, needed map[string]bool) {
	used := map[string]bool{}
	for _, decl := range file.Decls {
		markUsed(decl, used)
	}
	for _, spec := range file.Imports {
		importPath, err := strconv.Unquote(spec.Path.Value)
		if err != nil || importPath == "C" || importPath == "unsafe" {
			continue
		}
		if dir, ok := l.module.folder(importPath); ok && l.isPackage(dir) {
			continue
		}
		if mayBeUsed(spec, importPath, used) {
			needed[importPath] = true
		}
	}
}

// markUsed gathers the names before dots in declarations of types, constants and error variables.
func markUsed(decl ast.Decl, used map[string]bool) {
	d, ok := decl.(*ast.GenDecl)
	if !ok {
		return
	}
	for _, spec := range d.Specs {
		if wantsSpec(d.Tok, spec) {
			markSelectors(spec, used)
		}
	}
}

func wantsSpec(tok token.Token, spec ast.Spec) bool {
	if tok == token.TYPE || tok == token.CONST {
		return true
	}
	v, ok := spec.(*ast.ValueSpec)
	return ok && slices.ContainsFunc(v.Names, func(name *ast.Ident) bool { return strings.HasPrefix(name.Name, "Err") })
}

func markSelectors(node ast.Node, used map[string]bool) {
	ast.Inspect(node, func(n ast.Node) bool {
		if sel, ok := n.(*ast.SelectorExpr); ok {
			if id, ok := sel.X.(*ast.Ident); ok {
				used[id.Name] = true
			}
		}
		return true
	})
}

// mayBeUsed judges by the name that the file gives the package; where only the package itself knows it, it may be any.
func mayBeUsed(spec *ast.ImportSpec, importPath string, used map[string]bool) bool {
	if spec.Name != nil {
		return spec.Name.Name == "." || used[spec.Name.Name]
	}
	base := path.Base(importPath)
	plain := token.IsIdentifier(base) && !isMajor(base)
	return used[base] || !plain
}

func isMajor(base string) bool {
	n, err := strconv.Atoi(strings.TrimPrefix(base, "v"))
	return err == nil && n > 1 && strings.HasPrefix(base, "v")
}
