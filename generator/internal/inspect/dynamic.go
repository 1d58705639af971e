package inspect

import (
	"cmp"
	"go/types"
	"maps"
	"slices"
	"strings"

	"github.com/plugingen/plugingen/generator/model"
)

// oneOf maps an interface whose concrete types a directive lists: in its own doc comment, or in that of an interface of the
// contract. It returns nil for others.
func (m *mapper) oneOf(t *types.Named, mt *model.Type, path string) *model.Type {
	iface, ok := t.Underlying().(*types.Interface)
	if !ok || t.Obj().Pkg() == nil {
		return nil
	}
	src, d, args, offset := m.oneOfDirective(t)
	if src == nil {
		return nil
	}
	mt.Kind = model.OneOf
	m.checkList(d)
	for _, e := range m.list(src, d, args, offset) {
		switch {
		case e.typ == nil:
			m.directiveFault(e.pos, d.name, e.object.Name()+" is no type", "list types")
		case !types.Implements(e.typ, iface):
			m.directiveFault(e.pos, d.name, m.show(e.typ)+" does not implement "+m.show(t), "give it the methods, or list a pointer to it")
		default:
			mt.Variants = append(mt.Variants, m.convert(e.typ, path+".("+m.show(e.typ)+")"))
		}
	}
	return mt
}

// checkOneOfs refuses lists for what is no interface: nobody else would notice them.
func (m *mapper) checkOneOfs() {
	for _, service := range m.asked {
		for _, d := range directivesOf(m.home).types[service] {
			name, _, ok := strings.Cut(d.args, "=")
			if d.name != directiveOneOf || !ok {
				continue
			}
			name = strings.TrimRight(name, " \t")
			if name == "" {
				m.directiveFault(d.argPos(), d.name, "no interface stands before the =", "write //plugingen:oneof Shape = Circle, *Square")
			}
			for _, e := range m.list(m.home, d, name, 0) {
				if n, _ := types.Unalias(orInvalid(e.typ)).(*types.Named); n == nil || !types.IsInterface(n) && !isInvalid(n) {
					m.directiveFault(e.pos, d.name, "it is no interface with a name", "write //plugingen:oneof Shape = Circle, *Square")
				}
			}
		}
	}
}

func orInvalid(t types.Type) types.Type {
	if t == nil {
		return types.Typ[types.Invalid]
	}
	return t
}

// oneOfDirective finds the directive about an interface, and which part of it is the list.
func (m *mapper) oneOfDirective(t *types.Named) (*source, directive, string, int) {
	if src := m.loader.sources[t.Obj().Pkg().Path()]; src != nil {
		for _, d := range directivesOf(src).types[t.Obj().Name()] {
			if d.name == directiveOneOf && !strings.Contains(d.args, "=") {
				return src, d, d.args, 0
			}
		}
	}
	for _, service := range m.asked {
		for _, d := range directivesOf(m.home).types[service] {
			name, list, ok := strings.Cut(d.args, "=")
			if d.name != directiveOneOf || !ok {
				continue
			}
			for _, e := range m.list(m.home, d, strings.TrimRight(name, " \t"), 0) {
				if n, _ := e.typ.(*types.Named); n != nil && n.Obj() == t.Obj() {
					return m.home, d, list, len(name) + 1
				}
			}
		}
	}
	return nil, directive{}, "", 0
}

// dynamic maps the types that directives of the services allow beside those that the methods mention.
func (m *mapper) dynamic(c *model.Contract) {
	for _, service := range m.asked {
		for _, d := range directivesOf(m.home).types[service] {
			switch d.name {
			case directiveAny:
				m.values(c, service, d)
			case directiveErrors:
				m.errors(c, service, d)
			}
		}
	}
	if m.carriesErrors(c) {
		m.ownErrorTypes(c)
	}
	byID := func(a, b *model.Type) int { return cmp.Compare(a.ID(), b.ID()) }
	same := func(a, b *model.Type) bool { return a.ID() == b.ID() }
	for _, list := range []*[]*model.Type{&c.Values, &c.ErrorTypes} {
		slices.SortFunc(*list, byID)
		*list = slices.CompactFunc(*list, same)
	}
}

// values are the types that a value of type any may have. A type that is listed may also come behind a pointer.
func (m *mapper) values(c *model.Contract, service string, d directive) {
	for _, e := range m.list(m.home, d, d.args, 0) {
		if e.typ == nil {
			m.directiveFault(e.pos, d.name, e.object.Name()+" is no type", "list types")
			continue
		}
		m.at = m.loader.position(e.pos)
		c.Values = append(c.Values, m.mentioned(e.typ, service, d.name))
		if _, ok := types.Unalias(e.typ).(*types.Named); ok && !types.IsInterface(e.typ) {
			c.Values = append(c.Values, m.mentioned(types.NewPointer(e.typ), service, d.name))
		}
	}
}

// mentioned maps a type that a directive names.
func (m *mapper) mentioned(t types.Type, service, name string) *model.Type {
	m.written = m.show(t)
	m.place, m.root, m.depth = service+": "+directiveMark+name+" "+m.written, m.written, 1
	m.detached = true
	defer func() { m.detached = false }()
	mt := m.convert(t, m.root)
	if mt.IsLive() { // it was met before, in a method
		return m.refuse(m.root, codeDetached, "an interface, a function, a channel or an iterator in it belongs to one call", "use a type that is data only")
	}
	return mt
}

func (m *mapper) errors(c *model.Contract, service string, d directive) {
	for _, e := range m.list(m.home, d, d.args, 0) {
		m.at = m.loader.position(e.pos)
		switch {
		case e.typ == nil && isErrorValue(e.object.Type()):
			m.extraSentinels = append(m.extraSentinels, e.object)
		case e.typ != nil && isErrorValue(e.typ):
			c.ErrorTypes = append(c.ErrorTypes, m.mentioned(e.typ, service, d.name))
		case e.typ != nil && isErrorValue(types.NewPointer(e.typ)):
			m.directiveFault(e.pos, d.name, m.show(e.typ)+" is no error", "list *"+m.show(e.typ)+", which is one")
		default:
			m.directiveFault(e.pos, d.name, "it is no error", "list variables and types that are errors")
		}
	}
}

func isErrorValue(t types.Type) bool {
	return types.Implements(t, types.Universe.Lookup("error").Type().Underlying().(*types.Interface))
}

// carriesErrors says whether errors of the contract travel at all.
func (m *mapper) carriesErrors(c *model.Contract) bool {
	for _, s := range c.Services {
		for _, method := range s.Methods {
			if method.HasError {
				return true
			}
		}
	}
	return m.errorValues
}

// ownErrorTypes are the exported types of errors of the packages that declare the contract's methods. What cannot travel is
// left out, with a warning in the contract's own package.
func (m *mapper) ownErrorTypes(c *model.Contract) {
	for _, importPath := range slices.Sorted(maps.Keys(m.declaring)) {
		pkg := m.declaring[importPath]
		for _, name := range pkg.Scope().Names() {
			tn, ok := pkg.Scope().Lookup(name).(*types.TypeName)
			if !ok || !tn.Exported() || tn.IsAlias() {
				continue
			}
			n, ok := tn.Type().(*types.Named)
			if !ok || n.TypeParams().Len() > 0 || types.IsInterface(n) || isInvalid(n) {
				continue
			}
			m.ownErrorType(c, n)
		}
	}
}

func (m *mapper) ownErrorType(c *model.Contract, n *types.Named) {
	pointer := types.NewPointer(n)
	if !isErrorValue(pointer) {
		return
	}
	_, isStruct := n.Underlying().(*types.Struct)
	var forms []types.Type
	if isErrorValue(n) {
		forms = append(forms, n)
	}
	if isStruct || len(forms) == 0 { // nobody returns a pointer to another type that is an error itself
		forms = append(forms, pointer)
	}
	m.at = m.loader.position(n.Obj().Pos())
	faults := m.attempt(func() {
		for _, form := range forms {
			c.ErrorTypes = append(c.ErrorTypes, m.mentioned(form, n.Obj().Name(), directiveErrors))
		}
	})
	if len(faults) == 0 {
		return
	}
	c.ErrorTypes = c.ErrorTypes[:len(c.ErrorTypes)-len(forms)]
	if n.Obj().Pkg() == m.home.types {
		_, why, _ := strings.Cut(faults[0].Where, ": ")
		_, field, found := strings.Cut(why, ": ")
		if found {
			field += ": "
		}
		m.warn(m.at, codeErrorType, n.Obj().Name(), "only its text crosses, so that errors.As does not find it on the other side: "+field+faults[0].Why, faults[0].Hint)
	}
}

// attempt maps something that may turn out not to travel: its faults are returned, and nothing of it stays.
func (m *mapper) attempt(mapping func()) diagnostics {
	known := make(map[string]*model.Type, len(m.named))
	for key, t := range m.named {
		known[key] = t
	}
	faults, warnings, objects := m.faults, m.warnings, m.objects
	m.faults = nil
	mapping()
	failed := m.faults
	m.faults = faults
	if len(failed) > 0 {
		m.named, m.warnings, m.objects = known, warnings, objects
	}
	return failed
}
