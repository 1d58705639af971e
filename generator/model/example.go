package model

import (
	"slices"
	"strconv"
	"strings"
)

// ExampleBody is a body that works, for a stub: statements on lines of their own. It is empty where an example could be taken
// for an implementation, see STUBS.md: all that the method gives has to say by itself that it is an example. Service is the
// interface's name. Names of parameters are those of ParamNames.
func (m *Method) ExampleBody(imports *ImportSet, service string) string {
	if m.closes() {
		return "return nil"
	}
	if m.RPC != nil || promises(service, m.Name) { // to a service of a .proto, Unimplemented is an answer
		return ""
	}
	e := &exampleBody{method: m, imports: imports, text: strconv.Quote("example answer of " + service + "." + m.Name)}
	e.useParams()
	if !e.giveResults() || len(e.lines) == 0 {
		return ""
	}
	return strings.Join(e.lines, "\n")
}

// closes says whether the method is Close: a stub has nothing to let go of.
func (m *Method) closes() bool {
	return m.Name == "Close" && len(m.Params) == 0 && len(m.Results) == 0 && m.HasError
}

// exampleBody gathers the lines of a body.
type exampleBody struct {
	method  *Method
	imports *ImportSet
	text    string // quoted; it names the method
	lines   []string
	direct  string // the last call, when all that it has is an error
}

// useParams calls the functions among the parameters once, and writes to the writers.
func (e *exampleBody) useParams() {
	names := e.method.ParamNames(e.imports)
	ctx := ""
	if e.method.HasContext {
		ctx, names = names[0], names[1:]
	}
	for i, p := range e.method.Params {
		if p.Type.Kind != Live || e.method.Variadic && i == len(names)-1 {
			continue
		}
		switch p.Type.Live.Form {
		case IO:
			if p.Type.Live.Constructor == "Writer" && e.method.HasError {
				e.try("_, err", e.imports.Std("io")+".WriteString("+names[i]+", "+e.text+")")
			}
		case Func:
			e.call(names[i], p.Type.Live.Call(), ctx)
		}
	}
}

// call calls a function, unless there are no arguments for it that do no harm, or nobody to tell its error.
func (e *exampleBody) call(name string, f *Method, ctx string) {
	if f.HasContext && ctx == "" || f.HasError && !e.method.HasError || f.Variadic {
		return
	}
	var args []string
	if f.HasContext {
		args = append(args, ctx)
	}
	for _, p := range f.Params {
		value := p.Type.sample(e.imports, e.text)
		if value == "" {
			return
		}
		args = append(args, value)
	}
	call := name + "(" + strings.Join(args, ", ") + ")"
	if !f.HasError {
		e.lines, e.direct = append(e.lines, call), ""
		return
	}
	e.try(strings.Repeat("_, ", len(f.Results))+"err", call)
}

// try returns the error of a call.
func (e *exampleBody) try(left, call string) {
	e.lines = append(e.lines, "if "+left+" := "+call+"; err != nil {", "\treturn "+e.method.FailResults(e.imports, "err"), "}")
	if e.direct = ""; left == "err" {
		e.direct = call
	}
}

// giveResults returns values; it is false when a result has none that says that it is an example.
func (e *exampleBody) giveResults() bool {
	var results []string
	for _, r := range e.method.Results {
		var value string
		if r.Type.Kind == Live && r.Type.Live.Form == Receive && len(e.method.Results) == 1 {
			value = e.channel(r.Type)
		} else {
			value = r.Type.answer(e.imports, e.text)
		}
		if value == "" {
			return false
		}
		results = append(results, value)
	}
	if e.method.HasError {
		results = append(results, "nil")
	}
	switch n := len(e.lines); {
	case n == 0 && len(e.method.Results) == 0, len(results) == 0:
	case len(e.method.Results) == 0 && e.direct != "":
		e.lines = append(e.lines[:n-3], "return "+e.direct)
	default:
		e.lines = append(e.lines, "return "+strings.Join(results, ", "))
	}
	return true
}

// channel makes a channel with one value in it.
func (e *exampleBody) channel(t *Type) string {
	value := t.Elem.sample(e.imports, e.text)
	if value == "" {
		return ""
	}
	name := free("items", e.imports, e.method.ParamNames(e.imports))
	e.lines = append(e.lines, name+" := make(chan "+t.Elem.Expr(e.imports)+", 1)", name+" <- "+value, "close("+name+")")
	return name
}

// free is the name, or one like it that nothing has.
func free(name string, imports *ImportSet, taken []string) string {
	try := name
	for i := 2; imports.Has(try) || slices.Contains(taken, try); i++ {
		try = name + strconv.Itoa(i)
	}
	return try
}

// answer is a result that says that it is an example; empty where a type has none. Text is a quoted string.
func (t *Type) answer(imports *ImportSet, text string) string {
	switch {
	case t.Kind == String && !t.IsNamed():
		return text
	case t.Kind == Slice && t.Elem.tells():
		return t.Expr(imports) + "{" + t.Elem.inside(imports, text) + "}"
	case t.Kind != Live:
		return ""
	}
	switch t.Live.Form {
	case Seq, Seq2:
		return t.iterator(imports, text)
	case IO:
		return reader(imports, t.Live.Constructor, text)
	}
	return ""
}

// reader reads the text; empty where the interface can do more than that.
func reader(imports *ImportSet, constructor, text string) string {
	switch constructor {
	case "Reader", "ReadSeeker", "ReaderAt":
		return imports.Std("strings") + ".NewReader(" + text + ")"
	case "ReadCloser":
		return imports.Std("io") + ".NopCloser(" + imports.Std("strings") + ".NewReader(" + text + "))"
	}
	return ""
}

// iterator yields once.
func (t *Type) iterator(imports *ImportSet, text string) string {
	var types, values []string
	for _, item := range t.Live.Items {
		value := item.Type.sample(imports, text)
		if item.Type.Kind == Error && len(t.Live.Items) > 1 {
			value = "nil"
		}
		if value == "" {
			return ""
		}
		types, values = append(types, item.Type.Expr(imports)), append(values, value)
	}
	yield := free("yield", imports, nil)
	return "func(" + yield + " func" + paramList(types) + " bool) {\n\t" + yield + paramList(values) + "\n}"
}

// tells says whether a sample of the type has the text in it.
func (t *Type) tells() bool {
	switch t.Kind {
	case String:
		return !t.IsNamed() // one with a name may be one of a few values
	case Struct:
		return t.IsNamed() && t.textMember() != ""
	case Pointer:
		return !t.IsNamed() && t.Elem.Kind == Struct && t.Elem.tells()
	}
	return false
}

// textMember is the first field of a struct that is a plain string; empty without one.
func (t *Type) textMember() string {
	for _, m := range t.Members {
		if m.Type.Kind == String && !m.Type.IsNamed() && !m.Promoted {
			return m.Name
		}
	}
	return ""
}

// inside is a sample as an element of a literal, which leaves the name of a struct out.
func (t *Type) inside(imports *ImportSet, text string) string {
	switch t.Kind {
	case Pointer:
		return t.Elem.inside(imports, text)
	case Struct:
		return "{" + t.textMember() + ": " + text + "}"
	}
	return t.sample(imports, text)
}

// sample is a value that tells, or a number; empty for other types.
func (t *Type) sample(imports *ImportSet, text string) string {
	switch {
	case t.tells() && t.Kind == String:
		return text
	case t.tells() && t.Kind == Pointer:
		return "&" + t.Elem.sample(imports, text)
	case t.tells():
		return t.Expr(imports) + t.inside(imports, text)
	case t.Kind >= Int && t.Kind <= Uint64 && !t.IsEnum():
		return "1"
	case t.Kind == Float32 || t.Kind == Float64:
		return "1.5"
	}
	return ""
}
