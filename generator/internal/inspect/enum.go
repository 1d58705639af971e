package inspect

import (
	"go/constant"
	"go/types"
	"math"
	"path"
	"strings"

	"github.com/plugingen/plugingen/generator/model"
)

// constants are the exported constants of an integer type that make it an enum on the wire; nil when it is none: its
// values may be wider than an enum's 32 bits, or there are no constants, or they are the standard library's, which differ
// from system to system and from release to release.
func (m *mapper) constants(t *types.Named, kind model.Kind) []model.Constant {
	pkg := t.Obj().Pkg()
	switch kind {
	case model.Int, model.Int8, model.Int16, model.Int32, model.Uint8, model.Uint16:
	default:
		return nil
	}
	if m.isStandard(pkg.Path()) {
		return nil
	}
	var found []model.Constant
	for _, name := range pkg.Scope().Names() {
		c, ok := pkg.Scope().Lookup(name).(*types.Const)
		if !ok || !c.Exported() || !types.Identical(c.Type(), t) {
			continue
		}
		n, exact := constant.Int64Val(constant.ToInt(c.Val()))
		if c.Val().Kind() == constant.Unknown {
			m.unresolved = m.unresolved || m.loader.foreign == nil
			return nil
		}
		if !exact || n < math.MinInt32 || n > math.MaxInt32 {
			return nil
		}
		found = append(found, model.Constant{Name: name, Value: int32(n)})
	}
	return found
}

// isStandard goes by the rule that the go command has: a dot in the first element makes a path somebody's.
func (m *mapper) isStandard(importPath string) bool {
	if _, own := m.loader.module.folder(importPath); own {
		return false
	}
	first, _, _ := strings.Cut(path.Clean(importPath), "/")
	return !strings.Contains(first, ".")
}
