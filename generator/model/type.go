package model

import (
	"go/token"
	"strconv"
	"strings"
)

// Kind says what a Type is once its name is taken away.
type Kind int

// The kinds of types that can travel. Bytes is a slice of bytes, Marshaler a type that encodes itself, ProtoMessage a pointer
// to a struct that protobuf generated, Error the interface error where a method does not return it last, Any an interface
// without methods, OneOf one whose concrete types are listed, Live a value that stays in its process.
const (
	Invalid Kind = iota
	Bool
	Int
	Int8
	Int16
	Int32
	Int64
	Uint
	Uint8
	Uint16
	Uint32
	Uint64
	Float32
	Float64
	String
	Bytes
	Slice
	Array
	Map
	Pointer
	Struct
	Time
	Duration
	Marshaler
	ProtoMessage
	Error
	Live
	Any
	OneOf
)

// Type is a Go type. Types of recursive declarations refer to themselves.
type Type struct {
	Kind Kind
	// Package and Name are set for named types; Args are the type arguments of a generic one.
	// Predeclared types (and time.Time, which has a Kind) have an empty Package.Path and Name.
	Package Package
	Name    string
	Args    []*Type
	Key     *Type // of maps
	Elem    *Type // of slices, arrays, maps, pointers and channels; of a ProtoMessage, the struct
	Len     int64 // of arrays
	// Constants make an integer an enum on the wire: they are its exported constants, sorted by name. Nil makes it a number.
	Constants []Constant
	// Members are the fields of a struct, in order.
	Members []*Member
	// Partial says that a struct has fields beside its Members, which do not cross.
	Partial bool
	// Variants are the concrete types that a OneOf may hold, in the order in which they are listed.
	Variants []*Type
	// Marshal and Unmarshal are the methods of a Marshaler, such as "MarshalBinary" and "UnmarshalBinary".
	Marshal, Unmarshal string
	// Live says how a Live crosses.
	Live *LiveType
}

// Constant is an exported constant of a named integer type.
type Constant struct {
	Name  string
	Value int32
}

// Member is a field of a struct that can be reached by its name: an embedded one is named after its type, and the exported
// fields of an embedded type that is not exported itself are members of their own.
type Member struct {
	Name     string
	Type     *Type
	Embedded bool
	Promoted bool   // it is a field of an embedded struct whose type is not exported: no literal can name it
	Tag      string // of structs without a name: it is part of the type
}

// IsNamed says whether the type has a name of its own, other than a predeclared one.
func (t *Type) IsNamed() bool { return t.Name != "" }

// IsEnum says whether the type travels as an enum. Keys of maps are numbers all the same.
func (t *Type) IsEnum() bool { return len(t.Constants) > 0 }

// IsBasic says whether the type's kind is a boolean, a number or a string.
func (t *Type) IsBasic() bool { return t.Kind >= Bool && t.Kind <= String }

// Expr is the type as Go code seen from the package of imports, which gets what is needed.
func (t *Type) Expr(imports *ImportSet) string {
	if t.IsNamed() {
		return imports.Qualify(t.Package, t.Name) + t.argList(imports)
	}
	switch t.Kind {
	case Bytes:
		return "[]byte"
	case Slice:
		return "[]" + t.Elem.Expr(imports)
	case Array:
		return "[" + strconv.FormatInt(t.Len, 10) + "]" + t.Elem.Expr(imports)
	case Map:
		return "map[" + t.Key.Expr(imports) + "]" + t.Elem.Expr(imports)
	case Pointer:
		return "*" + t.Elem.Expr(imports)
	case ProtoMessage:
		return "*" + t.Elem.Expr(imports)
	case Struct:
		return t.structText(func(m *Type) string { return m.Expr(imports) })
	case Live:
		return t.liveExpr(imports)
	case Time:
		return imports.Std("time") + ".Time"
	case Duration:
		return imports.Std("time") + ".Duration"
	default:
		return t.Kind.String()
	}
}

func (t *Type) argList(imports *ImportSet) string {
	if len(t.Args) == 0 {
		return ""
	}
	args := make([]string, len(t.Args))
	for i, a := range t.Args {
		args[i] = a.Expr(imports)
	}
	return "[" + strings.Join(args, ", ") + "]"
}

// ID is the type with full import paths, such as "[]example.com/greeter.Greeting": one for each type.
func (t *Type) ID() string { return t.text(Package.id) }

// String is the type as its declaring files would say it, such as "[]greeter.Greeting"; for people.
func (t *Type) String() string { return t.text(func(p Package) string { return p.Name }) }

func (p Package) id() string { return p.Path }

func (t *Type) text(qualifier func(Package) string) string {
	if t.IsNamed() {
		return qualifier(t.Package) + "." + t.Name + t.argText(qualifier)
	}
	switch t.Kind {
	case Bytes:
		return "[]byte"
	case Slice:
		return "[]" + t.Elem.text(qualifier)
	case Array:
		return "[" + strconv.FormatInt(t.Len, 10) + "]" + t.Elem.text(qualifier)
	case Map:
		return "map[" + t.Key.text(qualifier) + "]" + t.Elem.text(qualifier)
	case Pointer:
		return "*" + t.Elem.text(qualifier)
	case ProtoMessage:
		return "*" + t.Elem.text(qualifier)
	case Struct:
		return t.structText(func(m *Type) string { return m.text(qualifier) })
	case Live:
		return t.liveText(func(m *Type) string { return m.text(qualifier) })
	default:
		return t.Kind.String()
	}
}

// structText is a struct type without a name, on one line.
func (t *Type) structText(text func(*Type) string) string {
	var fields []string
	for _, m := range t.Members {
		field := text(m.Type)
		if !m.Embedded {
			field = m.Name + " " + field
		}
		if m.Tag != "" {
			field += " " + strconv.Quote(m.Tag)
		}
		fields = append(fields, field)
	}
	if len(fields) == 0 {
		return "struct{}"
	}
	return "struct{ " + strings.Join(fields, "; ") + " }"
}

func (t *Type) argText(qualifier func(Package) string) string {
	if len(t.Args) == 0 {
		return ""
	}
	args := make([]string, len(t.Args))
	for i, a := range t.Args {
		args[i] = a.text(qualifier)
	}
	return "[" + strings.Join(args, ",") + "]"
}

// String is the kind as Go spells it.
func (k Kind) String() string {
	names := kindNames()
	if k < 0 || int(k) >= len(names) {
		return "Kind(" + strconv.Itoa(int(k)) + ")"
	}
	return names[k]
}

func kindNames() [OneOf + 1]string {
	return [...]string{
		"invalid", "bool", "int", "int8", "int16", "int32", "int64", "uint", "uint8", "uint16", "uint32", "uint64",
		"float32", "float64", "string", "[]byte", "slice", "array", "map", "pointer", "struct", "time.Time", "time.Duration", "marshaler",
		"proto.Message", "error", "live value", "any", "interface",
	}
}

// IsPredeclared says whether name is a keyword, or an identifier that generated code may need in its predeclared meaning.
func IsPredeclared(name string) bool {
	switch name {
	case "any", "append", "bool", "byte", "cap", "clear", "close", "comparable", "complex", "complex64", "complex128", "copy",
		"delete", "error", "false", "float32", "float64", "imag", "int", "int8", "int16", "int32", "int64", "iota", "len",
		"make", "max", "min", "new", "nil", "panic", "print", "println", "real", "recover", "rune", "string", "true",
		"uint", "uint8", "uint16", "uint32", "uint64", "uintptr":
		return true
	}
	return token.IsKeyword(name)
}
