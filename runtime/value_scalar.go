package runtime

import (
	"cmp"
	"fmt"
	"math"
	"time"

	"github.com/plugingen/plugingen/runtime/runtimepb"
)

// encodeScalar is the message for nil and the types that every set knows, nil for others.
func encodeScalar(v any) *runtimepb.Value {
	switch v := v.(type) {
	case nil:
		return &runtimepb.Value{}
	case bool:
		return &runtimepb.Value{Kind: &runtimepb.Value_Bool{Bool: v}}
	case string:
		return &runtimepb.Value{Kind: &runtimepb.Value_String_{String_: v}}
	case float64:
		return &runtimepb.Value{Kind: &runtimepb.Value_Float{Float: v}}
	case float32:
		return &runtimepb.Value{Kind: &runtimepb.Value_Float{Float: float64(v)}, Type: "float32"}
	case []byte:
		return &runtimepb.Value{Kind: &runtimepb.Value_Bytes{Bytes: v}, Type: nilType(v == nil)}
	case time.Time:
		data, err := v.UTC().MarshalBinary()
		if err != nil {
			return nil
		}
		return &runtimepb.Value{Kind: &runtimepb.Value_Bytes{Bytes: data}, Type: "time.Time"}
	case []string:
		return encodeStrings(v)
	case map[string]string:
		return encodeStringMap(v)
	}
	return encodeInteger(v)
}

func encodeInteger(v any) *runtimepb.Value {
	signed := func(n int64, name string) *runtimepb.Value {
		return &runtimepb.Value{Kind: &runtimepb.Value_Int{Int: n}, Type: name}
	}
	unsigned := func(n uint64, name string) *runtimepb.Value {
		return &runtimepb.Value{Kind: &runtimepb.Value_Uint{Uint: n}, Type: name}
	}
	switch v := v.(type) {
	case int:
		return signed(int64(v), "")
	case int8:
		return signed(int64(v), "int8")
	case int16:
		return signed(int64(v), "int16")
	case int32:
		return signed(int64(v), "int32")
	case int64:
		return signed(v, "int64")
	case time.Duration:
		return signed(int64(v), "time.Duration")
	case uint:
		return unsigned(uint64(v), "")
	case uint8:
		return unsigned(uint64(v), "uint8")
	case uint16:
		return unsigned(uint64(v), "uint16")
	case uint32:
		return unsigned(uint64(v), "uint32")
	case uint64:
		return unsigned(v, "uint64")
	}
	return nil
}

func encodeStrings(list []string) *runtimepb.Value {
	if list == nil {
		return &runtimepb.Value{Type: "[]string"}
	}
	m := &runtimepb.Values{Values: make([]*runtimepb.Value, len(list))}
	for i, v := range list {
		m.Values[i] = &runtimepb.Value{Kind: &runtimepb.Value_String_{String_: v}}
	}
	return &runtimepb.Value{Kind: &runtimepb.Value_List{List: m}, Type: "[]string"}
}

func encodeStringMap(fields map[string]string) *runtimepb.Value {
	if fields == nil {
		return &runtimepb.Value{Type: "map[string]string"}
	}
	m := &runtimepb.Fields{Fields: make(map[string]*runtimepb.Value, len(fields))}
	for k, v := range fields {
		m.Fields[k] = &runtimepb.Value{Kind: &runtimepb.Value_String_{String_: v}}
	}
	return &runtimepb.Value{Kind: &runtimepb.Value_Fields{Fields: m}, Type: "map[string]string"}
}

func decodeScalar(m *runtimepb.Value) (any, error) {
	switch k := m.GetKind().(type) {
	case *runtimepb.Value_Bool:
		return k.Bool, nil
	case *runtimepb.Value_String_:
		return k.String_, nil
	case *runtimepb.Value_Float:
		if m.GetType() == "float32" {
			return float32(k.Float), nil
		}
		return k.Float, nil
	case *runtimepb.Value_Bytes:
		return decodeBytes(m, k.Bytes)
	case *runtimepb.Value_Int:
		return decodeInt(k.Int, m.GetType())
	case *runtimepb.Value_Uint:
		return decodeUint(k.Uint, m.GetType())
	}
	return nil, unknownType(m.GetType())
}

func decodeBytes(m *runtimepb.Value, data []byte) (any, error) {
	switch m.GetType() {
	case typeNil:
		return []byte(nil), nil
	case "time.Time":
		var t time.Time
		err := t.UnmarshalBinary(data)
		return t, err
	}
	if data == nil {
		data = []byte{}
	}
	return data, nil
}

func decodeInt(n int64, name string) (any, error) {
	switch {
	case name == "" && int64(int(n)) == n:
		return int(n), nil
	case name == "int64":
		return n, nil
	case name == "time.Duration":
		return time.Duration(n), nil
	case name == "int8" && int64(int8(n)) == n:
		return int8(n), nil
	case name == "int16" && int64(int16(n)) == n:
		return int16(n), nil
	case name == "int32" && int64(int32(n)) == n:
		return int32(n), nil
	case name == "" || name == "int8" || name == "int16" || name == "int32":
		return nil, fmt.Errorf("%d overflows %s", n, cmp.Or(name, "int"))
	}
	return nil, unknownType(name)
}

func decodeUint(n uint64, name string) (any, error) {
	switch {
	case name == "" && uint64(uint(n)) == n:
		return uint(n), nil
	case name == "uint64":
		return n, nil
	case name == "uint8" && n <= math.MaxUint8:
		return uint8(n), nil
	case name == "uint16" && n <= math.MaxUint16:
		return uint16(n), nil
	case name == "uint32" && n <= math.MaxUint32:
		return uint32(n), nil
	case name == "" || name == "uint8" || name == "uint16" || name == "uint32":
		return nil, fmt.Errorf("%d overflows %s", n, cmp.Or(name, "uint"))
	}
	return nil, unknownType(name)
}
