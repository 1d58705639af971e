package model

import (
	"strconv"
	"strings"
	"time"
)

// Method is a method of an interface.
type Method struct {
	Name string
	Doc  string // doc comment without comment marks, from the interface that declares the method
	Pos  string // file:line:col of the declaration
	// Params are the parameters without the context.
	Params []*Param
	// Results are the results without the error.
	Results    []*Param
	HasContext bool // the first parameter is a context.Context
	HasError   bool // the last result is an error
	Variadic   bool // the last of Params is variadic; its Type is the slice
	// Timeout bounds calls of a method without a context; zero means the runtime's default.
	Timeout time.Duration
	// Fills says that the method is like io.Reader's Read or io.ReaderAt's ReadAt: it fills the slice that it is given.
	Fills bool
	// ContextName is the name of the context parameter; empty when it has none.
	ContextName string
	// Request and Response are the messages that carry the call; nil until the schema has been laid out.
	Request, Response *Message
	// WireName is the method's gRPC name.
	WireName string
	// RPC is how a method of a .proto's service travels; nil in contracts made of Go interfaces.
	RPC *RPC
}

// Param is a parameter or a result.
type Param struct {
	Name string // as declared; empty when it has none or is blank
	Type *Type
	// Kept says that live values in a parameter outlast the call.
	Kept bool
	// InOut says that what the implementation writes into a parameter's value is written into the caller's, too.
	InOut bool
	// Field carries it, Back what an InOut comes back as; nil until the schema has been laid out.
	Field, Back *Field
}

// Filled are the parameters that are InOut.
func (m *Method) Filled() []*Param {
	var filled []*Param
	for _, p := range m.Params {
		if p.InOut {
			filled = append(filled, p)
		}
	}
	return filled
}

// Signature is the method without receiver, seen from the package of imports:
//
//	Greet(ctx context.Context, name string) (string, error)
//
// Every parameter has a name, see ParamNames. What the types need is added to imports.
func (m *Method) Signature(imports *ImportSet) string {
	types := m.paramTypes(imports)
	return m.signature(imports, m.ParamNames(imports), types)
}

// SignatureWith is Signature with names of the caller's choice for the parameters, the context included.
func (m *Method) SignatureWith(imports *ImportSet, names []string) string {
	return m.signature(imports, names, m.paramTypes(imports))
}

func (m *Method) signature(imports *ImportSet, names, types []string) string {
	params := make([]string, len(names))
	for i, name := range names {
		params[i] = name + " " + types[i]
	}
	return m.Name + paramList(params) + m.ResultList(imports)
}

func paramList(params []string) string { return "(" + strings.Join(params, ", ") + ")" }

func (m *Method) paramTypes(imports *ImportSet) []string {
	var types []string
	if m.HasContext {
		types = append(types, imports.Std("context")+".Context")
	}
	for i, p := range m.Params {
		if m.Variadic && i == len(m.Params)-1 {
			types = append(types, "..."+p.Type.Elem.Expr(imports))
			continue
		}
		types = append(types, p.Type.Expr(imports))
	}
	return types
}

// ResultList is what follows the parameters in a signature: "", " error" or " (string, error)".
func (m *Method) ResultList(imports *ImportSet) string {
	var types []string
	for _, r := range m.Results {
		types = append(types, r.Type.Expr(imports))
	}
	if m.HasError {
		types = append(types, "error")
	}
	return resultList(types)
}

func resultList(types []string) string {
	switch len(types) {
	case 0:
		return ""
	case 1:
		return " " + types[0]
	default:
		return " (" + strings.Join(types, ", ") + ")"
	}
}

// ParamNames names all parameters, the context included, in order. They are those of the declaration, but
// parameters without a name get one, and names that imports or the language need in the body get a suffix.
func (m *Method) ParamNames(imports *ImportSet) []string {
	var wanted []string
	if m.HasContext {
		wanted = append(wanted, or(m.ContextName, "ctx"))
	}
	for i, p := range m.Params {
		wanted = append(wanted, or(p.Name, "arg"+strconv.Itoa(i)))
	}
	used := map[string]bool{}
	for _, name := range wanted {
		used[name] = true
	}
	for i, name := range wanted {
		wanted[i] = freeParam(name, imports, used, wanted[:i])
	}
	return wanted
}

func freeParam(name string, imports *ImportSet, declared map[string]bool, before []string) string {
	clashes := func(try string) bool {
		if imports.Has(try) || IsPredeclared(try) {
			return true
		}
		for _, b := range before {
			if b == try {
				return true
			}
		}
		return try != name && declared[try]
	}
	for i, try := 1, name; ; i++ {
		if !clashes(try) {
			return try
		}
		try = name + "Arg"
		if i > 1 {
			try += strconv.Itoa(i)
		}
	}
}

// ZeroResults are the zero values of all results, separated by commas; the error is nil. Empty without results.
func (m *Method) ZeroResults(imports *ImportSet) string {
	return strings.Join(m.Zeros(imports, "nil"), ", ")
}

// FailResults are the results of a call that failed with the error expression err: zero values, then err.
// A method without an error result has only the zero values.
func (m *Method) FailResults(imports *ImportSet, err string) string {
	return strings.Join(m.Zeros(imports, err), ", ")
}

// Zeros are the zero values of the results, and err at the end when the method has an error result.
func (m *Method) Zeros(imports *ImportSet, err string) []string {
	var zeros []string
	for _, r := range m.Results {
		zeros = append(zeros, r.Type.Zero(imports))
	}
	if m.HasError {
		zeros = append(zeros, err)
	}
	return zeros
}

// ExampleArgs are arguments for a call of the method, separated by commas: ctx (an expression, such as "t.Context()")
// for the context, and sample values for the rest.
func (m *Method) ExampleArgs(imports *ImportSet, ctx string) string {
	var args []string
	if m.HasContext {
		args = append(args, ctx)
	}
	for i, p := range m.Params {
		t := p.Type
		if m.Variadic && i == len(m.Params)-1 {
			t = t.Elem
		}
		args = append(args, t.Example(imports, or(p.Name, "arg"+strconv.Itoa(i))))
	}
	return strings.Join(args, ", ")
}

func or(name, otherwise string) string {
	if name == "" || name == "_" {
		return otherwise
	}
	return name
}
