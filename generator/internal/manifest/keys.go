package manifest

import (
	"maps"
	"slices"
)

// Keys are all keys of a manifest, of a variable and of a file's rule, sorted: what the published schema has to agree with.
func Keys() (manifest, variable, rule []string) {
	r := &reader{}
	return slices.Sorted(maps.Keys(r.manifestKeys(&Manifest{}))), slices.Sorted(maps.Keys(r.variableKeys(&Variable{}, nil))), slices.Sorted(maps.Keys(r.ruleKeys(&FileRule{})))
}
