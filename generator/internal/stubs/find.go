package stubs

import (
	"go/ast"
	"go/token"
	"slices"
)

// Target is a type that implements an interface of the contract, or what is passed for one.
type Target struct {
	Package   *Package
	Interface string
	// Type is the name of the type, and File has it; empty and nil when it is unknown: Why says so, Pos where.
	Type string
	File *File
	Pos  token.Position
	Why  string

	spec *ast.TypeSpec
	arg  ast.Expr
}

// Find returns what the module passes to Implement of the contract's services, each type once.
func (m Module) Find() ([]*Target, error) {
	packages, err := m.load()
	if err != nil {
		return nil, err
	}
	var targets []*Target
	for _, p := range packages {
		for _, f := range p.Files {
			ast.Inspect(f.Syntax, func(n ast.Node) bool {
				if call, ok := n.(*ast.CallExpr); ok && len(call.Args) == 1 {
					if face := m.implements(f, call.Fun); face != "" {
						targets = appendOnce(targets, p.target(f, face, call.Args[0]))
					}
				}
				return true
			})
		}
	}
	return targets, nil
}

func appendOnce(targets []*Target, t *Target) []*Target {
	same := func(o *Target) bool {
		return t.Type != "" && o.Type == t.Type && o.Package == t.Package && o.Interface == t.Interface
	}
	if slices.ContainsFunc(targets, same) {
		return targets
	}
	return append(targets, t)
}

// implements is the interface when fun is greeter.GreeterService.Implement; otherwise empty.
func (m Module) implements(f *File, fun ast.Expr) string {
	method, ok := fun.(*ast.SelectorExpr)
	if !ok || method.Sel.Name != "Implement" || f.contract == "" {
		return ""
	}
	switch v := method.X.(type) {
	case *ast.Ident:
		if f.contract == "." {
			return m.Services[v.Name]
		}
	case *ast.SelectorExpr:
		// The name in front may be any: the package's own name need not be the last element of its path.
		if _, ok := v.X.(*ast.Ident); ok && f.contract != "." {
			return m.Services[v.Sel.Name]
		}
	}
	return ""
}

func (p *Package) target(f *File, face string, arg ast.Expr) *Target {
	t := &Target{Package: p, Interface: face, Pos: p.fset.Position(arg.Pos()), arg: arg}
	name := p.typeOf(f, arg, 0)
	if name == "" {
		t.Why = "it is not clear from the call which type this is"
		return t
	}
	file, spec := p.typeNamed(name)
	switch {
	case spec == nil:
		t.Why = "type " + name + " is not declared in this package"
	case spec.TypeParams != nil:
		t.Why = "type " + name + " has type parameters"
	case spec.Assign.IsValid():
		t.Why = "type " + name + " is another name of a type"
	case isInterface(spec.Type):
		t.Why = "type " + name + " is an interface"
	default:
		t.Type, t.File, t.spec = name, file, spec
	}
	return t
}

func isInterface(e ast.Expr) bool {
	_, ok := e.(*ast.InterfaceType)
	return ok
}

// maxSteps bounds how many variables and functions lead from an expression to its type.
const maxSteps = 5

// typeOf is the name of the package's type that e is, or points to; empty when that takes more than a look at the syntax.
func (p *Package) typeOf(f *File, e ast.Expr, step int) string {
	if step > maxSteps {
		return ""
	}
	switch e := e.(type) {
	case *ast.ParenExpr:
		return p.typeOf(f, e.X, step+1)
	case *ast.UnaryExpr:
		if e.Op == token.AND {
			return p.typeOf(f, e.X, step+1)
		}
	case *ast.CompositeLit:
		return typeName(e.Type)
	case *ast.CallExpr:
		return p.typeOfCall(e)
	case *ast.Ident:
		return p.typeOfVariable(f, e.Name, step+1)
	}
	return ""
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

// typeOfCall knows new(T), T(x), (*T)(x), and functions of the package whose first result is T or *T.
func (p *Package) typeOfCall(call *ast.CallExpr) string {
	name := typeName(call.Fun)
	if name == "new" && len(call.Args) == 1 {
		return typeName(call.Args[0])
	}
	for _, f := range p.Files {
		for _, d := range f.Syntax.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok && fn.Recv == nil && fn.Name.Name == name && fn.Type.Results != nil {
				return typeName(fn.Type.Results.List[0].Type)
			}
		}
	}
	if _, spec := p.typeNamed(name); spec != nil {
		return name
	}
	return ""
}

// typeOfVariable goes over all that is assigned to the name in the file; it is empty when that is not always the same type.
func (p *Package) typeOfVariable(f *File, name string, step int) string {
	var found []string
	add := func(names []ast.Expr, values []ast.Expr) {
		for i, n := range names {
			if id, ok := n.(*ast.Ident); ok && id.Name == name && i < len(values) {
				found = append(found, p.typeOf(f, values[i], step+1))
			}
		}
	}
	ast.Inspect(f.Syntax, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.AssignStmt:
			add(n.Lhs, n.Rhs)
		case *ast.ValueSpec:
			for _, id := range n.Names {
				if id.Name == name && n.Type != nil {
					found = append(found, typeName(n.Type))
				} else if n.Type == nil {
					add([]ast.Expr{id}, n.Values)
				}
			}
		case *ast.Field:
			for _, id := range n.Names {
				if id.Name == name {
					found = append(found, typeName(n.Type))
				}
			}
		}
		return true
	})
	if slices.Sort(found); len(slices.Compact(found)) == 1 {
		return found[0]
	}
	return ""
}
