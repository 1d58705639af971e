package inspect

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// parsedPackage is the source of a package, and where its names are declared.
type parsedPackage struct {
	listed   *listedPackage
	files    []*ast.File
	declared map[string]located   // types, constants, variables
	methods  map[string][]located // signatures of exported ones, by their type
	failing  map[string]bool      // types that are errors
	values   map[string][]located // constants, by the names that they mention: those of a type are its enum
	err      error
}

// located is a node and the file that it is in, whose imports it goes by.
type located struct {
	node ast.Node
	file *ast.File
}

// reach reads the packages that the contract's package, and the packages of the module that it imports, refer to in their types
// and error values, and those that these refer to in turn. Where a package is read, its error values and types count, too.
func (f *foreign) reach(quick *loader) {
	for _, importPath := range f.direct {
		if knownSource(importPath) != "" || quick.listedPaths[importPath] {
			f.reachAll(importPath)
		}
	}
	for _, src := range quick.sources {
		for _, file := range src.files {
			for _, decl := range file.Decls {
				f.reachDecl(located{decl, file})
			}
		}
	}
}

// reachDecl follows those specs of a declaration of the contract's that wantsSpec takes.
func (f *foreign) reachDecl(at located) {
	d, ok := at.node.(*ast.GenDecl)
	if !ok {
		return
	}
	for _, spec := range d.Specs {
		if wantsSpec(d.Tok, spec) {
			f.mentions(located{spec, at.file}, nil)
		}
	}
}

// reachAll follows all that a package exports.
func (f *foreign) reachAll(importPath string) {
	p := f.parse(importPath)
	for name := range p.declared {
		if token.IsExported(name) {
			f.reachName(importPath, name, true)
		}
	}
}

// reachName follows the declaration of a name, once. What methods mention matters where the contract itself names the type: it
// may have to implement an interface.
func (f *foreign) reachName(importPath, name string, direct bool) {
	p := f.parse(importPath)
	at, ok := p.declared[name]
	if !ok {
		return
	}
	if direct {
		for _, method := range p.methods[name] {
			f.follow(p, method)
		}
	}
	f.follow(p, at)
	for _, value := range p.values[name] {
		f.follow(p, value)
	}
}

// follow goes on to the names that the node in a package mentions, there and elsewhere.
func (f *foreign) follow(p *parsedPackage, at located) {
	if f.followed[at.node] {
		return
	}
	f.followed[at.node] = true
	f.mentions(at, p)
}

// mentions looks for names, in the package p, or with nil in that of the contract. Of fields, the exported ones matter.
func (f *foreign) mentions(at located, p *parsedPackage) {
	names := f.scope(at.file, p)
	ast.Inspect(at.node, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.StructType:
			for _, field := range n.Fields.List {
				if p == nil || len(field.Names) == 0 || slices.ContainsFunc(field.Names, (*ast.Ident).IsExported) {
					f.mentions(located{field.Type, at.file}, p)
				}
			}
			return false
		case *ast.SelectorExpr:
			if id, ok := n.X.(*ast.Ident); ok && names.packages[id.Name] != "" {
				f.reachName(names.packages[id.Name], n.Sel.Name, p == nil)
				return false
			}
		case *ast.Ident:
			if p != nil {
				f.reachName(p.listed.ImportPath, n.Name, false)
			}
			for _, importPath := range names.dotted {
				f.reachName(importPath, n.Name, p == nil)
			}
		}
		return true
	})
}

// scope is what the imports of a file bring.
type scope struct {
	packages map[string]string // import paths by the names that the file gives them
	dotted   []string          // import paths
}

func (f *foreign) scope(file *ast.File, p *parsedPackage) *scope {
	if s := f.scopes[file]; s != nil {
		return s
	}
	s := &scope{packages: map[string]string{}}
	f.scopes[file] = s
	for _, spec := range file.Imports {
		importPath, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			continue
		}
		if p != nil {
			importPath = p.listed.mapped(importPath)
		}
		switch listed := f.listed[importPath]; {
		case listed == nil:
		case spec.Name == nil:
			s.packages[listed.Name] = importPath
		case spec.Name.Name == ".":
			s.dotted = append(s.dotted, importPath)
		default:
			s.packages[spec.Name.Name] = importPath
		}
	}
	return s
}

// parse reads a package, once.
func (f *foreign) parse(importPath string) *parsedPackage {
	if p := f.parsed[importPath]; p != nil {
		return p
	}
	p := &parsedPackage{
		listed: f.listed[importPath], declared: map[string]located{}, methods: map[string][]located{}, failing: map[string]bool{},
		values: map[string][]located{},
	}
	f.parsed[importPath] = p
	if p.listed == nil || importPath == "unsafe" {
		p.err = fmt.Errorf("package %s was not asked for", importPath)
		return p
	}
	p.read(f.fset)
	for _, file := range p.files {
		for _, decl := range file.Decls {
			p.index(located{decl, file})
		}
	}
	if !p.listed.Standard { // a table has the errors of those that are
		f.reachErrors(importPath, p)
	}
	return p
}

// reachErrors: errors of a package that has types of the contract cross, too.
func (f *foreign) reachErrors(importPath string, p *parsedPackage) {
	for name, at := range p.declared {
		_, isType := at.node.(*ast.TypeSpec)
		if token.IsExported(name) && (p.failing[name] || !isType && strings.HasPrefix(name, "Err")) {
			f.reachName(importPath, name, false)
		}
	}
}

// read parses the files side by side.
func (p *parsedPackage) read(fset *token.FileSet) {
	names := slices.Concat(p.listed.GoFiles, p.listed.CgoFiles)
	p.files = make([]*ast.File, len(names))
	errs := make([]error, len(names))
	var wg sync.WaitGroup
	for i, base := range names {
		wg.Go(func() {
			p.files[i], errs[i] = parser.ParseFile(fset, filepath.Join(p.listed.Dir, base), nil, parser.SkipObjectResolution)
		})
	}
	wg.Wait()
	for i, file := range p.files {
		if file == nil { // a file that is there is used as far as it goes
			p.files, p.err = nil, fmt.Errorf("read %s: %w", p.listed.ImportPath, errs[i])
			return
		}
	}
	if len(names) == 0 {
		p.err = fmt.Errorf("package %s: %s", p.listed.ImportPath, p.listed.reason())
	}
}

// index notes what a declaration declares.
func (p *parsedPackage) index(at located) {
	switch d := at.node.(type) {
	case *ast.FuncDecl:
		if name := receiver(d); name != "" && d.Name.IsExported() {
			p.methods[name] = append(p.methods[name], located{d.Type, at.file})
			p.failing[name] = p.failing[name] || d.Name.Name == "Error"
		}
	case *ast.GenDecl:
		for _, spec := range d.Specs {
			switch spec := spec.(type) {
			case *ast.TypeSpec:
				p.declared[spec.Name.Name] = located{spec, at.file}
			case *ast.ValueSpec:
				for _, id := range spec.Names {
					p.declared[id.Name] = located{spec, at.file}
				}
			}
		}
		if d.Tok == token.CONST {
			p.indexConstants(at)
		}
	}
}

// indexConstants takes a group as one: a line may repeat what one above it says.
func (p *parsedPackage) indexConstants(at located) {
	found := map[string]bool{}
	ast.Inspect(at.node, func(n ast.Node) bool {
		if id, ok := n.(*ast.Ident); ok && !found[id.Name] {
			found[id.Name] = true
			p.values[id.Name] = append(p.values[id.Name], at)
		}
		return true
	})
}

// receiver is the type whose method it is; empty for functions.
func receiver(d *ast.FuncDecl) string {
	if d.Recv == nil || len(d.Recv.List) == 0 {
		return ""
	}
	t := d.Recv.List[0].Type
	for {
		switch e := t.(type) {
		case *ast.StarExpr:
			t = e.X
		case *ast.ParenExpr:
			t = e.X
		case *ast.IndexExpr:
			t = e.X
		case *ast.IndexListExpr:
			t = e.X
		case *ast.Ident:
			return e.Name
		default:
			return ""
		}
	}
}
