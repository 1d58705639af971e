package generator

import (
	"strconv"
	"strings"

	"github.com/plugingen/plugingen/generator/internal/render"
	"github.com/plugingen/plugingen/generator/model"
)

func hostKind() kind { return kind{set: "host", view: (*codeView).addCalls} }

// addCalls fills in a host's table of methods, and the stubs for the plugin that its tests build.
func (v *codeView) addCalls() error {
	if err := v.addStubs(); err != nil {
		return err
	}
	imports := v.importsFor([]string{"context"}, []string{"host"}, callNames()...)
	for range 2 { // see stubs
		for i, s := range v.contract.Services {
			for j, m := range s.Methods {
				v.Services[i].Methods[j].Params = paramViews(m)
				v.Services[i].Methods[j].Call = call(imports, m)
			}
		}
	}
	v.CallImports = render.Code(imports.Block())
	return nil
}

// callNames are the names that the table of methods and its package use themselves.
func callNames() []string {
	return []string{
		"method", "methods", "param", "arguments", "argument", "rest", "args", "client", "ctx", "err", "p", "Run", "options", "program",
		"message", "messages", "asJSON", "m", "results", "pointer",
	}
}

func paramViews(m *model.Method) []paramView {
	var views []paramView
	for i, p := range m.Params {
		name, what := displayName(p, i), describeType(p.Type)
		if m.RPC != nil && p.Type.Kind == model.ProtoMessage {
			what = describeType(p.Type.Elem)
		}
		if m.RPC != nil && m.RPC.ClientStreams {
			name, what = name+"...", describeType(m.RPC.Request.Type)
		}
		if m.Variadic && i == len(m.Params)-1 {
			name, what = name+"...", describeType(p.Type.Elem)
		}
		views = append(views, paramView{Name: name, What: what})
	}
	return views
}

func displayName(p *model.Param, i int) string {
	if p.Name == "" || p.Name == "_" {
		return "arg" + strconv.Itoa(i)
	}
	return p.Name
}

// describeType says how a value is written on a command line.
func describeType(t *model.Type) string {
	switch t.Kind {
	case model.Bool:
		return "true or false"
	case model.String, model.Bytes:
		return "text"
	case model.Float32, model.Float64:
		return "number"
	case model.Duration:
		return "duration such as 1m30s"
	case model.Time:
		return "time such as 2006-01-02T15:04:05Z"
	case model.Int, model.Int8, model.Int16, model.Int32, model.Int64, model.Uint, model.Uint8, model.Uint16, model.Uint32, model.Uint64:
		return "whole number"
	default:
		return t.String() + " as JSON"
	}
}

// call reads the arguments of a method and calls it: the body of a function that returns its results and an error.
func call(imports *model.ImportSet, m *model.Method) render.Code {
	names := m.ParamNames(imports)
	var b strings.Builder
	var args []string
	if m.HasContext {
		args, names = append(args, "ctx"), names[1:]
	}
	for i, p := range m.Params {
		read, typ, spread := "argument", p.Type, ""
		if m.Variadic && i == len(m.Params)-1 {
			read, typ, spread = "rest", p.Type.Elem, "..."
		}
		if m.RPC != nil {
			read, typ = readMessage(m.RPC, typ)
		}
		b.WriteString(names[i] + " := " + read + "[" + typ.Expr(imports) + "](args, " + strconv.Quote(displayName(p, i)) + ")\n")
		args = append(args, names[i]+spread)
	}
	b.WriteString("if err := args.done(); err != nil {\n\treturn nil, err\n}\n")
	b.WriteString(callAndReturn(m, "client."+m.Name+"("+strings.Join(args, ", ")+")"))
	return render.Code(b.String())
}

// readMessage is how a message, or a stream of them, is read.
func readMessage(rpc *model.RPC, typ *model.Type) (read string, of *model.Type) {
	switch {
	case rpc.ClientStreams:
		return "messages", rpc.Request.Type
	case typ.Kind == model.ProtoMessage:
		return "message", rpc.Request.Type
	default:
		return "argument", typ
	}
}

// streamToList gathers what a stream gives.
func streamToList(call string) string {
	return "var results []any\nfor m, err := range " + call + " {\nif err != nil {\nreturn results, err\n}\nresults = append(results, asJSON(m))\n}\nreturn results, nil"
}

func callAndReturn(m *model.Method, call string) string {
	if m.ReturnsStream() {
		return streamToList(call)
	}
	results := make([]string, len(m.Results))
	for i := range results {
		results[i] = "result" + strconv.Itoa(i)
	}
	list := strings.Join(results, ", ")
	shown := list
	if m.RPC != nil && len(m.Results) == 1 && m.Results[0].Type.Kind == model.ProtoMessage {
		shown = "asJSON(" + list + ")"
	}
	switch {
	case len(results) == 0 && m.HasError:
		return "return nil, " + call
	case len(results) == 0:
		return call + "\nreturn nil, nil"
	case m.HasError:
		return list + ", err := " + call + "\nreturn []any{" + shown + "}, err"
	default:
		return list + " := " + call + "\nreturn []any{" + list + "}, nil"
	}
}
