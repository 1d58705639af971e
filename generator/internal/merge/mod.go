package merge

import (
	"cmp"
	"fmt"
	"go/version"
	"slices"

	"golang.org/x/mod/modfile"
	"golang.org/x/mod/module"
	"golang.org/x/mod/semver"
)

// Mod merges go.mod files by what they say. The text is ours, comments included, with what theirs says anew: requirements are
// at the higher version when both changed one, ours counts where both replace a module in different ways, and what either
// side removed stays away. Notes tell of a change of theirs that ours takes precedence over.
// The error is that a file does not parse: then the texts have to be merged by lines.
func Mod(base, ours, theirs []byte) (merged []byte, notes []string, err error) {
	var files [3]*modfile.File
	for i, data := range [][]byte{base, ours, theirs} {
		if files[i], err = modfile.Parse("go.mod", ToUnix(data), nil); err != nil {
			return nil, nil, err
		}
	}
	m := modMerger{base: files[0], ours: files[1], theirs: files[2]}
	for _, step := range []func() error{m.module, m.language, m.toolchain, m.requires, m.replaces, m.excludes, m.tools, m.godebugs} {
		if err := step(); err != nil {
			return nil, nil, err
		}
	}
	m.ours.Cleanup()
	merged, err = m.ours.Format()
	return withEnding(merged, commonEnding(base, ours, theirs)), m.notes, err
}

type modMerger struct {
	base, ours, theirs *modfile.File
	notes              []string
}

// choose is the merge of one value: that of the side which changed it, or of both the one that better says is better.
func choose[T comparable](base, ours, theirs T, better func(ours, theirs T) T) T {
	switch {
	case ours == base:
		return theirs
	case theirs == base || ours == theirs:
		return ours
	}
	return better(ours, theirs)
}

func higher(a, b string) string {
	if semver.Compare(a, b) >= 0 {
		return a
	}
	return b
}

func higherGo(a, b string) string {
	if version.Compare("go"+a, "go"+b) >= 0 {
		return a
	}
	return b
}

func ours[T any](mine, _ T) T { return mine }

func (m *modMerger) module() error {
	name := func(f *modfile.File) string {
		if f.Module == nil {
			return ""
		}
		return f.Module.Mod.Path
	}
	if chosen := choose(name(m.base), name(m.ours), name(m.theirs), ours[string]); chosen != name(m.ours) && chosen != "" {
		return m.ours.AddModuleStmt(chosen)
	}
	return nil
}

func (m *modMerger) language() error {
	of := func(f *modfile.File) string {
		if f.Go == nil {
			return ""
		}
		return f.Go.Version
	}
	if chosen := choose(of(m.base), of(m.ours), of(m.theirs), higherGo); chosen != of(m.ours) && chosen != "" {
		return m.ours.AddGoStmt(chosen)
	}
	return nil
}

func (m *modMerger) toolchain() error {
	of := func(f *modfile.File) string {
		if f.Toolchain == nil {
			return ""
		}
		return f.Toolchain.Name
	}
	switch chosen := choose(of(m.base), of(m.ours), of(m.theirs), ours[string]); chosen {
	case of(m.ours):
	case "":
		m.ours.DropToolchainStmt()
	default:
		return m.ours.AddToolchainStmt(chosen)
	}
	return nil
}

// requirement is what a go.mod says of a module that it requires; the zero value means that it does not.
type requirement struct {
	version  string
	indirect bool
}

func requirements(f *modfile.File) map[string]requirement {
	found := map[string]requirement{}
	for _, r := range f.Require {
		found[r.Mod.Path] = requirement{r.Mod.Version, r.Indirect}
	}
	return found
}

func (m *modMerger) requires() error {
	base, mine, theirs := requirements(m.base), requirements(m.ours), requirements(m.theirs)
	added := slices.ContainsFunc(m.ours.Require, func(r *modfile.Require) bool { return base[r.Mod.Path].version == "" })
	var merged []*modfile.Require
	for _, p := range keysOf(mine, theirs) {
		b, o, t := base[p], mine[p], theirs[p]
		r := requirement{choose(b.version, o.version, t.version, higher), choose(b.indirect, o.indirect, t.indirect, ours[bool])}
		switch {
		case o.version == "" && b.version != "":
			continue // the owner of the project does without it
		case t.version == "" && b.version != "" && added:
			r = o // the template does without it, but what the owner added may need it
		}
		if r.version != "" {
			merged = append(merged, &modfile.Require{Mod: module.Version{Path: p, Version: r.version}, Indirect: r.indirect})
		}
	}
	m.ours.SetRequireSeparateIndirect(merged)
	return nil
}

// keysOf are the keys of both maps, sorted.
func keysOf[V any](a, b map[string]V) []string {
	var keys []string
	for _, each := range []map[string]V{a, b} {
		for k := range each {
			keys = append(keys, k)
		}
	}
	slices.Sort(keys)
	return slices.Compact(keys)
}

func (m *modMerger) replaces() error {
	of := func(f *modfile.File) map[module.Version]module.Version {
		found := map[module.Version]module.Version{}
		for _, r := range f.Replace {
			found[r.Old] = r.New
		}
		return found
	}
	base, mine, theirs := of(m.base), of(m.ours), of(m.theirs)
	for _, old := range versionsOf(base, mine, theirs) {
		chosen := choose(base[old], mine[old], theirs[old], ours[module.Version])
		switch chosen {
		case mine[old]:
			if theirs[old] != base[old] && theirs[old] != chosen {
				m.notes = append(m.notes, fmt.Sprintf("your replacement of %s stays; the template now has %s", old.Path, orNone(theirs[old].Path)))
			}
		case module.Version{}:
			if err := m.ours.DropReplace(old.Path, old.Version); err != nil {
				return err
			}
		default:
			if err := m.ours.AddReplace(old.Path, old.Version, chosen.Path, chosen.Version); err != nil {
				return err
			}
		}
	}
	return nil
}

func orNone(text string) string { return cmp.Or(text, "none") }

func versionsOf[V any](maps ...map[module.Version]V) []module.Version {
	var keys []module.Version
	for _, each := range maps {
		for k := range each {
			keys = append(keys, k)
		}
	}
	slices.SortFunc(keys, func(a, b module.Version) int {
		return cmp.Or(cmp.Compare(a.Path, b.Path), semver.Compare(a.Version, b.Version))
	})
	return slices.Compact(keys)
}

func (m *modMerger) excludes() error {
	of := func(f *modfile.File) map[module.Version]bool {
		found := map[module.Version]bool{}
		for _, x := range f.Exclude {
			found[x.Mod] = true
		}
		return found
	}
	base, mine, theirs := of(m.base), of(m.ours), of(m.theirs)
	for _, v := range versionsOf(mine, theirs) {
		var err error
		switch chosen := choose(base[v], mine[v], theirs[v], ours[bool]); {
		case chosen && !mine[v]:
			err = m.ours.AddExclude(v.Path, v.Version)
		case !chosen && mine[v]:
			err = m.ours.DropExclude(v.Path, v.Version)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (m *modMerger) tools() error {
	of := func(f *modfile.File) map[string]bool {
		found := map[string]bool{}
		for _, t := range f.Tool {
			found[t.Path] = true
		}
		return found
	}
	base, mine, theirs := of(m.base), of(m.ours), of(m.theirs)
	for _, p := range keysOf(mine, theirs) {
		var err error
		switch chosen := choose(base[p], mine[p], theirs[p], ours[bool]); {
		case chosen && !mine[p]:
			err = m.ours.AddTool(p)
		case !chosen && mine[p]:
			err = m.ours.DropTool(p)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (m *modMerger) godebugs() error {
	of := func(f *modfile.File) map[string]string {
		found := map[string]string{}
		for _, g := range f.Godebug {
			found[g.Key] = g.Value
		}
		return found
	}
	base, mine, theirs := of(m.base), of(m.ours), of(m.theirs)
	for _, key := range keysOf(mine, theirs) {
		var err error
		switch chosen := choose(base[key], mine[key], theirs[key], ours[string]); chosen {
		case mine[key]:
		case "":
			err = m.ours.DropGodebug(key)
		default:
			err = m.ours.AddGodebug(key, chosen)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
