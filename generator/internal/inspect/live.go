package inspect

import (
	"go/token"
	"go/types"
	"slices"
	"strings"

	"github.com/plugingen/plugingen/generator/model"
)

// Values of interfaces, functions, channels and iterators stay in their process: what crosses refers to them.

// place is where the mapping is; the methods of an interface are mapped on the way to something else.
type place struct {
	at                   token.Position
	place, written, root string
	depth                int
}

func (m *mapper) leave() place {
	return place{m.at, m.place, m.written, m.root, m.depth}
}

func (m *mapper) enter(p place) {
	m.at, m.place, m.written, m.root, m.depth = p.at, p.place, p.written, p.root, p.depth
}

// liveInterface maps an interface type that has methods; mt has its name.
func (m *mapper) liveInterface(mt *model.Type, t *types.Interface, path string) {
	if hasInvalidPart(t, 0) {
		m.missing(m.place)
		return
	}
	if !t.IsMethodSet() {
		m.refuse(path, codeInterface, "a constraint is no type of a value", "name an interface without types in it")
		return
	}
	mt.Kind = model.Live
	if !mt.IsNamed() {
		m.namelessInterface(mt, t, path)
		return
	}
	if constructor := ioConstructor(mt); constructor != "" {
		mt.Live = &model.LiveType{Form: model.IO, Constructor: constructor}
		return
	}
	mt.Live = &model.LiveType{Form: model.Interface}
	service, fresh := m.serviceOf(mt)
	mt.Live.Service = service
	if fresh {
		m.liveMethods(service, t, path)
	}
}

// maxNameless bounds interfaces without a name within each other.
const maxNameless = 5

// namelessInterface maps an interface type without a name: its methods are its name, so they come first.
func (m *mapper) namelessInterface(mt *model.Type, t *types.Interface, path string) {
	if len(m.nameless) >= maxNameless || slices.ContainsFunc(m.nameless, func(outer *types.Interface) bool { return types.Identical(outer, t) }) {
		mt.Kind = model.Invalid
		m.refuse(path, codeDepth, "an interface without a name refers to itself, or to too many others", "declare a named interface type")
		return
	}
	m.nameless = append(m.nameless, t)
	defer func() { m.nameless = m.nameless[:len(m.nameless)-1] }()
	s := &model.Service{Name: "interface", Type: mt}
	mt.Live = &model.LiveType{Form: model.Interface, Service: s}
	m.liveMethods(s, t, path)
	m.objects = append(m.objects, mt)
}

// serviceOf is the one service of an interface: that of the contract when it is one of those that were asked for.
func (m *mapper) serviceOf(mt *model.Type) (s *model.Service, fresh bool) {
	if s := m.services[mt.ID()]; s != nil {
		s.Type = mt
		return s, false
	}
	s = &model.Service{Name: mt.Name, Type: mt}
	if mt.Package.Path == m.home.types.Path() {
		s.Doc = m.loader.docs.typeDoc(m.home, mt.Name)
	}
	m.services[mt.ID()] = s
	m.objects = append(m.objects, mt)
	return s, true
}

// liveMethods maps the methods of an interface. Faults tell how it was reached.
func (m *mapper) liveMethods(s *model.Service, t *types.Interface, path string) {
	here := m.leave()
	where, owner := m.place, ""
	if s.Type.IsNamed() {
		owner = s.Type.ID()
	}
	if path != m.root {
		where += ": " + path
	}
	for i := range t.NumMethods() {
		if method := m.method(where+": "+s.Name, owner, t.Method(i)); method != nil {
			s.Methods = append(s.Methods, method)
		}
		m.enter(here)
	}
}

// liveFunc maps a function type, which has a name or not.
func (m *mapper) liveFunc(mt *model.Type, t *types.Signature, path string) {
	here := m.leave()
	where := m.place
	if path != m.root {
		where += ": " + path
	}
	mt.Kind = model.Live
	method := &model.Method{Name: "Call", Pos: m.at.String(), Variadic: t.Variadic()}
	mt.Live = &model.LiveType{Form: model.Func, Service: &model.Service{Name: "func", Methods: []*model.Method{method}}}
	fn := types.NewFunc(token.NoPos, nil, "Call", t)
	m.params(where+": func", method, fn, t)
	m.enter(here)
	m.results(where+": func", method, fn, t)
	m.enter(here)
	m.inOutFunc(method, mt, where, t)
	if !method.HasError {
		m.warn(m.at, codeNoErrorResult, where, "the function has no error result: when the other side is gone, callers get zero values and only the host is told",
			"let its last result be an error")
	}
	m.addObject(mt)
}

// inOutFunc does for a function what directives do for methods: those of its type, where that has a name. An option, which takes a
// pointer and returns nothing, is there to write.
func (m *mapper) inOutFunc(method *model.Method, mt *model.Type, where string, sig *types.Signature) {
	owner := ""
	if mt.IsNamed() {
		owner = mt.ID()
		method.Timeout = m.timeout(method, owner, token.NoPos)
	}
	if changesOnly(sig) && isFillable(method.Params[0].Type) {
		method.Params[0].InOut = true
	}
	m.inOut(method, owner, where, sig, token.NoPos)
}

// changesOnly recognises functions such as options: one pointer, and nothing comes back.
func changesOnly(t *types.Signature) bool {
	if t.Results().Len() > 0 || t.Params().Len() != 1 {
		return false
	}
	_, ok := types.Unalias(t.Params().At(0).Type()).(*types.Pointer)
	return ok
}

// addObject notes a type for which code is needed. A type without a name is met as often as it is written.
func (m *mapper) addObject(mt *model.Type) {
	if mt.Live.Service != nil {
		mt.Live.Service.Type = mt
	}
	m.objects = append(m.objects, mt)
}

// liveChan maps a channel that one side sends on and the other receives from.
func (m *mapper) liveChan(mt *model.Type, t *types.Chan, path string) {
	form := model.Receive
	switch t.Dir() {
	case types.SendRecv:
		m.refuse(path, codeChan, "a channel that both sides may send on cannot cross", "say who sends: <-chan "+m.show(t.Elem())+" or chan<- "+m.show(t.Elem()))
		return
	case types.SendOnly:
		form = model.Send
	}
	mt.Kind, mt.Elem = model.Live, m.convert(t.Elem(), path+"[value]")
	mt.Live = &model.LiveType{Form: form, Items: []*model.Param{{Name: "value", Type: mt.Elem}}}
	m.addObject(mt)
}

// liveSeq maps iter.Seq and iter.Seq2; nil when the type is neither.
func (m *mapper) liveSeq(t *types.Named, path string) *model.Type {
	form, words := model.Seq, []string{"value"}
	switch {
	case isNamed(t, "iter", "Seq2"):
		form, words = model.Seq2, []string{"key", "value"}
	case !isNamed(t, "iter", "Seq"):
		return nil
	}
	mt := &model.Type{Kind: model.Live, Package: model.Package{Path: "iter", Name: "iter"}, Name: t.Obj().Name()}
	mt.Live = &model.LiveType{Form: form}
	for i, word := range words {
		arg := m.convert(t.TypeArgs().At(i), path+"["+word+"]")
		mt.Args = append(mt.Args, arg)
		mt.Live.Items = append(mt.Live.Items, &model.Param{Name: word, Type: arg})
	}
	m.addObject(mt)
	return mt
}

// ioConstructor is the runtime's name for an interface of package io that it serves itself; empty for all others.
func ioConstructor(t *model.Type) string {
	if t.Package.Path != "io" {
		return ""
	}
	switch t.Name {
	case "Reader", "Writer", "Closer", "Seeker", "ReadCloser", "WriteCloser", "ReadWriter", "ReadWriteCloser",
		"ReadSeeker", "ReadSeekCloser", "WriteSeeker", "ReadWriteSeeker", "ReaderAt", "WriterAt":
		return t.Name
	}
	return ""
}

// liveObjects are the types for which code is needed beside the contract's services: one of each.
func (m *mapper) liveObjects(services []*model.Service) []*model.Type {
	var list []*model.Type
	known := map[string]bool{}
	slices.SortStableFunc(m.objects, func(a, b *model.Type) int { return strings.Compare(a.ID(), b.ID()) })
	for _, t := range m.objects {
		if known[t.ID()] || slices.Contains(services, t.Live.Service) {
			continue
		}
		known[t.ID()] = true
		list = append(list, t)
	}
	return list
}

// fills recognises methods such as io.Reader's Read and io.ReaderAt's ReadAt, whose callers want the bytes in their own slice: their
// names begin with Read, they may take a context first and an offset last, and return how many bytes there are.
func fills(fn *types.Func) bool {
	sig := fn.Signature()
	params, results := slices.Collect(sig.Params().Variables()), sig.Results()
	if results.Len() != 2 || !isBasic(results.At(0), types.Int) || !isError(results.At(1).Type()) || sig.Variadic() {
		return false
	}
	if len(params) > 0 && isContext(params[0].Type()) {
		params = params[1:]
	}
	if len(params) == 0 || len(params) > 2 || !strings.HasPrefix(fn.Name(), "Read") {
		return false
	}
	slice, ok := params[0].Type().(*types.Slice)
	if !ok || !types.Identical(slice.Elem(), types.Typ[types.Byte]) {
		return false
	}
	return len(params) == 1 || isBasic(params[1], types.Int64)
}

func isBasic(v *types.Var, kind types.BasicKind) bool {
	return types.Identical(v.Type(), types.Typ[kind])
}

// keep follows the directive that says which parameters' live values outlast the call.
func (m *mapper) keep(method *model.Method, pos token.Pos) {
	for _, d := range directivesOf(m.home).methods[pos] {
		if d.name != directiveKeep {
			continue
		}
		names := strings.Fields(d.args)
		for _, name := range names {
			i := slices.IndexFunc(method.Params, func(p *model.Param) bool { return p.Name == name })
			if i < 0 || !method.Params[i].Type.IsLive() {
				m.directiveFault(d.argPos(), d.name, "the method has no parameter "+name+" that holds an interface, a function, a channel or the like", "name such a parameter")
				continue
			}
			method.Params[i].Kept = true
		}
		if len(names) == 0 {
			m.directiveFault(d.pos, d.name, "it lists nothing", "name the parameters, with blanks between them")
		}
	}
}
