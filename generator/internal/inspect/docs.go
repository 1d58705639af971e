package inspect

import (
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"os"
	"path/filepath"
	"strings"
)

// docs finds comments and exact positions of declarations, in files that were read and in those of other modules.
// Export data knows the line of a foreign method, but neither its column nor its comment.
type docs struct {
	loader *loader
	parsed map[string]*ast.File // foreign files by name; nil for those that cannot be read
}

// method returns the method's doc comment and its position.
func (d *docs) method(fn *types.Func) (string, token.Position) {
	pos := d.loader.fset.Position(fn.Pos())
	field, fset := d.field(fn, pos)
	if field == nil {
		return "", d.loader.position(fn.Pos())
	}
	exact := fset.Position(field.Pos())
	exact.Filename = d.loader.relative(exact.Filename)
	return docText(field.Doc), exact
}

func (d *docs) field(fn *types.Func, pos token.Position) (*ast.Field, *token.FileSet) {
	for _, src := range d.loader.sources {
		for _, file := range src.files {
			if file.FileStart <= fn.Pos() && fn.Pos() < file.FileEnd {
				return findMethod(file, d.loader.fset, fn.Name(), pos.Line), d.loader.fset
			}
		}
	}
	if file := d.foreignFile(fn, pos.Filename); file != nil {
		return findMethod(file, d.loader.fset, fn.Name(), pos.Line), d.loader.fset
	}
	return nil, nil
}

func (d *docs) foreignFile(fn *types.Func, name string) *ast.File {
	if fn.Pkg() == nil || d.loader.foreign == nil {
		return nil
	}
	if _, err := os.Stat(name); err != nil {
		name = filepath.Join(d.loader.foreign.folder(fn.Pkg().Path()), filepath.Base(name))
	}
	if file, ok := d.parsed[name]; ok {
		return file
	}
	file, err := parser.ParseFile(d.loader.fset, name, nil, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		file = nil
	}
	d.parsed[name] = file
	return file
}

// written is the type of a parameter or result as the source has it, for types that could not be resolved.
func (d *docs) written(fn *types.Func, v *types.Var, otherwise string) string {
	field, _ := d.field(fn, d.loader.fset.Position(fn.Pos()))
	if field == nil {
		return otherwise
	}
	text := otherwise
	ast.Inspect(field.Type, func(n ast.Node) bool {
		if f, ok := n.(*ast.Field); ok && f.Pos() <= v.Pos() && v.Pos() < f.End() {
			text = types.ExprString(f.Type)
		}
		return true
	})
	return text
}

func findMethod(file *ast.File, fset *token.FileSet, name string, line int) (found *ast.Field) {
	ast.Inspect(file, func(n ast.Node) bool {
		it, ok := n.(*ast.InterfaceType)
		if !ok {
			return found == nil
		}
		for _, field := range it.Methods.List {
			for _, id := range field.Names {
				if id.Name == name && fset.Position(id.Pos()).Line == line {
					found = field
				}
			}
		}
		return found == nil
	})
	return found
}

// typeDoc is the doc comment of a type that the package itself declares.
func (d *docs) typeDoc(src *source, name string) string {
	for _, file := range src.files {
		for _, decl := range file.Decls {
			g, ok := decl.(*ast.GenDecl)
			if !ok || g.Tok != token.TYPE {
				continue
			}
			for _, spec := range g.Specs {
				if t, ok := spec.(*ast.TypeSpec); ok && t.Name.Name == name {
					return or(docText(t.Doc), docText(g.Doc))
				}
			}
		}
	}
	return ""
}

func docText(group *ast.CommentGroup) string {
	return strings.TrimRight(group.Text(), "\n")
}

func or(a, b string) string {
	if a != "" {
		return a
	}
	return b
}
