package inspect

import (
	"fmt"
	"go/types"
	"strconv"
	"strings"

	"github.com/plugingen/plugingen/generator/model"
)

// method maps one method of an interface, which owner is the ID of and faults call service; nil when it cannot be called from outside.
func (m *mapper) method(service, owner string, fn *types.Func) *model.Method {
	doc, pos := m.loader.docs.method(fn)
	if fn.Pkg() == nil || m.loader.foreign == nil && !m.loader.isOwn(fn.Pos()) {
		pos = m.at // it is declared in no file that was read: the interface that embeds it has to do
	}
	m.at = pos
	where := service + "." + fn.Name()
	if !fn.Exported() {
		m.fault(pos, codeMethod, where, "the method is not exported: no other package can implement the interface", "export it, or take it out of the interface")
		return nil
	}
	if fn.Pkg() != nil && m.addSentinels(fn.Pkg()) {
		m.declaring[fn.Pkg().Path()] = fn.Pkg()
	}
	sig := fn.Signature()
	method := &model.Method{Name: fn.Name(), Doc: doc, Pos: pos.String(), Variadic: sig.Variadic()}
	m.params(where, method, fn, sig)
	m.results(where, method, fn, sig)
	method.Timeout = m.timeout(method, owner, fn.Pos())
	method.Fills = fills(fn)
	m.at = pos
	m.inOut(method, owner, where, sig, fn.Pos())
	m.keep(method, fn.Pos())
	if !method.HasError {
		m.at = pos
		m.warn(pos, codeNoErrorResult, where, "the method has no error result: when the plugin is gone, callers get zero values and only the host is told",
			"let its last result be an error")
	}
	return method
}

func (m *mapper) params(where string, method *model.Method, fn *types.Func, sig *types.Signature) {
	for i := range sig.Params().Len() {
		v := sig.Params().At(i)
		if isContext(v.Type()) && i == 0 {
			method.HasContext, method.ContextName = true, bareName(v.Name())
			continue
		}
		root := v.Name()
		if bareName(root) == "" {
			root = strconv.Itoa(i + 1)
		}
		t := m.value(fn, v, where, "parameter", root)
		if method.Variadic && i == sig.Params().Len()-1 && t.Kind == model.Bytes {
			t = &model.Type{Kind: model.Bytes, Elem: &model.Type{Kind: model.Uint8}}
		}
		method.Params = append(method.Params, &model.Param{Name: bareName(v.Name()), Type: t})
	}
}

func (m *mapper) results(where string, method *model.Method, fn *types.Func, sig *types.Signature) {
	n := sig.Results().Len()
	for i := range n {
		v := sig.Results().At(i)
		if isError(v.Type()) && i == n-1 {
			method.HasError = true
			continue
		}
		root := v.Name()
		if bareName(root) == "" {
			root = strconv.Itoa(i + 1)
		}
		method.Results = append(method.Results, &model.Param{Name: bareName(v.Name()), Type: m.value(fn, v, where, "result", root)})
	}
}

func bareName(name string) string {
	if name == "_" {
		return ""
	}
	return name
}

// value maps the type of a parameter or result, and sets where faults are.
func (m *mapper) value(fn *types.Func, v *types.Var, where, role, root string) *model.Type {
	if m.loader.isOwn(fn.Pos()) {
		m.at = m.loader.position(v.Pos())
	}
	m.written = m.show(v.Type())
	if strings.Contains(m.written, invalidType) {
		m.written = m.loader.docs.written(fn, v, m.written)
	}
	m.place = fmt.Sprintf("%s: %s %s (type %s)", where, role, root, m.written)
	m.root, m.depth = root, 0
	return m.convert(v.Type(), root)
}

// invalidType is what go/types calls a type that it does not know.
const invalidType = "invalid type"

// show is a type for people: as the package of the contract would write it.
func (m *mapper) show(t types.Type) string {
	return types.TypeString(t, func(p *types.Package) string {
		if p == m.home.types {
			return ""
		}
		return p.Name()
	})
}

func isContext(t types.Type) bool {
	n, ok := types.Unalias(t).(*types.Named)
	return ok && isNamed(n, "context", "Context")
}

func isNamed(n *types.Named, importPath, name string) bool {
	return n.Obj().Pkg() != nil && n.Obj().Pkg().Path() == importPath && n.Obj().Name() == name
}

func isError(t types.Type) bool {
	return types.Identical(t, types.Universe.Lookup("error").Type())
}
