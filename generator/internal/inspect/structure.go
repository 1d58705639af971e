package inspect

import (
	"go/types"

	"github.com/plugingen/plugingen/generator/model"
)

// structure maps the fields of a struct; outer is the type that has them, s itself when it has no name.
func (m *mapper) structure(mt *model.Type, outer types.Type, s *types.Struct, path string) *model.Type {
	mt.Kind = model.Struct
	m.members(mt, outer, s, path)
	return mt
}

func (m *mapper) members(mt *model.Type, outer types.Type, s *types.Struct, path string) {
	for i := range s.NumFields() {
		f := s.Field(i)
		inner := path + "." + f.Name()
		switch promoted := m.promoted(mt, f); {
		case f.Name() == "_": // holds nothing
		case promoted != nil:
			own := len(mt.Members)
			m.members(mt, outer, promoted, inner)
			for _, member := range mt.Members[own:] {
				member.Promoted = true
			}
		case !f.Exported() && m.isPartial(outer):
			mt.Partial = true
		case !f.Exported():
			m.refuse(inner, codeHidden, "the field is not exported: its value would be lost", "export it, pass another type, give the struct MarshalBinary and UnmarshalBinary, or list it with //plugingen:partial")
		case !isReached(outer, f):
			m.refuse(inner, codeHidden, "another field of the same name hides it: its value would be lost", "rename one of them")
		default:
			member := &model.Member{Name: f.Name(), Type: m.convert(f.Type(), inner)}
			if !mt.IsNamed() {
				member.Embedded, member.Tag = f.Embedded(), s.Tag(i)
			}
			mt.Members = append(mt.Members, member)
		}
	}
}

// promoted is the struct that f embeds although its type is not exported: its fields can be reached all the same.
func (m *mapper) promoted(mt *model.Type, f *types.Var) *types.Struct {
	if !f.Embedded() || f.Exported() || !mt.IsNamed() {
		return nil
	}
	n, ok := types.Unalias(f.Type()).(*types.Named)
	if !ok || marshalForm(n) != "" {
		return nil
	}
	s, _ := n.Underlying().(*types.Struct)
	return s
}

// isReached says whether the field's name alone finds it.
func isReached(outer types.Type, f *types.Var) bool {
	found, _, _ := types.LookupFieldOrMethod(outer, true, f.Pkg(), f.Name())
	return found == f
}

// isProtoMessage goes by the method that all messages of protobuf have.
func isProtoMessage(t *types.Named) bool {
	for fn := range t.Methods() {
		if fn.Name() == "ProtoReflect" {
			return fn.Signature().Params().Len() == 0 && fn.Signature().Results().Len() == 1
		}
	}
	return false
}

// protoMessage is a pointer to a message of protobuf; it travels as its own bytes.
func (m *mapper) protoMessage(mt *model.Type, t *types.Named, path string) *model.Type {
	mt.Elem = &model.Type{Kind: model.Struct}
	if m.name(mt.Elem, t, nil, path) {
		mt.Kind = model.ProtoMessage
	}
	return mt
}

// isPartial says whether a directive accepts that what the struct hides stays behind.
func (m *mapper) isPartial(t types.Type) bool {
	n, ok := types.Unalias(t).(*types.Named)
	return ok && m.partial[n.Obj()]
}

// partials reads the directives that list such structs.
func (m *mapper) partials() {
	for _, service := range m.asked {
		for _, d := range directivesOf(m.home).types[service] {
			if d.name != directivePartial {
				continue
			}
			for _, e := range m.list(m.home, d, d.args, 0) {
				n, ok := types.Unalias(e.typ).(*types.Named)
				if ok && isStruct(n) {
					m.partial[n.Obj()] = true
				} else if !ok || !isInvalid(n) {
					m.directiveFault(e.pos, d.name, "it is no struct type with a name", "list structs that hide fields")
				}
			}
		}
	}
}

func isStruct(t types.Type) bool {
	_, ok := t.Underlying().(*types.Struct)
	return ok
}
