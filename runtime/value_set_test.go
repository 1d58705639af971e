package runtime_test

import (
	"errors"
	"math"
	"reflect"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/plugingen/plugingen/runtime"
	"github.com/plugingen/plugingen/runtime/runtimepb"
)

type span struct{ Seconds int64 }

func spans() *runtime.ValueSet {
	set := &runtime.ValueSet{}
	set.Register(
		runtime.NewValueType("example.com/x.span",
			func(v span, _ int) (*durationpb.Duration, error) {
				return &durationpb.Duration{Seconds: v.Seconds}, nil
			},
			func(m *durationpb.Duration, _ int) (span, error) { return span{m.GetSeconds()}, nil }),
		runtime.NewValueType("*example.com/x.span",
			func(v *span, _ int) (*durationpb.Duration, error) {
				if v == nil {
					return nil, nil
				}
				return &durationpb.Duration{Seconds: v.Seconds}, nil
			},
			func(m *durationpb.Duration, _ int) (*span, error) { return &span{m.GetSeconds()}, nil }),
	)
	return set
}

func acrossValue(t *testing.T, set *runtime.ValueSet, v any) (any, error) {
	t.Helper()
	m, err := set.Encode(v, 0)
	if err != nil {
		return nil, err
	}
	data, err := proto.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	back := &runtimepb.Value{}
	if err := proto.Unmarshal(data, back); err != nil {
		t.Fatal(err)
	}
	return set.Decode(back, 0)
}

func TestValuesKeepTheirType(t *testing.T) {
	set := spans()
	for _, want := range []any{
		nil, true, false, "", "caf\xe9", 0, -1, math.MaxInt, int8(-128), int16(1), int32(-5), int64(math.MinInt64), uint(0), uint8(255),
		uint16(9), uint32(math.MaxUint32), uint64(math.MaxUint64), 1.5, 0.0, math.Inf(-1), float32(2.5),
		[]byte{},
		[]byte(nil), []byte("x"),
		time.Date(2020, 1, 2, 3, 4, 5, 6, time.UTC),
		time.Time{},
		time.Hour, time.Duration(0),
		[]any{},
		[]any(nil),
		[]any{1, "a", nil, []any{}},
		map[string]any{},
		map[string]any(nil),
		map[string]any{"a": map[string]any{"b": 2.5}, "c": nil},
		[]string{},
		[]string(nil),
		[]string{"a", ""},
		map[string]string{},
		map[string]string(nil),
		map[string]string{"k": "v"},
		span{},
		span{3},
		&span{}, &span{4}, (*span)(nil),
		[]any{span{1}, &span{2}, map[string]any{"s": span{3}}},
	} {
		got, err := acrossValue(t, set, want)
		if err != nil {
			t.Errorf("%T: %v", want, err)
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("got %#v, want %#v", got, want)
		}
	}
	if got, err := acrossValue(t, set, math.NaN()); err != nil || !math.IsNaN(got.(float64)) {
		t.Errorf("NaN came back as %v, %v", got, err)
	}
}

func TestUnknownTypesAreNamed(t *testing.T) {
	for _, c := range []struct {
		v    any
		want string
	}{
		{make(chan int), "a value of type chan int cannot travel as any: pass one that the contract lists, or list it with //plugingen:any"},
		{[]any{1, map[string]any{"k": struct{}{}}}, `[1]: ["k"]: a value of type struct {} cannot travel as any: pass one that the contract lists, or list it with //plugingen:any`},
	} {
		_, err := acrossValue(t, spans(), c.v)
		var unknown *runtime.TypeError
		if !errors.As(err, &unknown) || err.Error() != c.want {
			t.Errorf("got %v, want %s", err, c.want)
		}
	}
	m, err := spans().Encode(span{1}, 0)
	if err != nil {
		t.Fatal(err)
	}
	var unknown *runtime.TypeError
	if _, err := new(runtime.ValueSet).Decode(m, 0); !errors.As(err, &unknown) || unknown.Type != `"example.com/x.span"` {
		t.Errorf("got %v", err)
	}
}

func TestHostileValues(t *testing.T) {
	self := []any{nil}
	self[0] = self
	if _, err := acrossValue(t, spans(), self); err == nil {
		t.Error("a value that holds itself crossed")
	}
	deep := &runtimepb.Value{}
	for range 1000 {
		deep = &runtimepb.Value{Kind: &runtimepb.Value_List{List: &runtimepb.Values{Values: []*runtimepb.Value{deep}}}}
	}
	for name, m := range map[string]*runtimepb.Value{
		"deep":      deep,
		"int8":      {Kind: &runtimepb.Value_Int{Int: 128}, Type: "int8"},
		"uint16":    {Kind: &runtimepb.Value_Uint{Uint: 1 << 16}, Type: "uint16"},
		"no int":    {Kind: &runtimepb.Value_Int{Int: 1}, Type: "uint"},
		"no uint":   {Kind: &runtimepb.Value_Uint{Uint: 1}, Type: "int"},
		"no time":   {Kind: &runtimepb.Value_Bytes{Bytes: []byte{1}}, Type: "time.Time"},
		"no type":   {Type: "what"},
		"no proto":  {Kind: &runtimepb.Value_Message{Message: []byte{1}}, Type: "example.com/x.span"},
		"no list":   {Kind: &runtimepb.Value_Message{Message: []byte{}}, Type: "[]string"},
		"no number": {Kind: &runtimepb.Value_Message{}, Type: ""},
	} {
		if v, err := spans().Decode(m, 0); err == nil {
			t.Errorf("%s: got %#v without an error", name, v)
		}
	}
}

func TestCheckKey(t *testing.T) {
	type inner struct{ v any }
	for _, key := range []any{nil, 1, "a", [2]any{1, nil}, inner{1.5}, &inner{[]int{}}} {
		if err := runtime.CheckKey(key); err != nil {
			t.Errorf("%v: %v", key, err)
		}
	}
	for _, key := range []any{[]any{}, map[string]any{}, [1]any{[]byte{}}, inner{inner{[]int{}}}} {
		if err := runtime.CheckKey(key); err == nil {
			t.Errorf("%#v can be a key", key)
		}
	}
}
