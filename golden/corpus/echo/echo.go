// Package echo makes up values for the methods of any interface, the same ones in every process: both sides of a call know
// what the other one has to see.
package echo

import (
	"context"
	"encoding"
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"reflect"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// Serve is the body of a method: it compares what arrived with what Test sends, and gives what Test expects.
// In and out are pointers to parameters and results.
func Serve(method string, in, out []any) {
	for i, p := range in {
		got := reflect.ValueOf(p).Elem()
		want := value(got.Type(), fmt.Sprint(method, " parameter ", i))
		if d := diff(want, got); d != "" {
			panic(fmt.Sprintf("%s: parameter %d arrived as another value:\n%s", method, i, d))
		}
	}
	for i, p := range out {
		v := reflect.ValueOf(p).Elem()
		v.Set(value(v.Type(), fmt.Sprint(method, " result ", i)))
	}
}

// Test calls all methods of client, an interface, and compares what they return with what Serve gives.
func Test[T any](t *testing.T, name string, client T) {
	face := reflect.TypeFor[T]()
	for i := range face.NumMethod() {
		m := face.Method(i)
		t.Run(m.Name, func(t *testing.T) {
			label := name + "." + m.Name
			results := call(t, reflect.ValueOf(&client).Elem().Method(i), m.Type, label)
			for i, got := range results {
				want := value(got.Type(), fmt.Sprint(label, " result ", i))
				if d := diff(want, got); d != "" {
					t.Errorf("result %d:\n%s", i, d)
				}
			}
		})
	}
}

func call(t *testing.T, method reflect.Value, typ reflect.Type, label string) []reflect.Value {
	var args []reflect.Value
	n := 0
	for i := range typ.NumIn() {
		if i == 0 && typ.In(i) == reflect.TypeFor[context.Context]() {
			args = append(args, reflect.ValueOf(t.Context()))
			continue
		}
		args = append(args, value(typ.In(i), fmt.Sprint(label, " parameter ", n)))
		n++
	}
	if typ.IsVariadic() {
		return method.CallSlice(args)
	}
	return method.Call(args)
}

// diff compares as people would: errors by their text, and what stays in its process not at all.
func diff(want, got reflect.Value) string {
	same := cmp.Comparer(func(a, b error) bool {
		if a == nil || b == nil {
			return a == nil && b == nil
		}
		return a.Error() == b.Error()
	})
	return cmp.Diff(pointer(want), pointer(got), same, cmp.Exporter(func(reflect.Type) bool { return true }))
}

// pointer keeps the static type: an error in it is an error, whatever is behind it.
func pointer(v reflect.Value) any {
	p := reflect.New(v.Type())
	p.Elem().Set(v)
	return p.Interface()
}

// value makes a value up; the seed decides which.
func value(t reflect.Type, seed string) reflect.Value {
	h := fnv.New32a()
	_, _ = h.Write([]byte(seed)) // never fails
	m := maker{n: int64(h.Sum32() % 100)}
	v := reflect.New(t).Elem()
	m.fill(v, 0)
	return v
}

type maker struct{ n int64 }

// maxDepth ends values of types that hold themselves.
const maxDepth = 4

func (m *maker) next() int64 {
	m.n++
	return m.n % 100
}

func (m *maker) fill(v reflect.Value, depth int) {
	if depth > maxDepth || m.known(v) {
		return
	}
	switch v.Kind() {
	case reflect.Bool:
		v.SetBool(m.next()%2 == 0)
	case reflect.String:
		v.SetString(fmt.Sprint("text", m.next()))
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		v.SetInt(m.next() - 50)
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		v.SetUint(uint64(m.next()))
	case reflect.Float32, reflect.Float64:
		v.SetFloat(float64(m.next()) / 4)
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		m.fill(v.Index(0), depth+1)
		m.fill(v.Index(1), depth+1)
	case reflect.Array:
		for i := range v.Len() {
			m.fill(v.Index(i), depth+1)
		}
	case reflect.Map:
		m.fillMap(v, depth)
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		m.fill(v.Elem(), depth+1)
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				m.fill(v.Field(i), depth+1)
			}
		}
	}
}

func (m *maker) fillMap(v reflect.Value, depth int) {
	key, elem := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
	m.fill(key, depth+1)
	m.fill(elem, depth+1)
	v.Set(reflect.MakeMap(v.Type()))
	v.SetMapIndex(key, elem)
}

// known fills what has a meaning of its own. Interfaces with methods, functions and channels stay nil: they cross as nil.
func (m *maker) known(v reflect.Value) bool {
	switch v.Type() {
	case reflect.TypeFor[time.Time]():
		v.Set(reflect.ValueOf(time.Unix(m.next(), m.next()).UTC()))
	case reflect.TypeFor[error]():
		v.Set(reflect.ValueOf(errors.New(fmt.Sprint("error", m.next()))))
	case reflect.TypeFor[any]():
		v.Set(reflect.ValueOf(fmt.Sprint("any", m.next())))
	default:
		return m.marshals(v)
	}
	return true
}

// marshals says whether the value encodes itself: what is in it is its own affair. Many of those are made of a text.
func (m *maker) marshals(v reflect.Value) bool {
	if v.Kind() != reflect.Struct {
		return false
	}
	text := fmt.Sprint("/text", m.next())
	switch u := v.Addr().Interface().(type) {
	case encoding.TextUnmarshaler:
		_ = u.UnmarshalText([]byte(text)) // or it stays zero
	case json.Unmarshaler:
		_ = u.UnmarshalJSON([]byte(strconv.Quote(text)))
	}
	for _, name := range []string{"MarshalBinary", "MarshalText", "MarshalJSON", "ProtoReflect"} {
		if _, ok := reflect.PointerTo(v.Type()).MethodByName(name); ok {
			return true
		}
	}
	return false
}
