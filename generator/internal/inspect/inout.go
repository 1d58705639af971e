package inspect

import (
	"go/token"
	"go/types"
	"slices"
	"strconv"
	"strings"

	"github.com/plugingen/plugingen/generator/model"
)

// noneFilled is the argument that says that the implementation writes into no parameter.
const noneFilled = "none"

// filled is a parameter that a directive of an interface says is written into.
type filled struct {
	param, method string
	at            string // the interface of the contract's package that says so of another type; empty for others
	pos           token.Pos
	found         bool
}

// fillers are what the directives of whole types say, by the types' IDs.
type fillers struct {
	params map[string][]*filled
	none   map[string]bool
}

const inOutHint = "write //plugingen:inout and the parameter at the method, METHOD.PARAMETER at its interface, or TYPE.METHOD.PARAMETER for another type's"

// readFillers reads the directives of all types of the contract's package. Those of the interfaces that were asked for may speak of others.
func (m *mapper) readFillers() {
	m.fillers = fillers{params: map[string][]*filled{}, none: map[string]bool{}}
	for name, list := range directivesOf(m.home).types {
		for _, d := range list {
			if d.name == directiveInOut {
				m.readFiller(name, d)
			}
		}
	}
}

func (m *mapper) readFiller(name string, d directive) {
	own := m.home.types.Path() + "." + name
	words := strings.Fields(d.args)
	m.checkList(d)
	for _, word := range words {
		f := &filled{pos: d.argPos() + token.Pos(strings.Index(d.args, word))}
		target, rest, _ := cutLast(word)
		owner, method, dotted := cutLast(target)
		f.param, f.method = rest, method
		switch {
		case word == noneFilled:
			m.fillers.none[own] = true
			continue
		case target == "" && !m.isFunc(name):
			m.directiveFault(f.pos, d.name, word+" is in no method", inOutHint)
			continue
		case target == "":
			f.method = "Call"
		case dotted:
			own, f.at = m.ownerOf(d, owner, f.pos), name
		case !m.hasMethod(name, method):
			m.directiveFault(f.pos, d.name, name+" has no method "+method, inOutHint)
			continue
		}
		m.fillers.params[own] = append(m.fillers.params[own], f)
		own = m.home.types.Path() + "." + name
	}
}

// cutLast parts a dotted name at its last dot.
func cutLast(name string) (before, after string, found bool) {
	i := strings.LastIndexByte(name, '.')
	if i < 0 {
		return "", name, false
	}
	return name[:i], name[i+1:], true
}

// ownerOf is the ID of a type that a directive names.
func (m *mapper) ownerOf(d directive, name string, pos token.Pos) string {
	for _, e := range m.list(m.home, d, name, strings.Index(d.args, name)) {
		if n, ok := types.Unalias(orInvalid(e.typ)).(*types.Named); ok && n.Obj().Pkg() != nil {
			return n.Obj().Pkg().Path() + "." + n.Obj().Name()
		}
		m.directiveFault(pos, d.name, name+" is no interface or function type with a name", inOutHint)
	}
	return ""
}

func (m *mapper) hasMethod(name, method string) bool {
	obj := m.home.types.Scope().Lookup(name)
	if obj == nil || isInvalid(obj.Type()) {
		return true // another fault
	}
	iface, ok := obj.Type().Underlying().(*types.Interface)
	if !ok || hasInvalidPart(iface, 0) {
		return ok
	}
	return slices.ContainsFunc(slices.Collect(iface.Methods()), func(fn *types.Func) bool { return fn.Name() == method })
}

func (m *mapper) isFunc(name string) bool {
	obj := m.home.types.Scope().Lookup(name)
	if obj == nil {
		return false
	}
	_, ok := obj.Type().Underlying().(*types.Signature)
	return ok
}

// inOut marks the parameters that directives say the implementation writes into, and tells of those that it may.
func (m *mapper) inOut(method *model.Method, owner, where string, sig *types.Signature, pos token.Pos) {
	own, silent := m.ownFillers(pos)
	for _, f := range m.fillers.params[owner] {
		if f.method == method.Name {
			own = append(own, f)
		}
	}
	for _, f := range own {
		f.found = true
		p := paramNamed(method, f.param)
		switch {
		case p == nil:
			m.directiveFault(f.pos, directiveInOut, method.Name+" has no parameter "+f.param, "name a parameter, or say which one it is: 1 for the first")
		case method.Fills || !isFillable(p.Type):
			m.directiveFault(f.pos, directiveInOut, "nothing has to be brought back of "+f.param, "name pointers, slices, maps, or values of type any")
		default:
			p.InOut = true
		}
	}
	if !silent && !m.fillers.none[owner] && !method.Fills {
		m.tellFilled(method, owner, where, sig)
	}
}

// ownFillers are the parameters that the method's own directive names; silent says that there is one.
func (m *mapper) ownFillers(pos token.Pos) (own []*filled, silent bool) {
	if !pos.IsValid() {
		return nil, false
	}
	for _, d := range directivesOf(m.home).methods[pos] {
		if d.name != directiveInOut {
			continue
		}
		m.checkList(d)
		silent = true
		for _, word := range strings.Fields(d.args) {
			if word != noneFilled {
				own = append(own, &filled{param: word, pos: d.argPos() + token.Pos(strings.Index(d.args, word))})
			}
		}
	}
	return own, silent
}

// paramNamed finds a parameter by its name, or by its place among all of them.
func paramNamed(method *model.Method, name string) *model.Param {
	if i := slices.IndexFunc(method.Params, func(p *model.Param) bool { return p.Name == name }); i >= 0 {
		return method.Params[i]
	}
	n, err := strconv.Atoi(name)
	if method.HasContext {
		n--
	}
	if err != nil || n < 1 || n > len(method.Params) {
		return nil
	}
	return method.Params[n-1]
}

// isFillable says whether an implementation could write into what the caller has.
func isFillable(t *model.Type) bool {
	switch t.Kind {
	case model.Pointer, model.Slice, model.Bytes, model.Map, model.Any, model.ProtoMessage:
		return true
	}
	return false
}

// checkFillers refuses what interfaces say of other types' methods when the contract has no use for these.
func (m *mapper) checkFillers(services []*model.Service) {
	mapped := map[string]bool{}
	for _, s := range services {
		mapped[s.Name] = true
	}
	for owner, list := range m.fillers.params {
		for _, f := range list {
			if !f.found && owner != "" && mapped[f.at] {
				m.directiveFault(f.pos, directiveInOut, "the contract uses no method "+f.method+" of that type", inOutHint)
			}
		}
	}
}
