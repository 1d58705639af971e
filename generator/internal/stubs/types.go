package stubs

import (
	"go/ast"
	"go/token"
)

// named is a type of a package; pkg is nil when it is none of the module's. The zero value is an unknown type.
type named struct {
	pkg  *Package
	name string
}

// maxSteps bounds how many variables and functions lead from an expression to its type.
const maxSteps = 5

// typeOf is the type that e is, or points to; unknown when that takes more than a look at the syntax.
func (p *Package) typeOf(f *File, e ast.Expr, step int) named {
	if step > maxSteps {
		return named{}
	}
	switch e := e.(type) {
	case *ast.ParenExpr:
		return p.typeOf(f, e.X, step+1)
	case *ast.UnaryExpr:
		if e.Op == token.AND {
			return p.typeOf(f, e.X, step+1)
		}
	case *ast.CompositeLit:
		return p.named(f, e.Type, step)
	case *ast.CallExpr:
		return p.typeOfCall(f, e, step)
	case *ast.Ident:
		if n := p.typeOfVariable(f, e.Name, step+1); n != (named{}) {
			return n
		}
		return p.typeOfGlobal(e.Name, step+1)
	case *ast.SelectorExpr:
		if other, _ := p.imported(f, e); other != nil {
			return other.typeOfGlobal(e.Sel.Name, step+1)
		}
	}
	return named{}
}

// imported is the package in front of a name: isImport says whether the name is that of an import, and the package is nil when it is
// none of the module's.
func (p *Package) imported(f *File, e *ast.SelectorExpr) (other *Package, isImport bool) {
	x, ok := e.X.(*ast.Ident)
	if !ok {
		return nil, false
	}
	imports := f.Imports()
	for importPath, name := range imports {
		if name == x.Name || name == "" && guess(importPath) == x.Name {
			return p.in.other(importPath), true
		}
	}
	for importPath, name := range imports { // a package's name need not be the last element of its path
		if other := p.in.other(importPath); name == "" && other != nil && other.Files[0].Syntax.Name.Name == x.Name {
			return other, true
		}
	}
	return nil, false
}

// named is the type in T, *T, (*T) and q.T. Of a type with another name it is that which the other name stands for.
func (p *Package) named(f *File, e ast.Expr, step int) named {
	switch e := e.(type) {
	case *ast.Ident:
		file, spec := p.typeNamed(e.Name)
		if spec != nil && spec.Assign.IsValid() && step < maxSteps {
			if n := p.named(file, spec.Type, step+1); n != (named{}) {
				return n
			}
		}
		return named{p, e.Name}
	case *ast.StarExpr:
		return p.named(f, e.X, step)
	case *ast.ParenExpr:
		return p.named(f, e.X, step)
	case *ast.SelectorExpr:
		other, isImport := p.imported(f, e)
		if other != nil && step < maxSteps {
			return other.named(nil, e.Sel, step+1)
		}
		if x, ok := e.X.(*ast.Ident); ok && isImport {
			return named{nil, x.Name + "." + e.Sel.Name}
		}
	}
	return named{}
}

// typeName is the name in T, *T and (*T).
func typeName(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.Ident:
		return e.Name
	case *ast.StarExpr:
		return typeName(e.X)
	case *ast.ParenExpr:
		return typeName(e.X)
	}
	return ""
}

// typeOfCall knows new(T), T(x), (*T)(x), and functions of the module whose first result is T or *T.
func (p *Package) typeOfCall(f *File, call *ast.CallExpr, step int) named {
	fun := ast.Unparen(call.Fun)
	if id, ok := fun.(*ast.Ident); ok && id.Name == "new" && len(call.Args) == 1 {
		return p.named(f, call.Args[0], step)
	}
	in, name := p, typeName(fun)
	if sel, ok := fun.(*ast.SelectorExpr); ok {
		if in, _ = p.imported(f, sel); in == nil {
			return named{}
		}
		name = sel.Sel.Name
	}
	for _, file := range in.Files {
		for _, d := range file.Syntax.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok && fn.Recv == nil && fn.Name.Name == name && fn.Type.Results != nil {
				return in.named(file, fn.Type.Results.List[0].Type, step)
			}
		}
	}
	if n := p.named(f, fun, step); n.pkg != nil {
		if _, spec := n.pkg.typeNamed(n.name); spec != nil {
			return n
		}
	}
	return named{}
}

// typeOfVariable goes over all that is assigned to the name in the file; it is unknown when that is not always the same type.
func (p *Package) typeOfVariable(f *File, name string, step int) named {
	var found []named
	ast.Inspect(f.Syntax, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.AssignStmt:
			for i, left := range n.Lhs {
				if id, ok := left.(*ast.Ident); ok && id.Name == name && i < len(n.Rhs) {
					found = append(found, p.typeOf(f, n.Rhs[i], step+1))
				}
			}
		case *ast.ValueSpec:
			found = append(found, p.typesOfSpec(f, n, name, step)...)
		case *ast.Field:
			for _, id := range n.Names {
				if id.Name == name {
					found = append(found, p.named(f, n.Type, step))
				}
			}
		}
		return true
	})
	return only(found)
}

// typeOfGlobal is typeOfVariable for a variable of the package, wherever it is declared.
func (p *Package) typeOfGlobal(name string, step int) named {
	var found []named
	for _, f := range p.Files {
		for _, d := range f.Syntax.Decls {
			if g, ok := d.(*ast.GenDecl); ok && g.Tok == token.VAR {
				for _, s := range g.Specs {
					found = append(found, p.typesOfSpec(f, s.(*ast.ValueSpec), name, step)...)
				}
			}
		}
	}
	return only(found)
}

func (p *Package) typesOfSpec(f *File, s *ast.ValueSpec, name string, step int) []named {
	var found []named
	for i, id := range s.Names {
		switch {
		case id.Name != name:
		case s.Type != nil:
			found = append(found, p.named(f, s.Type, step))
		case i < len(s.Values):
			found = append(found, p.typeOf(f, s.Values[i], step+1))
		}
	}
	return found
}

// only is the one type that all are; unknown when there are several, or none.
func only(found []named) named {
	for _, n := range found {
		if n != found[0] {
			return named{}
		}
	}
	if len(found) == 0 {
		return named{}
	}
	return found[0]
}
