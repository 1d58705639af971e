package update

import (
	"bytes"
	"errors"
	"go/ast"
	"go/format"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"slices"
	"strings"

	"golang.org/x/mod/module"

	"github.com/plugingen/plugingen/generator/tree"
)

// withoutDeclared is the template's Go file without the functions and methods that are new in it and that the owner has declared
// already, in this file or in another of its package: by hand, or by "plugingen generate", which adds stubs as well. Merged by lines
// they would stand there twice. Files of Go that does not parse stay as they are.
func (p *planner) withoutDeclared(theirs tree.File, base []byte) (tree.File, error) {
	file, set := parseGo(theirs.Data)
	if path.Ext(theirs.Path) != ".go" || file == nil {
		return theirs, nil
	}
	before, _ := parseGo(base)
	taken, err := p.declared(path.Dir(theirs.Path), file.Name.Name)
	if err != nil || len(taken) == 0 {
		return theirs, err
	}
	known := funcsOf(before)
	var cuts []cut
	for _, f := range functions(file) {
		if key := funcKey(f); taken[key] && !known[key] {
			cuts = append(cuts, cutOf(set, theirs.Data, f))
		}
	}
	if len(cuts) > 0 {
		theirs.Data = withoutImports(remove(theirs.Data, cuts), before)
	}
	return theirs, nil
}

// declared are the functions of the package called name that the owner has in dir.
func (p *planner) declared(dir, name string) (map[string]bool, error) {
	entries, err := fs.ReadDir(p.root.FS(), dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	taken := map[string]bool{}
	for _, e := range entries {
		if !e.Type().IsRegular() || path.Ext(e.Name()) != ".go" {
			continue
		}
		d, err := p.disk(path.Join(dir, e.Name()))
		if err != nil {
			return nil, err
		}
		if file, _ := parseGo(d.data()); file != nil && file.Name.Name == name {
			for key := range funcsOf(file) {
				taken[key] = true
			}
		}
	}
	return taken, nil
}

// parseGo returns nil for what is not Go.
func parseGo(data []byte) (*ast.File, *token.FileSet) {
	if data == nil {
		return nil, nil
	}
	set := token.NewFileSet()
	file, err := parser.ParseFile(set, "", data, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return nil, nil
	}
	return file, set
}

// functions are those that a package can declare once.
func functions(file *ast.File) []*ast.FuncDecl {
	var all []*ast.FuncDecl
	for _, d := range file.Decls {
		if f, ok := d.(*ast.FuncDecl); ok && f.Name.Name != "_" && (f.Recv != nil || f.Name.Name != "init") {
			all = append(all, f)
		}
	}
	return all
}

func funcsOf(file *ast.File) map[string]bool {
	keys := map[string]bool{}
	if file == nil {
		return keys
	}
	for _, f := range functions(file) {
		keys[funcKey(f)] = true
	}
	return keys
}

// funcKey is the function's name, behind its receiver's type.
func funcKey(f *ast.FuncDecl) string {
	if f.Recv == nil || len(f.Recv.List) == 0 {
		return f.Name.Name
	}
	t := f.Recv.List[0].Type
	for {
		switch x := t.(type) {
		case *ast.StarExpr:
			t = x.X
		case *ast.ParenExpr:
			t = x.X
		case *ast.IndexExpr:
			t = x.X
		case *ast.IndexListExpr:
			t = x.X
		case *ast.Ident:
			return x.Name + "." + f.Name.Name
		default:
			return f.Name.Name
		}
	}
}

// cut is a part of a text, from its first byte to behind its last.
type cut struct{ from, to int }

// cutOf is the declaration with its comment and the lines' ends around it.
func cutOf(set *token.FileSet, data []byte, f *ast.FuncDecl) cut {
	from := f.Pos()
	if f.Doc != nil {
		from = f.Doc.Pos()
	}
	return wholeLines(data, set.Position(from).Offset, set.Position(f.End()).Offset)
}

// wholeLines takes the end of the line too, and the empty one before.
func wholeLines(data []byte, from, to int) cut {
	if i := bytes.IndexByte(data[to:], '\n'); i >= 0 {
		to += i + 1
	}
	if bytes.HasSuffix(data[:from], []byte("\n\n")) {
		from--
	}
	return cut{from, to}
}

func remove(data []byte, cuts []cut) []byte {
	kept := slices.Clone(data)
	for _, c := range slices.Backward(cuts) {
		kept = slices.Delete(kept, c.from, c.to)
	}
	return kept
}

// withoutImports leaves out imports that before lacks and nothing uses any more.
func withoutImports(data []byte, before *ast.File) []byte {
	file, set := parseGo(data)
	if file == nil {
		return data
	}
	used, had := usedNames(file), importPaths(before)
	var cuts []cut
	for _, spec := range file.Imports {
		if name := importName(spec); !had[spec.Path.Value] && name != "_" && name != "." && !used[name] {
			start := set.Position(spec.Pos()).Offset
			start = bytes.LastIndexByte(data[:start], '\n') + 1
			end := set.Position(spec.End()).Offset
			cuts = append(cuts, cut{start, wholeLines(data, start, end).to})
		}
	}
	data = remove(data, cuts)
	if formatted, err := format.Source(data); err == nil {
		return formatted
	}
	return data
}

func usedNames(file *ast.File) map[string]bool {
	used := map[string]bool{}
	ast.Inspect(file, func(n ast.Node) bool {
		if s, ok := n.(*ast.SelectorExpr); ok {
			if x, ok := s.X.(*ast.Ident); ok {
				used[x.Name] = true
			}
		}
		return true
	})
	return used
}

func importPaths(file *ast.File) map[string]bool {
	paths := map[string]bool{}
	if file != nil {
		for _, spec := range file.Imports {
			paths[spec.Path.Value] = true
		}
	}
	return paths
}

// importName is the name that generated code uses a package by: it writes one out where the path does not end in it.
func importName(spec *ast.ImportSpec) string {
	if spec.Name != nil {
		return spec.Name.Name
	}
	full := strings.Trim(spec.Path.Value, "\"`")
	if prefix, _, ok := module.SplitPathVersion(full); ok {
		full = prefix
	}
	return path.Base(full)
}
