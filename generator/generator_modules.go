package generator

import (
	"bytes"
	_ "embed"
	"fmt"
	"go/version"
	"io"
	"slices"
	"strings"

	"golang.org/x/mod/modfile"
	"golang.org/x/mod/module"
	"golang.org/x/mod/semver"
	"golang.org/x/mod/sumdb/dirhash"
)

// copyDir is where a copy of the runtime lies in a project.
const copyDir = "third_party/plugingen"

// noVersion stands for the version of a module that a folder replaces.
const noVersion = "v0.0.0"

// pinList names the modules that a project's go.mod and go.sum need; versions and hashes come from our own files.
// TestProjectsAreTidy derives it anew from go mod tidy.
//
//go:embed pins.txt
var pinList string

// sumRow is a line of a go.sum.
type sumRow struct{ module, version, hash string }

func (r sumRow) isGoMod() bool  { return strings.HasSuffix(r.version, "/go.mod") }
func (r sumRow) String() string { return r.module + " " + r.version + " " + r.hash + "\n" }

func parseSums(data []byte) []sumRow {
	var rows []sumRow
	for line := range strings.Lines(string(data)) {
		if f := strings.Fields(line); len(f) == 3 {
			rows = append(rows, sumRow{f[0], f[1], f[2]})
		}
	}
	return rows
}

func formatSums(rows []sumRow) []byte {
	slices.SortFunc(rows, func(a, b sumRow) int {
		if c := strings.Compare(a.module, b.module); c != 0 {
			return c
		}
		return compareSumVersions(a.version, b.version)
	})
	var b bytes.Buffer
	for _, r := range slices.Compact(rows) {
		b.WriteString(r.String())
	}
	return b.Bytes()
}

// compareSumVersions orders as the go command does: by version, the module's own hash before that of its go.mod.
func compareSumVersions(a, b string) int {
	va, fa, _ := strings.Cut(a, "/")
	vb, fb, _ := strings.Cut(b, "/")
	if c := semver.Compare(va, vb); c != 0 {
		return c
	}
	return strings.Compare(fa, fb)
}

// pin is what projects need of one module besides ours.
type pin struct {
	module   string
	required bool // in go.mod; else its sums alone are needed, for the tests of packages that the project imports
	modOnly  bool // the hash of its go.mod suffices
	inCopy   bool // needed also by a project that has a copy of the runtime, and so none of its tests
}

func parsePins(list string) ([]pin, error) {
	var pins []pin
	for line := range strings.Lines(list) {
		f := strings.Fields(line)
		if len(f) == 0 || f[0] == "#" {
			continue
		}
		if len(f) < 2 {
			return nil, fmt.Errorf("pins.txt: %q", line)
		}
		pins = append(pins, pin{f[0], f[1] == "require", f[1] == "graph", slices.Contains(f[2:], "copy")})
	}
	return pins, nil
}

// pins are the modules that a project of the given runtime needs.
func pins(r Runtime) ([]pin, error) {
	all, err := parsePins(pinList)
	if err != nil {
		return nil, err
	}
	if r.Copy || r.trimmed {
		all = slices.DeleteFunc(all, func(p pin) bool { return !p.inCopy })
	}
	return all, nil
}

// wiring is another module that a project needs besides the runtime: that of its contract.
type wiring struct {
	module  string
	version string // noVersion when replaced
	replace string // a folder; empty means that the module is fetched
	goLine  string // the version of Go that the replaced module asks for; empty when it does not say
}

// modules are the four module files of a project. The two for tools are nil when the project needs none.
type modules struct{ mod, sum, toolMod, toolSum []byte }

// moduleWish is what buildModules needs to know.
type moduleWish struct {
	path    string
	runtime Runtime
	direct  []string // imported by the project's own packages, besides the runtime
	extra   []wiring
	tool    bool // the project generates a contract
}

// buildModules writes the module files of a project as go mod tidy would, out of what this module pins.
func (s *self) buildModules(w moduleWish) (modules, error) {
	var m modules
	needed, err := pins(w.runtime)
	if err != nil {
		return m, err
	}
	if m.mod, err = s.goMod(w, needed); err != nil {
		return m, err
	}
	if m.sum, err = s.goSum(w.runtime, needed); err != nil {
		return m, err
	}
	source, found := w.runtime.tool()
	if !w.tool || !found {
		return m, nil
	}
	if m.toolMod, err = s.toolMod(w.path, source); err != nil {
		return m, err
	}
	m.toolSum, err = s.toolSum(source)
	return m, err
}

func (s *self) goMod(w moduleWish, needed []pin) ([]byte, error) {
	f, err := s.newModFile(w.path)
	if err != nil {
		return nil, err
	}
	requires := []*modfile.Require{require(s.path(), w.runtime.requirement(), false)}
	for _, p := range needed {
		if p.required {
			requires = append(requires, require(p.module, s.version(p.module), !slices.Contains(w.direct, p.module)))
		}
	}
	for _, x := range w.extra {
		requires = append(requires, require(x.module, x.version, false))
	}
	f.SetRequireSeparateIndirect(requires)
	for _, x := range w.extra {
		if version.Compare("go"+x.goLine, "go"+f.Go.Version) > 0 { // the go command asks no less of who requires it
			if err := f.AddGoStmt(x.goLine); err != nil {
				return nil, err
			}
		}
		if x.replace != "" {
			if err := f.AddReplace(x.module, "", x.replace, ""); err != nil {
				return nil, err
			}
		}
	}
	if err := s.addReplace(f, w.runtime); err != nil {
		return nil, err
	}
	f.SortBlocks()
	return f.Format()
}

func (s *self) newModFile(modulePath string) (*modfile.File, error) {
	f := new(modfile.File)
	if err := f.AddModuleStmt(modulePath); err != nil {
		return nil, err
	}
	return f, f.AddGoStmt(s.mod.Go.Version)
}

func require(modulePath, version string, indirect bool) *modfile.Require {
	return &modfile.Require{Mod: module.Version{Path: modulePath, Version: version}, Indirect: indirect}
}

// requirement is the version of the runtime that go.mod requires.
func (r Runtime) requirement() string {
	if r.Copy || r.Dir != "" {
		return noVersion
	}
	return r.Version
}

func (s *self) addReplace(f *modfile.File, r Runtime) error {
	switch {
	case r.Copy:
		return f.AddReplace(s.path(), "", "./"+copyDir, "")
	case r.Dir != "":
		return f.AddReplace(s.path(), "", r.Dir, "")
	}
	return nil
}

// goSum picks the lines that the project needs out of our own go.sum.
func (s *self) goSum(r Runtime, needed []pin) ([]byte, error) {
	rows, err := s.ownSums(r)
	if err != nil {
		return nil, err
	}
	for _, p := range needed {
		picked := s.sumsOf(p)
		if len(picked) == 0 {
			return nil, fmt.Errorf("go.sum has no line for %s: go mod tidy is due in %s", p.module, s.path())
		}
		rows = append(rows, picked...)
	}
	return formatSums(rows), nil
}

func (s *self) sumsOf(p pin) []sumRow {
	var rows []sumRow
	for _, r := range s.sums {
		if r.module == p.module && (!p.modOnly || r.isGoMod()) {
			rows = append(rows, r)
		}
	}
	return rows
}

// ownSums are the lines for this module itself; a folder that replaces it needs none.
func (s *self) ownSums(r Runtime) ([]sumRow, error) {
	if r.Copy || r.Dir != "" {
		return nil, nil
	}
	hash, err := dirhash.Hash1([]string{"go.mod"}, func(string) (io.ReadCloser, error) {
		return io.NopCloser(bytes.NewReader(s.data)), nil
	})
	if err != nil {
		return nil, err
	}
	return []sumRow{{s.path(), r.Version, r.Sum}, {s.path(), r.Version + "/go.mod", hash}}, nil
}

// toolMod is a module file of its own, so that what the tool needs stays out of the project's go.mod.
func (s *self) toolMod(modulePath string, source Runtime) ([]byte, error) {
	f, err := s.newModFile(modulePath)
	if err != nil {
		return nil, err
	}
	if err := f.AddTool(s.tool()); err != nil {
		return nil, err
	}
	requires := []*modfile.Require{require(s.path(), source.requirement(), true)}
	for _, r := range s.mod.Require {
		requires = append(requires, require(r.Mod.Path, r.Mod.Version, true))
	}
	f.SetRequireSeparateIndirect(requires)
	if err := s.addReplace(f, source); err != nil {
		return nil, err
	}
	f.SortBlocks()
	data, err := f.Format()
	return append([]byte("// The tools of this project: go tool -modfile=go.tool.mod plugingen\n// They have a file of their own so that go.mod stays yours alone.\n\n"), data...), err
}

func (s *self) toolSum(source Runtime) ([]byte, error) {
	rows, err := s.ownSums(source)
	if err != nil {
		return nil, err
	}
	return formatSums(append(rows, s.sums...)), nil
}

// copyMod is the go.mod of a copy of the runtime.
func (s *self) copyMod() ([]byte, error) {
	needed, err := pins(Runtime{Copy: true})
	if err != nil {
		return nil, err
	}
	f, err := s.newModFile(s.path())
	if err != nil {
		return nil, err
	}
	var requires []*modfile.Require
	for _, p := range needed {
		if p.required {
			requires = append(requires, require(p.module, s.version(p.module), false))
		}
	}
	f.SetRequireSeparateIndirect(requires)
	return f.Format()
}
