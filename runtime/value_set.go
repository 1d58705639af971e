package runtime

import (
	"errors"
	"fmt"
	"reflect"

	"github.com/plugingen/plugingen/runtime/runtimepb"
)

// maxValueDepth bounds values within values: one that holds itself has no end.
const maxValueDepth = 500

var errValueDepth = errors.New("the value is nested deeper than 500 levels: it may hold itself")

// ValueSet carries values of type any: nil, booleans, numbers, strings, []byte, time.Time, time.Duration, []any, map[string]any,
// []string, map[string]string, and the types that were registered. They come back as the type that they were.
// The zero value has no registered types. Once all are registered, it may be used concurrently.
type ValueSet struct{ types valueTypes }

// Register adds types. Generated code calls it before anything else can use the set.
func (s *ValueSet) Register(types ...ValueType) { s.types.add(types) }

// Encode returns v for the wire. A *TypeError names a type that cannot cross. Depth is that of the value v is found in, or 0.
func (s *ValueSet) Encode(v any, depth int) (*runtimepb.Value, error) {
	if depth > maxValueDepth {
		return nil, errValueDepth
	}
	if m := encodeScalar(v); m != nil {
		return m, nil
	}
	switch v := v.(type) {
	case []any:
		return s.encodeList(v, depth)
	case map[string]any:
		return s.encodeFields(v, depth)
	}
	return s.encodeRegistered(v, depth)
}

func (s *ValueSet) encodeRegistered(v any, depth int) (*runtimepb.Value, error) {
	t := s.types.byType[reflect.TypeOf(v)]
	if t == nil {
		return nil, &TypeError{Type: fmt.Sprintf("%T", v), Hint: "pass one that the contract lists, or list it with //plugingen:any"}
	}
	data, err := t.encode(v, depth+1)
	if err != nil {
		return nil, err
	}
	m := &runtimepb.Value{Type: t.name}
	if data != nil {
		m.Kind = &runtimepb.Value_Message{Message: data}
	}
	return m, nil
}

func (s *ValueSet) encodeList(list []any, depth int) (*runtimepb.Value, error) {
	m := &runtimepb.Values{Values: make([]*runtimepb.Value, len(list))}
	for i, v := range list {
		var err error
		if m.Values[i], err = s.Encode(v, depth+1); err != nil {
			return nil, at(depth, fmt.Sprintf("[%d]", i), err)
		}
	}
	return &runtimepb.Value{Kind: &runtimepb.Value_List{List: m}, Type: nilType(list == nil)}, nil
}

func (s *ValueSet) encodeFields(fields map[string]any, depth int) (*runtimepb.Value, error) {
	m := &runtimepb.Fields{Fields: make(map[string]*runtimepb.Value, len(fields))}
	for k, v := range fields {
		var err error
		if m.Fields[k], err = s.Encode(v, depth+1); err != nil {
			return nil, at(depth, fmt.Sprintf("[%q]", k), err)
		}
	}
	return &runtimepb.Value{Kind: &runtimepb.Value_Fields{Fields: m}, Type: nilType(fields == nil)}, nil
}

// at says where in a value an error is, near its top: the text must not be as deep as the value.
func at(depth int, where string, err error) error {
	if depth > 8 {
		return err
	}
	return fmt.Errorf("%s: %w", where, err)
}

// typeNil stands for a slice or map that is nil, not just empty.
const typeNil = "nil"

func nilType(isNil bool) string {
	if isNil {
		return typeNil
	}
	return ""
}

// Decode returns the value that m describes. A *TypeError names a type that is not registered here.
func (s *ValueSet) Decode(m *runtimepb.Value, depth int) (any, error) {
	if depth > maxValueDepth {
		return nil, errValueDepth
	}
	switch k := m.GetKind().(type) {
	case *runtimepb.Value_List:
		return s.decodeList(m, k.List.GetValues(), depth)
	case *runtimepb.Value_Fields:
		return s.decodeFields(m, k.Fields.GetFields(), depth)
	case *runtimepb.Value_Message:
		return s.decodeRegistered(m.GetType(), k.Message, depth)
	case nil:
		return s.decodeNil(m.GetType(), depth)
	default:
		return decodeScalar(m)
	}
}

// decodeNil is nil, or the nil of a type.
func (s *ValueSet) decodeNil(name string, depth int) (any, error) {
	switch name {
	case "":
		return nil, nil
	case "[]string":
		return []string(nil), nil
	case "map[string]string":
		return map[string]string(nil), nil
	}
	return s.decodeRegistered(name, nil, depth)
}

func (s *ValueSet) decodeRegistered(name string, data []byte, depth int) (any, error) {
	t := s.types.byName[name]
	if t == nil {
		return nil, unknownType(name)
	}
	return t.decode(data, depth+1)
}

func unknownType(name string) error {
	return &TypeError{Type: fmt.Sprintf("%q", name), Hint: "this side's contract does not list it; generate both sides from the same contract"}
}

func (s *ValueSet) decodeList(m *runtimepb.Value, values []*runtimepb.Value, depth int) (any, error) {
	switch m.GetType() {
	case typeNil:
		return []any(nil), nil
	case "[]string":
		list := make([]string, len(values))
		for i, v := range values {
			list[i] = v.GetString_()
		}
		return list, nil
	}
	list := make([]any, len(values))
	for i, v := range values {
		var err error
		if list[i], err = s.Decode(v, depth+1); err != nil {
			return nil, at(depth, fmt.Sprintf("[%d]", i), err)
		}
	}
	return list, nil
}

func (s *ValueSet) decodeFields(m *runtimepb.Value, values map[string]*runtimepb.Value, depth int) (any, error) {
	switch m.GetType() {
	case typeNil:
		return map[string]any(nil), nil
	case "map[string]string":
		fields := make(map[string]string, len(values))
		for k, v := range values {
			fields[k] = v.GetString_()
		}
		return fields, nil
	}
	fields := make(map[string]any, len(values))
	for k, v := range values {
		var err error
		if fields[k], err = s.Decode(v, depth+1); err != nil {
			return nil, at(depth, fmt.Sprintf("[%q]", k), err)
		}
	}
	return fields, nil
}

// CheckKey says why a value of type any, or what has one in it, cannot be the key of a map; nil when it can. Generated
// code asks before it uses what a peer sent.
func CheckKey(key any) error {
	if v := reflect.ValueOf(key); v.IsValid() && !v.Comparable() {
		return fmt.Errorf("a %T cannot be the key of a map", key)
	}
	return nil
}
