package inspect

import (
	"cmp"
	"go/types"
	"slices"
	"strings"

	"github.com/plugingen/plugingen/generator/model"
)

// addSentinels makes the error variables of a package matter: the contract's own, and those that declare its methods.
func (m *mapper) addSentinels(pkg *types.Package) {
	if knownSource(pkg.Path()) == "" && mayImport(m.home.types.Path(), pkg.Path()) && pkg.Path() != "" {
		m.sentinels[pkg.Path()] = pkg
	}
}

// findSentinels are the exported variables of type error in those packages.
func (m *mapper) findSentinels() []model.Sentinel {
	var found []model.Sentinel
	for _, pkg := range m.sentinels {
		for _, name := range pkg.Scope().Names() {
			v, ok := pkg.Scope().Lookup(name).(*types.Var)
			if !ok || !v.Exported() {
				continue
			}
			if isInvalid(v.Type()) && strings.HasPrefix(name, "Err") {
				m.unresolved = m.unresolved || m.loader.foreign == nil
			}
			if isError(v.Type()) {
				found = append(found, model.Sentinel{Package: model.Package{Path: pkg.Path(), Name: pkg.Name()}, Name: name})
			}
		}
	}
	slices.SortFunc(found, func(a, b model.Sentinel) int { return cmp.Compare(a.ID(), b.ID()) })
	return found
}
