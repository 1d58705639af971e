package lane

import (
	"unicode/utf8"
	"unsafe"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
)

const (
	// bulkSize is the least size of a message whose bytes are worth not copying.
	bulkSize = maxWhole
	// bulkRest is the most that such a message may have beside its one large field.
	bulkRest = 4 << 10
	// bulkDepth is how deep in a message that field may be.
	bulkDepth = 8
)

// splitBulk encodes a message that is little more than one large field of bytes or text, without copying that field: the encoding
// is prefix and then bulk, which is the field itself.
func splitBulk(m sized) (prefix, bulk []byte, ok bool) {
	if m.size < bulkSize || proto.CheckInitialized(m.message) != nil {
		return nil, nil, false
	}
	return appendSplit(nil, m.message.ProtoReflect(), m.size, bulkDepth)
}

func appendSplit(b []byte, m protoreflect.Message, size, depth int) (prefix, bulk []byte, ok bool) {
	field, value := largeField(m, size)
	if field == nil || depth == 0 {
		return nil, nil, false
	}
	rest := m.New()
	m.Range(func(fd protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		if fd != field {
			rest.Set(fd, v)
		}
		return true
	})
	rest.SetUnknown(m.GetUnknown())
	b, err := proto.MarshalOptions{AllowPartial: true}.MarshalAppend(b, rest.Interface())
	if err != nil {
		return nil, nil, false
	}
	b = protowire.AppendTag(b, field.Number(), protowire.BytesType)
	switch field.Kind() {
	case protoreflect.BytesKind:
		bulk = value.Bytes()
		return protowire.AppendVarint(b, uint64(len(bulk))), bulk, true
	case protoreflect.StringKind:
		text := value.String()
		bulk = unsafe.Slice(unsafe.StringData(text), len(text)) // it is only read
		return protowire.AppendVarint(b, uint64(len(bulk))), bulk, utf8.ValidString(text)
	}
	inner := proto.Size(value.Message().Interface())
	return appendSplit(protowire.AppendVarint(b, uint64(inner)), value.Message(), inner, depth-1)
}

// largeField finds the field, bytes, text or a message, beside which the others take next to nothing.
func largeField(m protoreflect.Message, size int) (field protoreflect.FieldDescriptor, value protoreflect.Value) {
	m.Range(func(fd protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		n := 0
		switch {
		case fd.IsExtension() || fd.Cardinality() == protoreflect.Repeated:
		case fd.Kind() == protoreflect.BytesKind:
			n = len(v.Bytes())
		case fd.Kind() == protoreflect.StringKind:
			n = len(v.String())
		case fd.Kind() == protoreflect.MessageKind:
			n = proto.Size(v.Message().Interface())
		}
		if n > size-bulkRest {
			field, value = fd, v
		}
		return field == nil
	})
	return field, value
}

// joinBulk decodes b into m, whose content it replaces, so that a large field of bytes or text is a part of b. False: b is not of
// that kind, and must be decoded otherwise.
func joinBulk(b []byte, m proto.Message) bool {
	if len(b) < bulkSize {
		return false
	}
	proto.Reset(m)
	return joinInto(b, m.ProtoReflect(), bulkDepth) && proto.CheckInitialized(m) == nil
}

func joinInto(b []byte, m protoreflect.Message, depth int) bool {
	field, start, end := largeSpan(b, m.Descriptor())
	if field == nil || depth == 0 {
		return false
	}
	rest := append(append(make([]byte, 0, bulkRest), b[:start]...), b[end:]...)
	if err := (proto.UnmarshalOptions{Merge: true, AllowPartial: true}).Unmarshal(rest, m.Interface()); err != nil {
		return false
	}
	_, _, tag := protowire.ConsumeTag(b[start:])
	content, n := protowire.ConsumeBytes(b[start+tag : end])
	if n < 0 || m.Has(field) { // the last of several would win
		return false
	}
	switch field.Kind() {
	case protoreflect.BytesKind:
		m.Set(field, protoreflect.ValueOfBytes(content[:len(content):len(content)]))
		return true
	case protoreflect.StringKind:
		if !utf8.Valid(content) {
			return false
		}
		m.Set(field, protoreflect.ValueOfString(unsafe.String(unsafe.SliceData(content), len(content)))) // nobody else has b
		return true
	}
	return joinInto(content, m.Mutable(field).Message(), depth-1)
}

// largeSpan finds the field that takes all but a little of b.
func largeSpan(b []byte, d protoreflect.MessageDescriptor) (field protoreflect.FieldDescriptor, start, end int) {
	for at := 0; at < len(b) && at <= bulkRest; {
		number, kind, tag := protowire.ConsumeTag(b[at:])
		if tag < 0 {
			return nil, 0, 0
		}
		n := protowire.ConsumeFieldValue(number, kind, b[at+tag:])
		if n < 0 {
			return nil, 0, 0
		}
		if n > len(b)-bulkRest {
			return bulkField(d, number, kind), at, at + tag + n
		}
		at += tag + n
	}
	return nil, 0, 0
}

// bulkField is the field with this number if it is of the kind that is looked for.
func bulkField(d protoreflect.MessageDescriptor, number protowire.Number, kind protowire.Type) protoreflect.FieldDescriptor {
	fd := d.Fields().ByNumber(number)
	if fd == nil || kind != protowire.BytesType || fd.Cardinality() == protoreflect.Repeated {
		return nil
	}
	if one := fd.ContainingOneof(); one != nil && !one.IsSynthetic() {
		return nil // which member is set depends on the order
	}
	switch fd.Kind() {
	case protoreflect.BytesKind, protoreflect.StringKind, protoreflect.MessageKind:
		return fd
	default:
		return nil
	}
}
