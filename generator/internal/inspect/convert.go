package inspect

import (
	"go/types"
	"strings"

	"github.com/plugingen/plugingen/generator/model"
)

// maxDepth bounds nesting of types: nobody writes deeper ones, and generated input cannot exhaust the stack.
const maxDepth = 100

// convert maps a type that was found at path, such as "f[0].Name"; a type that cannot travel gives a fault and an invalid type.
func (m *mapper) convert(t types.Type, path string) *model.Type {
	if m.depth++; m.depth > maxDepth {
		return m.refuse(path, codeDepth, "the type is nested too deep", "use a named struct type on the way")
	}
	defer func() { m.depth-- }()
	alias, _ := t.(*types.Alias)
	switch t := types.Unalias(t).(type) {
	case *types.Named:
		return m.convertNamed(t, alias, path)
	case *types.Basic:
		return m.basic(t, path)
	case *types.TypeParam:
		return m.refuse(path, codeNotInterface, "it is a type parameter", "name an instance of the generic interface")
	default:
		return m.composite(&model.Type{}, t, path)
	}
}

func (m *mapper) refuse(path, code, why, hint string) *model.Type {
	where := m.place
	if path != m.root {
		where += ": " + path
	}
	m.fault(m.at, code, where, why, hint)
	return &model.Type{}
}

func (m *mapper) convertNamed(t *types.Named, alias *types.Alias, path string) *model.Type {
	switch {
	case isNamed(t, "time", "Time"):
		return &model.Type{Kind: model.Time}
	case isNamed(t, "time", "Duration"):
		return &model.Type{Kind: model.Duration}
	case isNamed(t, "context", "Context"):
		return m.refuse(path, codeContext, "a context.Context can only be the first parameter", "move it there; its deadline and cancellation cross by themselves")
	case isError(t):
		m.errorValues = true
		return &model.Type{Kind: model.Error}
	case isProtoMessage(t):
		return m.refuse(path, codePointer, "a message of protobuf must not be copied", "use *"+m.show(t))
	}
	if seq := m.liveSeq(t, path); seq != nil {
		return seq
	}
	key := types.TypeString(t, (*types.Package).Path)
	if known, ok := m.named[key]; ok {
		return known
	}
	mt := &model.Type{}
	m.named[key] = mt
	if !m.name(mt, t, alias, path) {
		return mt
	}
	if m.oneOf(t, mt, path) == nil {
		*mt = m.fill(mt, t, path)
	}
	return mt
}

// fill adds what the name stands for. The model's type is known already, so recursive types find themselves.
func (m *mapper) fill(mt *model.Type, t *types.Named, path string) model.Type {
	switch u := t.Underlying().(type) {
	case *types.Basic:
		mt.Kind = m.basic(u, path).Kind
		mt.Constants = m.constants(t, mt.Kind)
	case *types.Struct:
		if !marshaler(mt, t) {
			m.structure(mt, t, u, path)
		}
	default:
		m.composite(mt, u, path)
	}
	return *mt
}

// name gives the type the name by which the contract's package and its users reach it.
func (m *mapper) name(mt *model.Type, t *types.Named, alias *types.Alias, path string) bool {
	obj := t.Obj()
	if !m.reachable(obj) && alias != nil && m.reachable(alias.Obj()) && alias.TypeArgs().Len() == 0 {
		obj = alias.Obj()
	}
	if !m.reachable(obj) {
		m.refuse(path, codeNameless, "type "+m.show(t)+" has no name outside of its package", "use an exported type of a package that is not internal")
		return false
	}
	mt.Package = model.Package{Path: obj.Pkg().Path(), Name: obj.Pkg().Name()}
	mt.Name = obj.Name()
	m.addSentinels(obj.Pkg())
	if obj == t.Obj() {
		for i := range t.TypeArgs().Len() {
			mt.Args = append(mt.Args, m.convert(t.TypeArgs().At(i), path))
		}
	}
	return true
}

// reachable says whether the contract's package can write the name. A name of its own need not be exported below a
// parameter; as a parameter's type it must be, because implementations have to write it, too.
func (m *mapper) reachable(obj *types.TypeName) bool {
	if obj.Pkg() == nil || obj.Parent() != obj.Pkg().Scope() && obj.Parent() != nil {
		return false
	}
	if obj.Pkg() == m.home.types {
		return obj.Exported() || m.depth > 1
	}
	return obj.Exported() && mayImport(m.home.types.Path(), obj.Pkg().Path()) && obj.Pkg().Name() != "main"
}

// mayImport applies the rule for internal folders.
func mayImport(importer, imported string) bool {
	parent, ok := internalParent(imported)
	return !ok || importer == parent || strings.HasPrefix(importer, parent+"/")
}

func internalParent(importPath string) (string, bool) {
	padded := "/" + importPath + "/"
	i := strings.LastIndex(padded, "/internal/")
	if i < 0 {
		return "", false
	}
	return strings.Trim(padded[:i], "/"), true
}

func (m *mapper) basic(t *types.Basic, path string) *model.Type {
	kind, ok := basicKind(t.Kind())
	switch {
	case ok:
		return &model.Type{Kind: kind}
	case t.Kind() == types.Invalid:
		where := m.place
		if path != m.root {
			where += ": " + path
		}
		m.missing(where)
		return &model.Type{}
	case t.Info()&types.IsComplex != 0:
		return m.refuse(path, codeMachine, "a "+t.Name()+" cannot travel", "use two floats")
	default:
		return m.refuse(path, codeMachine, "a "+t.String()+" means nothing in another process", "use an integer that stands for what it names")
	}
}

func basicKind(k types.BasicKind) (model.Kind, bool) {
	switch k {
	case types.Bool:
		return model.Bool, true
	case types.Float32:
		return model.Float32, true
	case types.Float64:
		return model.Float64, true
	case types.String:
		return model.String, true
	}
	if types.Int <= k && k <= types.Uint64 {
		return model.Int + model.Kind(k-types.Int), true
	}
	return model.Invalid, false
}
