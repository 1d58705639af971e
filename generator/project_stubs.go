package generator

import (
	"slices"
	"strconv"
	"strings"

	"github.com/plugingen/plugingen/generator/internal/render"
	"github.com/plugingen/plugingen/generator/model"
)

func pluginKind() kind { return kind{set: "plugin", view: (*codeView).addStubs} }

// addStubs fills in main.go, what implements the contract, and what tests that: all in package main.
func (v *codeView) addStubs() error {
	taken := []string{"main", "config", "reached"}
	for _, s := range v.Services {
		taken = append(taken, s.Type, "check"+s.Name)
	}
	v.MainImports = render.Code(v.importsFor([]string{"log/slog", "os"}, []string{"", "plugin", "plugin/pluginlog"}).Block())
	v.stubs(v.importsFor(nil, nil, taken...))
	std, runtime := []string{"os", "testing"}, []string{"host", "plugintest"}
	switch {
	case v.FromProto:
		std = append(std, grpcCodes, grpcStatus)
	case v.ReturnsErrors:
		std, runtime = append(std, "errors"), append(runtime, "")
	}
	v.checks(v.importsFor(std, runtime, append(taken, "t", "err", "implementation", "p", "m")...))
	return nil
}

// stubs writes a declaration for every method. It goes over them twice: names of parameters depend on all imports,
// and these are known after the first time.
func (v *codeView) stubs(imports *model.ImportSet) {
	for range 2 {
		for i, s := range v.contract.Services {
			v.Services[i].Methods = nil
			for _, m := range s.Methods {
				mv := methodView{Name: m.Name, Doc: m.Doc, Summary: summary(m.Doc), Full: s.Name + "." + m.Name}
				mv.Stub = stub(imports, "*"+v.Services[i].Type, s.Name, m)
				v.Services[i].Methods = append(v.Services[i].Methods, mv)
			}
		}
	}
	v.StubImports = render.Code(imports.Block())
}

// stub declares the method. The projects of new plugins have pointers for receivers, so that their owners can give the types fields.
func stub(imports *model.ImportSet, receiverType, service string, m *model.Method) render.Code {
	return stubOn(imports, receiver(imports, m.ParamNames(imports))+" "+receiverType, service, m)
}

func stubOn(imports *model.ImportSet, receiver, service string, m *model.Method) render.Code {
	signature := m.Signature(imports)
	body := m.ExampleBody(imports, service)
	if body == "" {
		body = notImplemented(imports, service, m)
	}
	return render.Code("func (" + receiver + ") " + signature + " {\n\t" + strings.ReplaceAll(body, "\n", "\n\t") + "\n}")
}

// notImplemented is the body of a stub that has no example to show.
func notImplemented(imports *model.ImportSet, service string, m *model.Method) string {
	switch {
	case m.RPC != nil:
		return rpcStub(imports, service+"."+m.Name, m)
	case m.HasError:
		text := strconv.Quote(service + "." + m.Name + " is not implemented yet: %w")
		err := imports.Std("fmt") + ".Errorf(" + text + ", " + imports.Std("errors") + ".ErrUnsupported)"
		return "return " + m.FailResults(imports, err)
	case len(m.Results) == 0:
		return "// Not implemented yet."
	default:
		return "return " + m.ZeroResults(imports)
	}
}

// The packages of gRPC's errors.
const (
	grpcCodes  = "google.golang.org/grpc/codes"
	grpcStatus = "google.golang.org/grpc/status"
)

// rpcStub says what gRPC has for a method that is not there.
func rpcStub(imports *model.ImportSet, full string, m *model.Method) string {
	err := imports.Std(grpcStatus) + ".Error(" + imports.Std(grpcCodes) + ".Unimplemented, " + strconv.Quote(full+" is not implemented yet") + ")"
	if !m.ReturnsStream() {
		return "return " + m.FailResults(imports, err)
	}
	return "return func(yield func(" + m.RPC.Response.Pointer().Expr(imports) + ", error) bool) {\n\tyield(nil, " + err + ")\n}"
}

// receiver is a short name that nothing in the method has.
func receiver(imports *model.ImportSet, params []string) string {
	for _, name := range []string{"p", "m", "impl"} {
		if !imports.Has(name) && !slices.Contains(params, name) {
			return name
		}
	}
	return "_"
}

// checks writes a call of every method for a test, which holds before and after the method has a real body.
func (v *codeView) checks(imports *model.ImportSet) {
	for i, s := range v.contract.Services {
		for j, m := range s.Methods {
			v.Services[i].Methods[j].Check = check(imports, m)
		}
	}
	v.TestImports = render.Code(imports.Block())
}

func check(imports *model.ImportSet, m *model.Method) render.Code {
	call := "implementation." + m.Name + "(" + m.ExampleArgs(imports, "t.Context()") + ")"
	switch {
	case m.ReturnsStream():
		return render.Code("for _, err := range " + call + " {\nreached(t, err)\nbreak\n}")
	case !m.HasError && len(m.Results) == 0:
		return render.Code(call)
	case !m.HasError: // vet wants to see that it is meant
		return render.Code(strings.TrimSuffix(strings.Repeat("_, ", len(m.Results)), ", ") + " = " + call)
	}
	return render.Code(strings.Repeat("_, ", len(m.Results)) + "err := " + call + "\nreached(t, err)")
}
