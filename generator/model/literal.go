package model

import "strconv"

// Zero is the zero value of the type as Go code.
func (t *Type) Zero(imports *ImportSet) string {
	switch t.Kind {
	case Bool:
		return "false"
	case String:
		return `""`
	case Bytes, Slice, Map, Pointer, ProtoMessage, Error, Any, OneOf, Live:
		return "nil"
	case Array, Struct, Time, Marshaler:
		return t.Expr(imports) + "{}"
	default:
		return "0"
	}
}

// Example is a sample value of the type as Go code, for a call in a test: not zero where a literal stays short.
// Name is what the value is for; strings get it as their text.
func (t *Type) Example(imports *ImportSet, name string) string {
	return t.example(imports, name, 0)
}

// maxExampleDepth keeps samples of recursive and deeply nested types short.
const maxExampleDepth = 2

func (t *Type) example(imports *ImportSet, name string, depth int) string {
	if depth > maxExampleDepth {
		return t.Zero(imports)
	}
	switch t.Kind {
	case Bool:
		return "true"
	case String:
		return strconv.Quote(name)
	case Float32, Float64:
		return "1.5"
	case Bytes:
		return t.Expr(imports) + "(" + strconv.Quote(name) + ")"
	case Slice:
		return t.Expr(imports) + "{" + t.Elem.example(imports, name, depth+1) + "}"
	case Map:
		return t.Expr(imports) + "{" + t.Key.example(imports, name, depth+1) + ": " + t.Elem.example(imports, name, depth+1) + "}"
	case Pointer:
		return t.examplePointer(imports)
	case Duration:
		return imports.Std("time") + ".Second"
	case Any:
		return strconv.Quote(name)
	case Live:
		return t.liveExample(imports, name)
	case ProtoMessage:
		return "&" + t.Elem.Expr(imports) + "{}"
	case Array, Struct, Time, Marshaler, Error, OneOf:
		return t.Zero(imports)
	default:
		return "1"
	}
}

func (t *Type) examplePointer(imports *ImportSet) string {
	if t.IsNamed() || t.Elem.Kind != Struct {
		return "nil"
	}
	return "&" + t.Elem.Expr(imports) + "{}"
}
