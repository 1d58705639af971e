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
func (m *Module) Find() ([]*Target, error) {
	packages, err := m.load(m.mentioned)
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
	for _, t := range targets {
		if t.Type == "" {
			if err := m.settle(t); err != nil {
				return nil, err
			}
		}
	}
	return targets, m.fault
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
func (m *Module) implements(f *File, fun ast.Expr) string {
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
	t.take(p.typeOf(f, arg, 0))
	return t
}

// take makes n the target's type, or says why it cannot be.
func (t *Target) take(n named) {
	if n.name == "" {
		t.Why = "it is not clear from the call which type this is"
		return
	}
	if n.pkg == nil {
		t.Why = "type " + n.name + " is another module's"
		return
	}
	file, spec := n.pkg.typeNamed(n.name)
	switch {
	case spec == nil:
		t.Why = "type " + n.name + " is not declared in package " + n.pkg.Path
	case spec.TypeParams != nil:
		t.Why = "type " + n.name + " has type parameters"
	case spec.Assign.IsValid():
		t.Why = "type " + n.name + " is another name of a type"
	case isInterface(spec.Type):
		t.Why = "type " + n.name + " is an interface"
	default:
		t.Package, t.Type, t.File, t.spec = n.pkg, n.name, file, spec
	}
}

func isInterface(e ast.Expr) bool {
	_, ok := e.(*ast.InterfaceType)
	return ok
}
