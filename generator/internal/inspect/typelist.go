package inspect

import (
	"errors"
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"path"
	"strconv"
	"strings"
)

// typeReader reads the types that a directive lists. They are written as in Go, but a package may also be given by
// its import path, because the file may have no other use for it: *github.com/jackc/pgx/v5/pgconn.PgError.
type typeReader struct {
	mapper *mapper
	src    *source   // the package that has the directive
	file   *ast.File // whose imports count; nil for none
	text   string
	pos    token.Pos // of text
	at     int
}

// listed is an element of such a list.
type listed struct {
	object types.Object // for names of variables and types; nil otherwise
	typ    types.Type   // nil for variables
	pos    token.Pos
}

// list reads elements up to the end; faults are told.
func (m *mapper) list(src *source, d directive, args string, offset int) []listed {
	if args == "" {
		return nil
	}
	r := &typeReader{mapper: m, src: src, file: fileAt(src, d.pos), text: args, pos: d.argPos() + token.Pos(offset)}
	var all []listed
	for {
		r.space()
		start := r.at
		e, err := r.element()
		if err == nil {
			r.space()
			if r.at < len(r.text) && r.text[r.at] != ',' {
				err = fmt.Errorf("unexpected %q", r.text[r.at:])
			}
		}
		if err != nil {
			m.directiveFault(r.pos+token.Pos(start), d.name, err.Error(), listHint)
			return all
		}
		if e.object != nil || e.typ != nil {
			e.pos = r.pos + token.Pos(start)
			all = append(all, e)
		}
		if r.at == len(r.text) {
			return all
		}
		r.at++
	}
}

func fileAt(src *source, pos token.Pos) *ast.File {
	for _, f := range src.files {
		if f.FileStart <= pos && pos < f.FileEnd {
			return f
		}
	}
	return nil
}

func (r *typeReader) space() {
	for r.at < len(r.text) && (r.text[r.at] == ' ' || r.text[r.at] == '\t') {
		r.at++
	}
}

func (r *typeReader) accept(text string) bool {
	if !strings.HasPrefix(r.text[r.at:], text) {
		return false
	}
	r.at += len(text)
	return true
}

// element reads one type, or a variable. It returns nothing and no error for what is not known yet.
func (r *typeReader) element() (listed, error) {
	switch {
	case r.accept("*"):
		return r.wrap(func(t types.Type) types.Type { return types.NewPointer(t) })
	case r.accept("[]"):
		return r.wrap(func(t types.Type) types.Type { return types.NewSlice(t) })
	case r.accept("map["):
		return r.mapType()
	case r.accept("["):
		return r.array()
	default:
		return r.name()
	}
}

func (r *typeReader) wrap(outer func(types.Type) types.Type) (listed, error) {
	e, err := r.element()
	if err != nil || e.typ == nil && e.object == nil {
		return e, err
	}
	if e.typ == nil {
		return e, fmt.Errorf("%s is no type", e.object.Name())
	}
	return listed{typ: outer(e.typ)}, nil
}

func (r *typeReader) mapType() (listed, error) {
	key, err := r.element()
	if err != nil {
		return key, err
	}
	if !r.accept("]") {
		return listed{}, errors.New("a ] is missing")
	}
	return r.wrap(func(elem types.Type) types.Type {
		if key.typ == nil {
			return types.Typ[types.Invalid]
		}
		return types.NewMap(key.typ, elem)
	})
}

func (r *typeReader) array() (listed, error) {
	end := strings.IndexByte(r.text[r.at:], ']')
	if end < 0 {
		return listed{}, errors.New("a ] is missing")
	}
	n, err := strconv.ParseInt(r.text[r.at:r.at+end], 0, 64)
	if err != nil || n < 0 {
		return listed{}, fmt.Errorf("%q is no length", r.text[r.at:r.at+end])
	}
	r.at += end + 1
	return r.wrap(func(elem types.Type) types.Type { return types.NewArray(elem, n) })
}

// name reads an identifier, with a package before it.
func (r *typeReader) name() (listed, error) {
	rest := r.text[r.at:]
	if end := strings.IndexAny(rest, ",] \t"); end >= 0 {
		rest = rest[:end]
	}
	r.at += len(rest)
	dot := strings.LastIndexByte(rest, '.')
	id := rest[dot+1:]
	if !token.IsIdentifier(id) {
		return listed{}, fmt.Errorf("%q is no name of a type", rest)
	}
	if dot < 0 {
		_, obj := r.src.types.Scope().LookupParent(id, token.NoPos)
		return found(obj, rest)
	}
	pkg, err := r.mapper.packageNamed(r.file, rest[:dot])
	if pkg == nil || err != nil {
		return listed{}, err
	}
	return found(pkg.Scope().Lookup(id), rest)
}

func found(obj types.Object, name string) (listed, error) {
	switch obj := obj.(type) {
	case *types.TypeName:
		return listed{object: obj, typ: obj.Type()}, nil
	case *types.Var, *types.Const:
		return listed{object: obj}, nil
	}
	return listed{}, fmt.Errorf("%s is not declared", name)
}

// packageNamed finds a package by the name that the file's imports give it, or by its import path. It is nil without an
// error when that has to wait for the go command.
func (m *mapper) packageNamed(file *ast.File, name string) (*types.Package, error) {
	importPath := name
	if file != nil && !strings.Contains(name, "/") {
		for _, spec := range file.Imports {
			p, err := strconv.Unquote(spec.Path.Value)
			if err == nil && (spec.Name != nil && spec.Name.Name == name || spec.Name == nil && path.Base(p) == name) {
				importPath = p
			}
		}
	}
	if importPath == m.home.types.Path() || importPath == m.home.types.Name() {
		return m.home.types, nil
	}
	m.loader.listedPaths[importPath] = true
	pkg, err := m.loader.Import(importPath)
	if err == nil && (m.loader.foreign != nil || m.loader.sources[importPath] != nil) {
		return pkg, nil
	}
	if m.loader.foreign == nil {
		m.unresolved = true
		return nil, nil
	}
	return nil, fmt.Errorf("package %s cannot be read: %w", importPath, err)
}
