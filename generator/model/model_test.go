package model

import (
	"strings"
	"testing"
)

func TestImportSet(t *testing.T) {
	s := NewImportSet("example.com/self", "k", "errors")
	for _, c := range []struct{ path, name, want string }{
		{"context", "context", "context"},
		{"example.com/self", "self", ""},
		{"errors", "errors", "errors2"},
		{"example.com/a/item", "item", "item"},
		{"example.com/b/item", "item", "item2"},
		{"example.com/a/item", "item", "item"},
		{"example.com/go-yaml/v3", "yaml", "yaml"},
		{"example.com/len", "len", "len2"},
		{"example.com/k", "k", "k2"},
	} {
		if got := s.Add(Package{Path: c.path, Name: c.name}); got != c.want {
			t.Errorf("Add(%s): got %q, want %q", c.path, got, c.want)
		}
	}
	want := `import (
	"context"
	errors2 "errors"

	"example.com/a/item"
	item2 "example.com/b/item"
	yaml "example.com/go-yaml/v3"
	k2 "example.com/k"
	len2 "example.com/len"
)
`
	if got := s.Block(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if got := NewImportSet("x").Block(); got != "" {
		t.Errorf("no imports: got %q", got)
	}
}

// example is a method with one parameter of each shape.
func example() *Method {
	item := &Type{Kind: Struct, Package: Package{"example.com/keyring", "keyring"}, Name: "Item"}
	pair := &Type{Kind: Struct, Package: Package{"example.com/pair", "pair"}, Name: "Pair", Args: []*Type{{Kind: String}, item}}
	return &Method{
		Name: "Do", HasContext: true, HasError: true, ContextName: "c", Variadic: true,
		Params: []*Param{
			{Name: "k", Type: &Type{Kind: String}},
			{Type: &Type{Kind: Pointer, Elem: item}},
			{Name: "keyring", Type: &Type{Kind: Map, Key: &Type{Kind: Int8}, Elem: pair}},
			{Name: "wait", Type: &Type{Kind: Duration}},
			{Name: "len", Type: &Type{Kind: Slice, Elem: &Type{Kind: Bytes}}},
		},
		Results: []*Param{{Type: item}, {Type: &Type{Kind: Array, Len: 2, Elem: &Type{Kind: Time}}}, {Type: &Type{Kind: Bool}}},
	}
}

func TestMethodCode(t *testing.T) {
	imports := NewImportSet("example.com/plugin", "k")
	m := example()
	m.Signature(imports) // the imports decide about names of parameters
	for _, c := range []struct{ what, got, want string }{
		{"signature", m.Signature(imports), "Do(c context.Context, kArg string, arg1 *keyring.Item, keyringArg map[int8]pair.Pair[string, keyring.Item], wait time.Duration, lenArg ...[]byte) (keyring.Item, [2]time.Time, bool, error)"},
		{"zeros", m.ZeroResults(imports), "keyring.Item{}, [2]time.Time{}, false, nil"},
		{"failure", m.FailResults(imports, "err"), "keyring.Item{}, [2]time.Time{}, false, err"},
		{"arguments", m.ExampleArgs(imports, "t.Context()"), `t.Context(), "k", &keyring.Item{}, map[int8]pair.Pair[string, keyring.Item]{1: pair.Pair[string, keyring.Item]{}}, time.Second, []byte("len")`},
		{"paths", strings.Join(imports.Paths(), " "), "context example.com/keyring example.com/pair time"},
		{"bare", (&Method{Name: "Close"}).Signature(imports), "Close()"},
		{"one result", (&Method{Name: "Close", HasError: true}).Signature(imports), "Close() error"},
	} {
		if c.got != c.want {
			t.Errorf("%s: got\n%s\nwant\n%s", c.what, c.got, c.want)
		}
	}
}

func TestExamplesOfRecursiveTypesEnd(t *testing.T) {
	tree := &Type{Kind: Slice, Package: Package{"example.com/tree", "tree"}, Name: "Tree"}
	tree.Elem = tree
	if got := tree.Example(NewImportSet(""), "x"); got != "tree.Tree{tree.Tree{tree.Tree{nil}}}" {
		t.Errorf("got %s", got)
	}
	if got := tree.ID(); got != "example.com/tree.Tree" {
		t.Errorf("got %s", got)
	}
}

func TestDiagnosticText(t *testing.T) {
	d := Diagnostic{Code: "PG0012", File: "g.go", Line: 3, Column: 7, Where: "G.Do: parameter f", Why: "no", Hint: "yes"}
	if got, want := (Diagnostics{d, {Code: "PG1", File: "x.proto", Why: "w"}}).Error(), "g.go:3:7: G.Do: parameter f: no: yes [PG0012]\nx.proto: w [PG1]"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if Diagnostics(nil).Err() != nil {
		t.Error("no faults are an error")
	}
}
