package model

// Wire is how a contract travels: what its .proto says.
type Wire struct {
	Package   string  // proto package, such as "example_com.greeter"
	File      string  // path under which the .proto registers, such as "example.com/greeter/greeterpb/greeter.proto"
	GoPackage Package // package of the .pb.go
	Dir       string  // folder of GoPackage beneath the contract's, such as "greeterpb"
	Messages  []*Message
	Enums     []*Enum
	// ErrorTypes and Values are the messages for the contract's, one each.
	ErrorTypes, Values []*Typed
}

// Message is a proto message: a request, a response, a struct, or a wrapper around a type that proto cannot nest.
type Message struct {
	Name   string // in the .proto
	GoName string // in the .pb.go
	Doc    string
	// Type is the Go type that the message carries; nil for requests and responses.
	Type *Type
	// Wrapper says that the message has one field, which is all of Type.
	Wrapper bool
	// Entry says that the message is one entry of Type, a map whose keys no proto map can have.
	Entry bool
	// OneOf says that one of the fields is set, or none for nil: Type is an interface. Variable is the Go field that holds it.
	OneOf    bool
	Variable string
	// Recursive says that a value can hold another one of the same type, so that walking it needs a bound; Deep, that
	// it does so in an error or in a value of type any, whose bytes protobuf does not bound.
	Recursive, Deep bool
	Fields          []*Field // by number
	// Reserved numbers and names belonged to fields that are gone, and are never used again.
	Reserved      []Range
	ReservedNames []string
}

// Typed is a Go type with the message that carries it where the interface does not say the type.
type Typed struct {
	Type    *Type
	Message *Message
}

// Enum is an open proto enum: values that it does not name survive.
type Enum struct {
	Name   string // in the .proto
	GoName string // in the .pb.go
	Doc    string
	Type   *Type       // the Go type that it carries
	Values []EnumValue // zero first, as proto wants it, then by number
	// Reserved numbers and names belonged to constants that are gone.
	Reserved      []Range
	ReservedNames []string
}

// EnumValue is a value of an enum. Its number is that of the Go constant.
type EnumValue struct {
	Name   string
	Number int
}

// ErrorProto and ValueProto are the messages of the runtime that carry errors, and values of type any. They begin with a dot:
// the contract's own package may have a part called plugingen.
const (
	ErrorProto = ".plugingen.runtime.v1.Error"
	ValueProto = ".plugingen.runtime.v1.Value"
)

// Range is an inclusive range of field numbers.
type Range struct{ First, Last int }

// Label says how many values a field carries.
type Label int

// Plain is one value; Optional one or none, scalars included; Repeated a list; Keyed a map; Pairs a list of entries of a map.
const (
	Plain Label = iota
	Optional
	Repeated
	Keyed
	Pairs
)

// Field is a field of a message.
type Field struct {
	Name   string // in the .proto
	GoName string // in the .pb.go
	Number int
	// Member is the struct field, parameter or result that the field carries; empty for wrappers and errors.
	Member string
	// Type is the Go type that the field carries; nil for the error of a response.
	Type  *Type
	Label Label
	// Key is what carries the keys of a Keyed field.
	Key Carrier
	// Value is what carries the value, or each of them; Of is the Go type of what it carries.
	Value Carrier
	Of    *Type
	// Variant is the Go type that holds the field in a OneOf.
	Variant string
}

// Carrier is the proto type of one value.
type Carrier struct {
	Proto   string   // as the .proto spells it, such as "int64" or "Greeting"
	Message *Message // for structs and wrappers; nil otherwise
	Enum    *Enum    // for integers with constants; nil otherwise
}
