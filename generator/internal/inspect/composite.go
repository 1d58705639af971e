package inspect

import (
	"fmt"
	"go/types"

	"github.com/plugingen/plugingen/generator/model"
)

// composite fills mt, which may have a name already, with a type literal.
func (m *mapper) composite(mt *model.Type, t types.Type, path string) *model.Type {
	switch t := t.(type) {
	case *types.Slice:
		return m.slice(mt, t, path)
	case *types.Array:
		mt.Kind, mt.Len = model.Array, t.Len()
		mt.Elem = m.convert(t.Elem(), path+"[0]")
	case *types.Map:
		return m.mapOf(mt, t, path)
	case *types.Pointer:
		return m.pointer(mt, t, path)
	case *types.Struct:
		return m.literalStruct(mt, t, path)
	case *types.Chan:
		m.refuse(path, codeChan, "a channel cannot cross a process boundary", "pass a slice, or call a method once for each value")
	case *types.Signature:
		m.refuse(path, codeFunc, "a function cannot cross a process boundary", "pass data that says what to do")
	case *types.Interface:
		m.interfaceValue(t, path)
	default:
		m.refuse(path, codeInterface, "a "+kindName(t)+" cannot travel", "use a struct, a slice or a map")
	}
	return mt
}

func (m *mapper) interfaceValue(t *types.Interface, path string) {
	if t.NumMethods() == 0 && t.IsMethodSet() {
		m.refuse(path, codeInterface, "a value of any type cannot travel: the other side would not know what it is", "use a concrete type, or []byte with an encoding of your own")
		return
	}
	m.refuse(path, codeInterface, "an interface value cannot cross a process boundary yet", "use a struct with the data that the methods give")
}

func (m *mapper) slice(mt *model.Type, t *types.Slice, path string) *model.Type {
	mt.Kind = model.Slice
	mt.Elem = m.convert(t.Elem(), path+"[0]")
	if mt.Elem.Kind == model.Uint8 && !mt.Elem.IsNamed() {
		mt.Kind, mt.Elem = model.Bytes, nil
	}
	return mt
}

func (m *mapper) mapOf(mt *model.Type, t *types.Map, path string) *model.Type {
	mt.Kind = model.Map
	mt.Key = m.mapKey(t.Key(), path)
	mt.Elem = m.convert(t.Elem(), path+"[key]")
	return mt
}

func (m *mapper) mapKey(t types.Type, path string) *model.Type {
	if b, ok := t.Underlying().(*types.Basic); ok && b.Info()&(types.IsInteger|types.IsString|types.IsBoolean) != 0 || isInvalid(t) {
		return m.convert(t, path+" key")
	}
	return m.refuse(path, codeKey, "a map with keys of type "+m.show(t)+" cannot travel: keys are strings, integers or booleans", "use a slice of structs with key and value")
}

func (m *mapper) pointer(mt *model.Type, t *types.Pointer, path string) *model.Type {
	if _, ok := t.Elem().Underlying().(*types.Pointer); ok {
		m.refuse(path, codePointer, "a pointer to a pointer cannot travel", "use one pointer")
		return mt
	}
	mt.Kind = model.Pointer
	mt.Elem = m.convert(t.Elem(), path)
	return mt
}

// literalStruct takes struct{} only, which sets are made of.
func (m *mapper) literalStruct(mt *model.Type, t *types.Struct, path string) *model.Type {
	if t.NumFields() > 0 && !mt.IsNamed() {
		m.refuse(path, codeAnonymous, "a struct type without a name cannot travel", "declare a named struct type")
		return mt
	}
	mt.Kind = model.Struct
	return mt
}

// structure maps the fields of a named struct.
func (m *mapper) structure(mt *model.Type, t *types.Struct, path string) {
	mt.Kind = model.Struct
	for i := range t.NumFields() {
		f := t.Field(i)
		if f.Name() == "_" {
			continue // holds nothing
		}
		inner := path + "." + f.Name()
		if !f.Exported() {
			m.refuse(inner, codeHidden, "the field is not exported: its value would be lost", "export it, pass another type, or give the struct MarshalBinary and UnmarshalBinary")
			continue
		}
		mt.Members = append(mt.Members, &model.Member{Name: f.Name(), Type: m.convert(f.Type(), inner)})
	}
}

// marshaler recognises structs that encode themselves: those travel as their own bytes. Methods that only an embedded field
// has do not count: they would drop the other fields.
func marshaler(mt *model.Type, t *types.Named) bool {
	for _, form := range []string{"Binary", "Text"} {
		if hasOwnMethod(t, "Marshal"+form, true) && hasOwnMethod(t, "Unmarshal"+form, false) {
			mt.Kind, mt.Marshal, mt.Unmarshal = model.Marshaler, "Marshal"+form, "Unmarshal"+form
			return true
		}
	}
	return false
}

func hasOwnMethod(t *types.Named, name string, marshals bool) bool {
	for i := range t.NumMethods() {
		if fn := t.Method(i); fn.Name() == name {
			return fn.Exported() && hasMarshalShape(fn.Signature(), marshals)
		}
	}
	return false
}

func hasMarshalShape(sig *types.Signature, marshals bool) bool {
	bytes := types.NewSlice(types.Typ[types.Byte])
	params, results := sig.Params(), sig.Results()
	if marshals {
		return params.Len() == 0 && results.Len() == 2 && types.Identical(results.At(0).Type(), bytes) && isError(results.At(1).Type())
	}
	return params.Len() == 1 && results.Len() == 1 && types.Identical(params.At(0).Type(), bytes) && isError(results.At(0).Type())
}

func kindName(t types.Type) string {
	switch t := t.(type) {
	case *types.Struct:
		return "struct"
	case *types.Basic:
		return t.Name()
	case *types.Signature:
		return "function"
	case *types.Pointer:
		return "pointer"
	case *types.Slice:
		return "slice"
	case *types.Map:
		return "map"
	}
	return fmt.Sprintf("%v", t)
}
