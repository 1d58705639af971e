package generator

import (
	"os"
	"reflect"
	"strings"
	"testing"
)

// TestViewsAreData: what templates see has no methods, so that no template can call into the generator.
func TestViewsAreData(t *testing.T) {
	for _, v := range []any{view{}, contractView{}, varsData{}} {
		walkType(t, reflect.TypeOf(v), map[reflect.Type]bool{})
	}
}

// TestViewsAreDocumented holds the page for authors to the fields that templates see.
func TestViewsAreDocumented(t *testing.T) {
	page, err := os.ReadFile("../templates/README.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range []any{view{}, contractView{}, foreignView{}, serviceView{}, methodView{}, paramView{}, varsData{}} {
		for field := range reflect.TypeOf(v).Fields() {
			if !strings.Contains(string(page), "`."+field.Name+"`") && !strings.Contains(string(page), "`."+field.Name+".") {
				t.Errorf("templates/README.md does not mention .%s of %T", field.Name, v)
			}
		}
	}
}

func walkType(t *testing.T, typ reflect.Type, seen map[reflect.Type]bool) {
	t.Helper()
	if seen[typ] {
		return
	}
	seen[typ] = true
	if n := typ.NumMethod() + reflect.PointerTo(typ).NumMethod(); n > 0 {
		t.Errorf("%s has methods", typ)
	}
	switch typ.Kind() {
	case reflect.Struct:
		for i := range typ.NumField() {
			walkType(t, typ.Field(i).Type, seen)
		}
	case reflect.Slice, reflect.Array, reflect.Pointer, reflect.Map:
		walkType(t, typ.Elem(), seen)
	case reflect.Func, reflect.Chan, reflect.UnsafePointer:
		t.Errorf("%s is among what templates see", typ)
	case reflect.Interface:
		if typ != reflect.TypeFor[any]() {
			t.Errorf("%s is among what templates see", typ)
		}
	}
}
