package model

import (
	"strings"
	"testing"
)

func TestExampleBody(t *testing.T) {
	text := &Type{Kind: String}
	number := &Type{Kind: Int}
	item := &Type{Kind: Struct, Package: Package{"a.b/c", "c"}, Name: "Item", Members: []*Member{
		{Name: "Hidden", Type: text, Promoted: true}, {Name: "Size", Type: number}, {Name: "Name", Type: text},
	}}
	live := func(form Form, items ...*Type) *Type {
		l := &LiveType{Form: form}
		for _, i := range items {
			l.Items = append(l.Items, &Param{Type: i})
		}
		return &Type{Kind: Live, Live: l, Elem: items[0]}
	}
	io := func(name string) *Type {
		return &Type{Kind: Live, Package: Package{"io", "io"}, Name: name, Live: &LiveType{Form: IO, Constructor: name}}
	}
	function := func(m Method) *Type {
		return &Type{Kind: Live, Live: &LiveType{Form: Func, Service: &Service{Methods: []*Method{&m}}}}
	}
	list := func(types ...*Type) (params []*Param) {
		for _, t := range types {
			params = append(params, &Param{Name: "x" + string(rune('0'+len(params))), Type: t})
		}
		return params
	}
	const answer = `"example answer of Shop.`
	for name, c := range map[string]struct {
		service string
		m       Method
		want    string // lines, with ; for their ends; empty: no example
	}{
		"text":                   {"Shop", Method{Name: "Greet", Results: list(text), HasError: true}, `return ` + answer + `Greet", nil`},
		"text without an error":  {"Shop", Method{Name: "Name", Results: list(text)}, `return ` + answer + `Name"`},
		"text of a named type":   {"Shop", Method{Name: "State", Results: list(&Type{Kind: String, Name: "State"}), HasError: true}, ""},
		"text and a verdict":     {"Shop", Method{Name: "Find", Results: list(text, &Type{Kind: Bool}), HasError: true}, ""},
		"a number":               {"Shop", Method{Name: "Count", Results: list(number), HasError: true}, ""},
		"bytes":                  {"Shop", Method{Name: "Get", Results: list(&Type{Kind: Bytes}), HasError: true}, ""},
		"an error alone":         {"Shop", Method{Name: "Greet", Params: list(text), HasError: true}, ""},
		"nothing":                {"Shop", Method{Name: "Greet"}, ""},
		"Close":                  {"Shop", Method{Name: "Close", HasContext: true, HasError: true}, "return nil"},
		"Close of something":     {"Shop", Method{Name: "Close", Params: list(text), HasError: true}, ""},
		"a change":               {"Shop", Method{Name: "PutItem", Results: list(text), HasError: true}, ""},
		"a change of the past":   {"Shop", Method{Name: "Deleted", Results: list(text), HasError: true}, ""},
		"a secret":               {"Shop", Method{Name: "GetAPIKey", Results: list(text), HasError: true}, ""},
		"an interface's secret":  {"Keyring", Method{Name: "Get", Results: list(text), HasError: true}, ""},
		"no change after all":    {"Store", Method{Name: "Address", Results: list(text)}, `return "example answer of Store.Address"`},
		"slice":                  {"Shop", Method{Name: "List", Results: list(&Type{Kind: Slice, Elem: item}), HasError: true}, `return []c.Item{{Name: ` + answer + `List"}}, nil`},
		"slice of pointers":      {"Shop", Method{Name: "List", Results: list(&Type{Kind: Slice, Elem: &Type{Kind: Pointer, Elem: item}})}, `return []*c.Item{{Name: ` + answer + `List"}}`},
		"slice of numbers":       {"Shop", Method{Name: "List", Results: list(&Type{Kind: Slice, Elem: number})}, ""},
		"reader":                 {"Shop", Method{Name: "Open", Results: list(io("ReadCloser")), HasError: true}, `return io.NopCloser(strings.NewReader(` + answer + `Open")), nil`},
		"writer":                 {"Shop", Method{Name: "Open", Results: list(io("WriteCloser")), HasError: true}, ""},
		"channel":                {"Shop", Method{Name: "Events", Results: list(live(Receive, item))}, `items := make(chan c.Item, 1);items <- c.Item{Name: ` + answer + `Events"};close(items);return items`},
		"channel without values": {"Shop", Method{Name: "Done", Results: list(live(Receive, &Type{Kind: Struct}))}, ""},
		"iterator":               {"Shop", Method{Name: "All", Results: list(live(Seq2, number, &Type{Kind: Error}))}, `return func(yield func(int, error) bool) {;	yield(1, nil);}`},
		"writer to write to":     {"Shop", Method{Name: "Export", Params: list(io("Writer")), HasError: true}, `if _, err := io.WriteString(x0, ` + answer + `Export"); err != nil {;	return err;};return nil`},
		"callback":               {"Shop", Method{Name: "Each", HasContext: true, Params: list(function(Method{HasContext: true, HasError: true, Params: list(text)})), HasError: true}, `return x0(ctx, ` + answer + `Each")`},
		"two callbacks": {
			"Shop",
			Method{Name: "Each", Params: list(function(Method{HasError: true}), function(Method{Params: list(number)})), HasError: true},
			`if err := x0(); err != nil {;	return err;};x1(1);return nil`,
		},
		"callback with a result": {
			"Shop",
			Method{Name: "Each", Params: list(function(Method{HasError: true, Results: list(text)})), Results: list(text), HasError: true},
			`if _, err := x0(); err != nil {;	return "", err;};return ` + answer + `Each", nil`,
		},
		"callback for nobody":    {"Shop", Method{Name: "Each", Params: list(function(Method{Params: list(&Type{Kind: Live, Live: &LiveType{Form: Interface}})})), HasError: true}, ""},
		"callback's lost error":  {"Shop", Method{Name: "Each", Params: list(function(Method{HasError: true}))}, ""},
		"callback and a verdict": {"Shop", Method{Name: "Each", Params: list(function(Method{})), Results: list(number), HasError: true}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			if got := strings.ReplaceAll(c.m.ExampleBody(NewImportSet(""), c.service), "\n", ";"); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}
