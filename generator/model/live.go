package model

import (
	"strconv"
	"strings"
)

// Form says what kind of live value a type is.
type Form int

// The forms of live values. An interface has methods, a function is one method called Call; Receive and Send are the two
// directions of channels; Seq and Seq2 are iterators; IO is one of the interfaces of package io that the runtime knows.
const (
	Interface Form = iota + 1
	Func
	Receive
	Send
	Seq
	Seq2
	IO
)

// LiveType says how values of a type cross that stay in their process: what crosses is a reference.
type LiveType struct {
	Form Form
	// Service has the methods of an interface or a function; nil for other forms.
	Service *Service
	// Items are what one value of a channel or an iterator consists of: one, or two for a Seq2.
	Items []*Param
	// Message carries the Items; nil until the schema has been laid out.
	Message *Message
	// Constructor is the name in the runtime of what serves an IO, such as "Reader".
	Constructor string
}

// ObjectProto is the message of the runtime that refers to a live value.
const ObjectProto = ".plugingen.runtime.v1.Object"

// IsLive says whether a value of the type is, or holds, one that stays in its process.
func (t *Type) IsLive() bool { return t.isLive(map[*Type]bool{}) }

func (t *Type) isLive(seen map[*Type]bool) bool {
	if t == nil || seen[t] {
		return false
	}
	seen[t] = true
	if t.Kind == Live || t.Key.isLive(seen) || t.Elem.isLive(seen) {
		return true
	}
	for _, m := range t.Members {
		if m.Type.isLive(seen) {
			return true
		}
	}
	for _, v := range t.Variants {
		if v.isLive(seen) {
			return true
		}
	}
	return false
}

// IsLive says whether the method has live values among its parameters or results.
func (m *Method) IsLive() bool { return anyLive(m.Params) || m.GivesLive() }

// GivesLive says whether the method has live values among its results, or in what it fills.
func (m *Method) GivesLive() bool { return anyLive(m.Results) || anyLive(m.Filled()) }

func anyLive(params []*Param) bool {
	for _, p := range params {
		if p.Type.IsLive() {
			return true
		}
	}
	return false
}

// Call is the only method of a function's service.
func (l *LiveType) Call() *Method { return l.Service.Methods[0] }

// liveExample is a value that ends by itself: a reader of a few bytes, a channel that is closed, a function that does nothing.
func (t *Type) liveExample(imports *ImportSet, name string) string {
	switch t.Live.Form {
	case IO:
		return ioExample(imports, t.Live.Constructor, name)
	case Func:
		m := t.Live.Call()
		results := m.ZeroResults(imports)
		if results != "" {
			results = "return " + results
		}
		return "func" + paramList(m.paramTypes(imports)) + m.ResultList(imports) + " { " + results + " }"
	case Receive:
		elem := t.Elem.Expr(imports)
		return "func() <-chan " + elem + " { c := make(chan " + elem + "); close(c); return c }()"
	case Send:
		return "make(chan " + t.Elem.Expr(imports) + ", 100)"
	case Seq, Seq2:
		var args []string
		for _, arg := range t.Args {
			args = append(args, arg.Expr(imports))
		}
		return "func(func" + paramList(args) + " bool) {}"
	default:
		return "nil"
	}
}

func ioExample(imports *ImportSet, constructor, name string) string {
	text := func() string { return imports.Std("strings") + ".NewReader(" + strconv.Quote(name) + ")" }
	switch constructor {
	case "Reader", "ReadSeeker", "ReaderAt", "Seeker":
		return text()
	case "ReadCloser", "Closer":
		return imports.Std("io") + ".NopCloser(" + text() + ")"
	case "Writer":
		return imports.Std("io") + ".Discard"
	default:
		return "nil"
	}
}

func (t *Type) liveExpr(imports *ImportSet) string {
	switch t.Live.Form {
	case Func:
		m := t.Live.Call()
		return "func" + paramList(m.paramTypes(imports)) + m.ResultList(imports)
	case Receive:
		return "<-chan " + t.Elem.Expr(imports)
	case Send:
		return "chan<- " + t.Elem.Expr(imports)
	default:
		return t.interfaceText(func(m *Method) string { return paramList(m.paramTypes(imports)) + m.ResultList(imports) })
	}
}

// interfaceText is an interface type without a name, on one line; every form but this one and functions and channels has one.
func (t *Type) interfaceText(signature func(*Method) string) string {
	if t.Live.Service == nil {
		return "interface{}"
	}
	var methods []string
	for _, m := range t.Live.Service.Methods {
		methods = append(methods, m.Name+signature(m))
	}
	return "interface{ " + strings.Join(methods, "; ") + " }"
}

func (t *Type) liveText(text func(*Type) string) string {
	switch t.Live.Form {
	case Func:
		return t.Live.Call().funcText(text)
	case Receive:
		return "<-chan " + text(t.Elem)
	case Send:
		return "chan<- " + text(t.Elem)
	default:
		return t.interfaceText(func(m *Method) string { return strings.TrimPrefix(m.funcText(text), "func") })
	}
}

func (m *Method) funcText(text func(*Type) string) string {
	var params, results []string
	if m.HasContext {
		params = append(params, "context.Context")
	}
	for i, p := range m.Params {
		if m.Variadic && i == len(m.Params)-1 {
			params = append(params, "..."+text(p.Type.Elem))
			continue
		}
		params = append(params, text(p.Type))
	}
	for _, r := range m.Results {
		results = append(results, text(r.Type))
	}
	if m.HasError {
		results = append(results, "error")
	}
	return "func" + paramList(params) + resultList(results)
}
