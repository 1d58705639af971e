package runtime

import (
	"fmt"
	"reflect"

	"google.golang.org/protobuf/proto"
)

// ValueType ties a Go type to the message that carries it where the interface does not say the type: in values of
// type any and in errors. Generated code makes them; they may be used concurrently.
type ValueType struct {
	name   string
	goType reflect.Type
	encode func(v any, depth int) ([]byte, error)
	decode func(data []byte, depth int) (any, error)
}

// NewValueType returns the type T under its name, such as "*example.com/store.Item", which M carries. Encode may return nil
// for the zero value of T, decode never gets nil. Depth counts values within values, to pass on to the sets' methods.
func NewValueType[T, M any, P interface {
	*M
	proto.Message
}](name string, encode func(v T, depth int) (P, error), decode func(m P, depth int) (T, error),
) ValueType {
	return ValueType{
		name:   name,
		goType: reflect.TypeFor[T](),
		encode: func(v any, depth int) ([]byte, error) {
			m, err := encode(v.(T), depth)
			if err != nil || m == nil {
				return nil, err
			}
			data, err := proto.Marshal(m)
			if data == nil {
				data = []byte{}
			}
			return data, err
		},
		decode: func(data []byte, depth int) (any, error) {
			var zero T
			if data == nil {
				return zero, nil
			}
			m := P(new(M))
			if err := proto.Unmarshal(data, m); err != nil {
				return zero, err
			}
			return decode(m, depth)
		},
	}
}

// valueTypes are types by both of their names. The zero value holds none.
type valueTypes struct {
	byType map[reflect.Type]*ValueType
	byName map[string]*ValueType
}

func (s *valueTypes) add(types []ValueType) {
	if s.byType == nil {
		s.byType, s.byName = map[reflect.Type]*ValueType{}, map[string]*ValueType{}
	}
	for _, t := range types {
		s.byType[t.goType], s.byName[t.name] = &t, &t
	}
}

// TypeError says that a value of type any, or what is in one, cannot cross: no side of the contract knows how.
type TypeError struct {
	Type string // Go type, such as "chan int", or the name that the other side sent
	Hint string // what to do
}

// Error names the type.
func (e *TypeError) Error() string {
	return fmt.Sprintf("a value of type %s cannot travel as any: %s", e.Type, e.Hint)
}
