package inspect

import (
	"fmt"
	"go/types"

	"github.com/plugingen/plugingen/generator/model"
)

// composite fills mt, which may have a name already, with a type literal.
func (m *mapper) composite(mt *model.Type, t types.Type, path string) *model.Type {
	if m.detached && staysInProcess(t) {
		return m.refuse(path, codeDetached, "it belongs to one call, and what it is found in does not", "use a type that is data only")
	}
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
		return m.structure(mt, t, t, path)
	case *types.Chan:
		m.liveChan(mt, t, path)
	case *types.Signature:
		m.liveFunc(mt, t, path)
	case *types.Interface:
		return m.interfaceValue(mt, t, path)
	default:
		m.refuse(path, codeInterface, "a "+kindName(t)+" cannot travel", "use a struct, a slice or a map")
	}
	return mt
}

func staysInProcess(t types.Type) bool {
	switch t := t.(type) {
	case *types.Chan, *types.Signature:
		return true
	case *types.Interface:
		return t.NumMethods() > 0
	}
	return false
}

func (m *mapper) interfaceValue(mt *model.Type, t *types.Interface, path string) *model.Type {
	if t.NumMethods() == 0 && t.IsMethodSet() {
		mt.Kind = model.Any
		return mt
	}
	m.liveInterface(mt, t, path)
	return mt
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
	if why := keyFault(t, 0); why != "" {
		return m.refuse(path, codeKey, "a map with keys of type "+m.show(t)+" cannot travel: "+why, "use keys that are equal when what they hold is")
	}
	return m.convert(t, path+" key")
}

// keyFault says why keys of the type would not be the same ones in another process; empty when they would.
func keyFault(t types.Type, depth int) string {
	if n, ok := types.Unalias(t).(*types.Named); ok && (isNamed(n, "time", "Time") || marshalForm(n) != "") {
		return ""
	}
	switch t := t.Underlying().(type) {
	case *types.Pointer, *types.Chan:
		return "a pointer is another one there"
	case *types.Interface:
		if t.NumMethods() > 0 {
			return "what an interface holds may be a pointer, or nothing that can be a key"
		}
	case *types.Array:
		return keyFault(t.Elem(), depth+1)
	case *types.Struct:
		for i := range t.NumFields() {
			if why := keyFault(t.Field(i).Type(), depth+1); why != "" && depth < maxDepth {
				return why + " (" + t.Field(i).Name() + ")"
			}
		}
	}
	return ""
}

func (m *mapper) pointer(mt *model.Type, t *types.Pointer, path string) *model.Type {
	if n, ok := types.Unalias(t.Elem()).(*types.Named); ok && isProtoMessage(n) {
		return m.protoMessage(mt, n, path)
	}
	mt.Kind = model.Pointer
	mt.Elem = m.convert(t.Elem(), path)
	return mt
}

// marshaler recognises structs that encode themselves: those travel as their own bytes.
func marshaler(mt *model.Type, t *types.Named) bool {
	form := marshalForm(t)
	if form == "" {
		return false
	}
	mt.Kind, mt.Marshal, mt.Unmarshal = model.Marshaler, "Marshal"+form, "Unmarshal"+form
	return true
}

// marshalForm is Binary, Text or JSON, the first that the struct has methods for; empty when it has none. Methods that only an
// embedded field has do not count: they would drop the other fields. JSON is for structs that hide something: others
// travel field by field, because JSON is often made to leave things out.
func marshalForm(t *types.Named) string {
	s, ok := t.Underlying().(*types.Struct)
	if !ok {
		return ""
	}
	forms := []string{"Binary", "Text"}
	if hides(s) {
		forms = append(forms, "JSON")
	}
	for _, form := range forms {
		if hasOwnMethod(t, "Marshal"+form, true) && hasOwnMethod(t, "Unmarshal"+form, false) {
			return form
		}
	}
	return ""
}

func hides(s *types.Struct) bool {
	for f := range s.Fields() {
		if !f.Exported() && f.Name() != "_" {
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
