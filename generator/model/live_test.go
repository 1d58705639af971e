package model

import "testing"

func TestLiveTypesAndExamples(t *testing.T) {
	context := func(m Method) *Type {
		return &Type{Kind: Live, Live: &LiveType{Form: Func, Service: &Service{Methods: []*Method{&m}}}}
	}
	text := &Type{Kind: String}
	for name, c := range map[string]struct {
		t             *Type
		expr, example string
	}{
		"function": {
			context(Method{HasContext: true, HasError: true, Params: []*Param{{Type: text}}, Results: []*Param{{Type: text}}}),
			"func(context.Context, string) (string, error)", `func(context.Context, string) (string, error) { return "", nil }`,
		},
		"variadic":  {context(Method{Variadic: true, Params: []*Param{{Type: &Type{Kind: Slice, Elem: text}}}}), "func(...string)", "func(...string) {  }"},
		"receiver":  {&Type{Kind: Live, Elem: text, Live: &LiveType{Form: Receive}}, "<-chan string", "func() <-chan string { c := make(chan string); close(c); return c }()"},
		"sender":    {&Type{Kind: Live, Elem: text, Live: &LiveType{Form: Send}}, "chan<- string", "make(chan string, 100)"},
		"reader":    {&Type{Kind: Live, Package: Package{"io", "io"}, Name: "Reader", Live: &LiveType{Form: IO, Constructor: "Reader"}}, "io.Reader", `strings.NewReader("name")`},
		"closer":    {&Type{Kind: Live, Package: Package{"io", "io"}, Name: "ReadCloser", Live: &LiveType{Form: IO, Constructor: "ReadCloser"}}, "io.ReadCloser", `io.NopCloser(strings.NewReader("name"))`},
		"iterator":  {&Type{Kind: Live, Package: Package{"iter", "iter"}, Name: "Seq", Args: []*Type{text}, Live: &LiveType{Form: Seq}}, "iter.Seq[string]", "func(func(string) bool) {}"},
		"interface": {&Type{Kind: Live, Package: Package{"a.b/c", "c"}, Name: "D", Live: &LiveType{Form: Interface}}, "c.D", "nil"},
	} {
		t.Run(name, func(t *testing.T) {
			imports := NewImportSet("")
			if got := c.t.Expr(imports); got != c.expr {
				t.Errorf("Expr: got %q, want %q", got, c.expr)
			}
			if got := c.t.Example(imports, "name"); got != c.example {
				t.Errorf("Example: got %q, want %q", got, c.example)
			}
			if !c.t.IsLive() || !(&Type{Kind: Slice, Elem: c.t}).IsLive() || text.IsLive() {
				t.Error("IsLive is wrong")
			}
		})
	}
}
