package runtime

import "google.golang.org/protobuf/proto"

// nilElement is the field 536870911, the last that protobuf has and that no message of a contract gets, with the value 1.
const nilElement = "\xf8\xff\xff\xff\x0f\x01"

// NilElement makes m, a message without fields yet, stand for a nil pointer in a list or a map, where protobuf has no place for
// one. Generated code calls it.
func NilElement[M proto.Message](m M) M {
	m.ProtoReflect().SetUnknown([]byte(nilElement))
	return m
}

// IsNilElement says whether m stands for a nil pointer. Generated code calls it.
func IsNilElement(m proto.Message) bool {
	return string(m.ProtoReflect().GetUnknown()) == nilElement
}
