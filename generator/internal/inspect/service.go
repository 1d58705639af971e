package inspect

import (
	"fmt"
	"go/token"
	"go/types"
	"path"
	"strings"

	xmodule "golang.org/x/mod/module"

	"github.com/plugingen/plugingen/generator/model"
)

// mapper turns Go's types into the model's.
type mapper struct {
	*report
	loader    *loader
	home      *source // the contract's package
	named     map[string]*model.Type
	asked     []string                  // names of the interfaces
	sentinels map[string]*types.Package // packages whose error variables matter
	services  map[string]*model.Service // of interfaces, by their types' IDs
	objects   []*model.Type             // whose values stay in their process
	declaring map[string]*types.Package // packages that declare methods

	extraSentinels []types.Object        // that directives name
	partial        map[types.Object]bool // structs whose hidden fields stay behind
	errorValues    bool                  // there are errors that no method returns last
	fillers        fillers
	pointers       map[string][]string // parameters that may be filled, by their interfaces' IDs
	nameless       []*types.Interface  // that are being mapped, the outermost first
	detached       bool                // the type belongs to no method

	// Where the mapping is, for faults.
	at      token.Position
	place   string // such as "Greeter.Greet: parameter f (type []func())"
	written string // the type there, as people write it
	root    string // such as "f"
	depth   int
}

// neededPredeclared are the identifiers that generated code uses in their predeclared meaning.
const neededPredeclared = "any append bool byte error false float32 float64 int int8 int16 int32 int64 len make new nil string true " +
	"uint uint8 uint16 uint32 uint64"

// checkPredeclared refuses packages that give these identifiers another meaning.
func (m *mapper) checkPredeclared() {
	for _, name := range strings.Fields(neededPredeclared) {
		if obj := m.home.types.Scope().Lookup(name); obj != nil {
			m.fault(m.loader.position(obj.Pos()), codePredeclared, name, "the package redeclares a predeclared identifier that generated code needs", "give it another name")
		}
	}
}

// checkName refuses package names that no folder of a module may have.
func (m *mapper) checkName() {
	name := m.home.types.Name()
	if err := xmodule.CheckImportPath(name); err != nil {
		m.fault(m.loader.position(m.home.files[0].Name.Pos()), codePackageName, "package "+name, err.Error(), "use ASCII letters, digits and _ in it")
	}
}

// service maps the interface called name; nil when it is none that could be mapped.
func (m *mapper) service(name string) *model.Service {
	file := token.Position{Filename: m.loader.relative(m.loader.dir)}
	obj := m.home.types.Scope().Lookup(name)
	tn, ok := obj.(*types.TypeName)
	if !ok {
		m.fault(file, codeNotFound, name, "package "+m.home.types.Name()+" declares no such type", "check -type; names of generated files do not count")
		return nil
	}
	m.at, m.written = m.loader.position(tn.Pos()), "." // it may be any package that lacks
	iface := m.interfaceOf(tn)
	if iface == nil {
		return nil
	}
	id := (&model.Type{Package: model.Package{Path: m.home.types.Path()}, Name: name}).ID()
	if s := m.services[id]; s != nil {
		return s // its values are parameters of another one
	}
	s := &model.Service{Name: name, Doc: m.loader.docs.typeDoc(m.home, name)}
	m.services[id] = s
	at := m.at
	for i := range iface.NumMethods() {
		m.at = at
		if method := m.method(name, id, iface.Method(i)); method != nil {
			s.Methods = append(s.Methods, method)
		}
	}
	m.addSentinels(m.home.types)
	m.declaring[m.home.types.Path()] = m.home.types
	m.tellPointers(s)
	return s
}

// interfaceOf returns the interface that the name stands for, or nil and a fault.
func (m *mapper) interfaceOf(tn *types.TypeName) *types.Interface {
	var why string
	hint := "name an interface type"
	iface, ok := tn.Type().Underlying().(*types.Interface)
	switch {
	case isInvalid(tn.Type()) || ok && hasInvalidPart(iface, 0):
		m.missing(tn.Name())
		return nil
	case !ok:
		why = "it is a " + kindName(tn.Type().Underlying()) + ", not an interface"
	case isGeneric(tn):
		why, hint = "it is generic", fmt.Sprintf("declare an instance of it, such as type Strings = %s[string], and name that", tn.Name())
	case !iface.IsMethodSet():
		why = "it is a constraint: no value has its type"
	case !tn.Exported():
		why, hint = "it is not exported: a plugin in another package could not implement it", "begin its name with a capital letter"
	case iface.NumMethods() == 0:
		why, hint = "it has no methods: there is nothing to call", "add a method"
	default:
		return iface
	}
	m.fault(m.at, codeNotInterface, tn.Name(), why, hint)
	return nil
}

func isGeneric(tn *types.TypeName) bool {
	switch t := tn.Type().(type) {
	case *types.Named:
		return t.TypeParams().Len() > t.TypeArgs().Len()
	case *types.Alias:
		return t.TypeParams().Len() > t.TypeArgs().Len()
	}
	return false
}

func isInvalid(t types.Type) bool {
	b, ok := types.Unalias(t).Underlying().(*types.Basic)
	return ok && b.Kind() == types.Invalid
}

// hasInvalidPart finds embedded interfaces that could not be resolved: their methods would be missing silently.
func hasInvalidPart(iface *types.Interface, depth int) bool {
	for i := range iface.NumEmbeddeds() {
		t := iface.EmbeddedType(i)
		if isInvalid(t) {
			return true
		}
		if inner, ok := t.Underlying().(*types.Interface); ok && depth < maxDepth && hasInvalidPart(inner, depth+1) {
			return true
		}
	}
	return false
}

// missing notes a type that is not known: a reason to look further, and a fault when there is nowhere else to look.
func (m *mapper) missing(where string) {
	m.unresolved = true
	why := "its type could not be resolved"
	for _, e := range m.loader.errs {
		if p := m.loader.position(e.Pos); p.Filename == m.at.Filename && p.Line == m.at.Line {
			why = e.Msg
			break
		}
	}
	for _, reason := range m.loader.importFaults(m.written) {
		why += "; " + reason
	}
	m.fault(m.at, codeUnresolved, where, why, "correct the type or its import; go get adds a missing module")
}

// importFaults says what is wrong with the packages that the type names; when that is none of them, with all.
func (l *loader) importFaults(written string) []string {
	if l.foreign == nil {
		return nil
	}
	var named, all []string
	for _, p := range l.foreign.direct {
		if err := l.foreign.why(p); err != nil {
			reason, _, _ := strings.Cut(err.Error(), ";")
			all = append(all, reason)
			if strings.Contains(written, path.Base(p)+".") {
				named = append(named, reason)
			}
		}
	}
	if len(named) > 0 || !strings.Contains(written, ".") {
		return named
	}
	return all
}
