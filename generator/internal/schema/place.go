package schema

import "github.com/plugingen/plugingen/generator/model"

// field decides how a Go type travels as a field of a message.
func (l *layout) field(name string, t *model.Type) *model.Field {
	f := &model.Field{Name: name, Type: t, Of: t}
	switch {
	case t.Kind == model.Bytes, t.Kind == model.Marshaler, t.Kind == model.ProtoMessage:
		f.Label, f.Value = model.Optional, model.Carrier{Proto: "bytes"} // keeps nil apart from empty
		return f
	case t.Kind == model.Error:
		f.Label, f.Value = model.Optional, model.Carrier{Proto: model.ErrorProto}
		return f
	case t.Kind == model.Live:
		f.Value = model.Carrier{Proto: model.ObjectProto}
		return f
	case t.Kind == model.Any:
		f.Value = model.Carrier{Proto: model.ValueProto}
		return f
	case isByteArray(t):
		f.Value = model.Carrier{Proto: "bytes"}
		return f
	case isList(t):
		f.Label, f.Of = model.Repeated, t.Elem
	case t.Kind == model.Map && !isProtoKey(t.Key):
		f.Label, f.Value = model.Pairs, l.entry(t)
		return f
	case t.Kind == model.Map:
		f.Label, f.Key, f.Of = model.Keyed, model.Carrier{Proto: scalar(t.Key.Kind)}, t.Elem
	case t.Kind == model.Pointer:
		return l.pointer(f)
	}
	f.Value = l.carrier(f.Of)
	return f
}

// pointer keeps nil apart from everything else: by the presence of a scalar or of a message.
func (l *layout) pointer(f *model.Field) *model.Field {
	f.Label, f.Of = model.Optional, f.Type.Elem
	switch e := f.Type.Elem; {
	case e.IsBasic(), isMessage(e), e.Kind == model.Marshaler:
		f.Value = l.carrier(e)
	default:
		f.Value = l.wrapper(e)
	}
	return f
}

func isList(t *model.Type) bool {
	return t.Kind == model.Slice || t.Kind == model.Array
}

// isProtoKey says whether a proto map can have keys of the type.
func isProtoKey(t *model.Type) bool {
	return t.IsBasic() && t.Kind != model.Float32 && t.Kind != model.Float64
}

func isByteArray(t *model.Type) bool {
	return t.Kind == model.Array && t.Elem.Kind == model.Uint8 && !t.Elem.IsNamed()
}

func isMessage(t *model.Type) bool {
	return t.Kind == model.Struct || t.Kind == model.Time || t.Kind == model.Duration
}

// carrier decides what carries one value, where proto has no place for its absence.
func (l *layout) carrier(t *model.Type) model.Carrier {
	switch {
	case t.IsEnum():
		return l.enum(t)
	case t.IsBasic():
		return model.Carrier{Proto: scalar(t.Kind)}
	case t.Kind == model.Bytes, t.Kind == model.Marshaler:
		return model.Carrier{Proto: "bytes"}
	case t.Kind == model.Time:
		return model.Carrier{Proto: ".google.protobuf.Timestamp"}
	case t.Kind == model.Duration:
		return model.Carrier{Proto: ".google.protobuf.Duration"}
	case t.Kind == model.Live:
		return model.Carrier{Proto: model.ObjectProto} // without a number for nil
	case t.Kind == model.Any:
		return model.Carrier{Proto: model.ValueProto}
	case t.Kind == model.OneOf:
		return l.oneOf(t)
	case t.Kind == model.Struct:
		return l.structure(t)
	case t.Kind == model.Pointer && t.Elem.Kind == model.Struct:
		return l.structure(t.Elem)
	default:
		return l.wrapper(t)
	}
}

func (l *layout) structure(t *model.Type) model.Carrier {
	if m, ok := l.byType[t.ID()]; ok {
		return model.Carrier{Message: m}
	}
	m := l.add(typeWord(t, l.contract.Package.Path), &model.Message{Type: t, Doc: "carries " + t.ID() + "."})
	l.byType[t.ID()] = m
	names := map[int]string{}
	for i, member := range t.Members {
		names[i] = member.Name
	}
	wire := fieldNames(names, map[string]bool{})
	for i, member := range t.Members {
		f := l.field(wire[i], member.Type)
		f.Member = member.Name
		m.Fields = append(m.Fields, f)
	}
	return model.Carrier{Message: m}
}

// entry is a message with a key and a value of the map t.
func (l *layout) entry(t *model.Type) model.Carrier {
	id := "an entry of " + t.ID()
	if m, ok := l.byType[id]; ok {
		return model.Carrier{Message: m}
	}
	m := l.add(typeWord(t, l.contract.Package.Path)+"Entry", &model.Message{Type: t, Entry: true, Doc: "carries " + id + "."})
	l.byType[id] = m
	for _, f := range []*model.Field{l.field("key", t.Key), l.field("value", t.Elem)} {
		f.Member = f.Name
		m.Fields = append(m.Fields, f)
	}
	return model.Carrier{Message: m}
}

// oneOf is a message with a field for each type that an interface may hold.
func (l *layout) oneOf(t *model.Type) model.Carrier {
	if m, ok := l.byType[t.ID()]; ok {
		return model.Carrier{Message: m}
	}
	m := l.add(typeWord(t, l.contract.Package.Path), &model.Message{Type: t, OneOf: true, Doc: "carries " + t.ID() + "."})
	l.byType[t.ID()] = m
	names := map[int]string{}
	for i, v := range t.Variants {
		names[i] = typeWord(v, t.Package.Path)
		if v.Kind == model.Pointer {
			names[i] = typeWord(v.Elem, t.Package.Path)
		}
	}
	wire := fieldNames(names, map[string]bool{"value": true})
	for i, v := range t.Variants {
		m.Fields = append(m.Fields, &model.Field{Name: wire[i], Type: v, Of: v, Value: model.Carrier{Message: l.typed(v)}})
	}
	return model.Carrier{Message: m}
}

// typed is a message for a type that stands alone: a struct has its own, also behind a pointer.
func (l *layout) typed(t *model.Type) *model.Message {
	switch {
	case t.Kind == model.Struct, t.Kind == model.OneOf, t.Kind == model.Pointer && t.Elem.Kind == model.Struct && !t.IsNamed():
		return l.carrier(t).Message
	default:
		return l.wrapper(t).Message
	}
}

// wrapper is a message with t as its only field, for places where proto takes no list, map or absent value.
func (l *layout) wrapper(t *model.Type) model.Carrier {
	id, word := t.ID(), typeWord(t, l.contract.Package.Path)
	if t.Kind == model.OneOf { // which has a message already, whose absence is nil
		id, word = "a "+id+" behind a pointer", word+"Pointer"
	}
	if m, ok := l.byType[id]; ok {
		return model.Carrier{Message: m}
	}
	m := l.add(word, &model.Message{Type: t, Wrapper: true, Doc: "carries " + id + "."})
	l.byType[id] = m
	m.Fields = append(m.Fields, l.field("value", t))
	return model.Carrier{Message: m}
}

func scalar(k model.Kind) string {
	switch k {
	case model.Bool:
		return "bool"
	case model.String:
		return "string"
	case model.Float32:
		return "float"
	case model.Float64:
		return "double"
	case model.Int8, model.Int16, model.Int32:
		return "int32"
	case model.Int, model.Int64:
		return "int64"
	case model.Uint8, model.Uint16, model.Uint32:
		return "uint32"
	default:
		return "uint64"
	}
}
