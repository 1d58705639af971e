package stubs

import (
	"bytes"
	"go/ast"
	"slices"
	"strings"
)

// settle finds the type of a target that its call does not tell: the one that the module says to implement the interface, as in
//
//	var _ greeter.Greeter = (*english)(nil)
func (m *Module) settle(t *Target) error {
	packages, err := m.load(func(data []byte) bool {
		return bytes.Contains(data, []byte("_")) && bytes.Contains(data, []byte(m.Contract))
	})
	if err != nil {
		return err
	}
	var found []named
	for _, p := range packages {
		for _, f := range p.Files {
			if f.Generated {
				continue // such as the contract's own client
			}
			for _, n := range p.asserted(f, t.Interface) {
				if !slices.Contains(found, n) {
					found = append(found, n)
				}
			}
		}
	}
	switch len(found) {
	case 0:
		return nil
	case 1:
		t.take(found[0])
		return nil
	}
	var names []string
	for _, n := range found {
		names = append(names, n.pkg.Path+"."+n.name)
	}
	t.Why += ", and several types are said to implement " + t.Interface + ": " + strings.Join(names, ", ")
	return nil
}

// asserted are the module's types that a declaration in the file says to implement the interface.
func (p *Package) asserted(f *File, face string) []named {
	var found []named
	for _, d := range f.Syntax.Decls {
		g, ok := d.(*ast.GenDecl)
		if !ok {
			continue
		}
		for _, s := range g.Specs {
			v, ok := s.(*ast.ValueSpec)
			if !ok || len(v.Names) != 1 || v.Names[0].Name != "_" || len(v.Values) != 1 || !p.isContract(f, v.Type, face) {
				continue
			}
			if n := p.typeOf(f, v.Values[0], 0); n.pkg != nil && n.name != "" {
				found = append(found, n)
			}
		}
	}
	return found
}

// isContract says whether e is the interface of the contract.
func (p *Package) isContract(f *File, e ast.Expr, face string) bool {
	switch e := e.(type) {
	case *ast.Ident:
		return f.contract == "." && e.Name == face
	case *ast.SelectorExpr:
		_, ok := e.X.(*ast.Ident)
		return ok && f.contract != "" && f.contract != "." && e.Sel.Name == face
	}
	return false
}
