package runtime

import (
	"maps"
	"reflect"

	"google.golang.org/protobuf/proto"
)

// What a method has written into a parameter comes back as a value of its own. These put it into the caller's; generated code calls them.

// Replace makes what p points to what with points to. It says whether it could: neither may be nil.
func Replace[T any](p, with *T) bool {
	if p == nil || with == nil {
		return false
	}
	*p = *with
	return true
}

// ReplaceExported is Replace for a struct of which only the exported fields cross: the others stay as they are.
func ReplaceExported[T any](p, with *T) bool {
	if p == nil || with == nil {
		return false
	}
	replaceFields(reflect.ValueOf(p).Elem(), reflect.ValueOf(with).Elem())
	return true
}

func replaceFields(v, with reflect.Value) {
	for i := range v.NumField() {
		switch f := v.Type().Field(i); {
		case f.IsExported():
			v.Field(i).Set(with.Field(i))
		case f.Anonymous && f.Type.Kind() == reflect.Struct:
			replaceFields(v.Field(i), with.Field(i))
		}
	}
}

// ReplaceMessage is Replace for messages of protobuf, which must not be copied.
func ReplaceMessage(p, with proto.Message) bool {
	if !p.ProtoReflect().IsValid() || !with.ProtoReflect().IsValid() {
		return false
	}
	proto.Reset(p)
	proto.Merge(p, with)
	return true
}

// ReplaceAny is Replace for values of type any that refer to something: pointers, slices and maps, both of the same type. What is
// in a []any is replaced in the same way where it can be.
func ReplaceAny(p, with any) bool {
	v, w := reflect.ValueOf(p), reflect.ValueOf(with)
	if !v.IsValid() || !w.IsValid() || v.Type() != w.Type() {
		return false
	}
	switch v.Kind() {
	case reflect.Pointer:
		if m, ok := p.(proto.Message); ok {
			return ReplaceMessage(m, with.(proto.Message))
		}
		if v.IsNil() || w.IsNil() {
			return false
		}
		v.Elem().Set(w.Elem())
	case reflect.Slice:
		replaceElements(v, w)
	case reflect.Map:
		replaceEntries(v, w)
	default:
		return false
	}
	return true
}

func replaceElements(v, with reflect.Value) {
	for i := range min(v.Len(), with.Len()) {
		if v.Type().Elem().Kind() != reflect.Interface || !ReplaceAny(v.Index(i).Interface(), with.Index(i).Interface()) {
			v.Index(i).Set(with.Index(i))
		}
	}
}

func replaceEntries(v, with reflect.Value) {
	if v.IsNil() || with.IsNil() {
		return
	}
	v.Clear()
	for i := with.MapRange(); i.Next(); {
		v.SetMapIndex(i.Key(), i.Value())
	}
}

// ReplaceMap makes the entries of m those of with, unless one is nil.
func ReplaceMap[M ~map[K]V, K comparable, V any](m M, with *M) {
	if m == nil || with == nil {
		return
	}
	clear(m)
	maps.Copy(m, *with)
}
