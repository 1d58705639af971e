package inspect

import (
	"cmp"
	"go/types"
	"slices"
	"strings"

	"github.com/plugingen/plugingen/generator/model"
)

// addSentinels makes the error values of a package matter: the contract's own, and those that declare its methods or
// their types. Of the standard library, a table has them. It says whether they matter.
func (m *mapper) addSentinels(pkg *types.Package) bool {
	if pkg == nil || pkg.Path() == "" || m.isStandard(pkg.Path()) || !mayImport(m.home.types.Path(), pkg.Path()) {
		return false
	}
	m.sentinels[pkg.Path()] = pkg
	return true
}

// findSentinels are the exported error values of those packages.
func (m *mapper) findSentinels() []model.Sentinel {
	found := importedSentinels(m.home.files)
	for _, obj := range m.extraSentinels {
		found = append(found, model.Sentinel{Package: model.Package{Path: obj.Pkg().Path(), Name: obj.Pkg().Name()}, Name: obj.Name()})
	}
	for _, pkg := range m.sentinels {
		for _, name := range pkg.Scope().Names() {
			if m.isSentinel(pkg.Scope().Lookup(name)) {
				found = append(found, model.Sentinel{Package: model.Package{Path: pkg.Path(), Name: pkg.Name()}, Name: name})
			}
		}
	}
	slices.SortFunc(found, func(a, b model.Sentinel) int { return cmp.Compare(a.ID(), b.ID()) })
	return slices.Compact(found)
}

// isSentinel takes variables of type error, and variables and constants called Err... of types that are errors.
func (m *mapper) isSentinel(obj types.Object) bool {
	_, isVar := obj.(*types.Var)
	_, isConst := obj.(*types.Const)
	if !obj.Exported() || !isVar && !isConst {
		return false
	}
	if !strings.HasPrefix(obj.Name(), "Err") {
		return isVar && isError(obj.Type())
	}
	if isInvalid(obj.Type()) {
		m.unresolved = m.unresolved || m.loader.foreign == nil
		return false
	}
	return types.Implements(obj.Type(), types.Universe.Lookup("error").Type().Underlying().(*types.Interface))
}
