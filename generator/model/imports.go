package model

import (
	"fmt"
	"go/token"
	"maps"
	"path"
	"slices"
	"strconv"
	"strings"
)

// ImportSet gathers what a Go file imports and gives each package a name that clashes with nothing in the file.
// The same calls in the same order give the same names. It must not be used concurrently.
type ImportSet struct {
	self   string
	byPath map[string]string // import path -> local name
	names  map[string]Package
	taken  map[string]bool
	there  map[string]string // what the file imports already, see Declare
}

// NewImportSet returns the imports of a file in the package with import path self (which may be empty).
// No package gets a name among taken: what the file and its package declare, receivers, local variables.
func NewImportSet(self string, taken ...string) *ImportSet {
	s := &ImportSet{self: self, byPath: map[string]string{}, names: map[string]Package{}, taken: map[string]bool{}, there: map[string]string{}}
	for _, name := range taken {
		s.taken[name] = true
	}
	return s
}

// Add imports p and returns its local name; empty for the package that the file is in.
func (s *ImportSet) Add(p Package) string {
	if p.Path == s.self {
		return ""
	}
	if name, ok := s.byPath[p.Path]; ok {
		return name
	}
	name := s.nameFor(p)
	s.byPath[p.Path] = name
	s.names[name] = p
	return name
}

// Declare says that the file has an import of a package under the given name, empty for the package's own name. The
// package has that name from now on, and counts as imported once it is needed.
func (s *ImportSet) Declare(importPath, name string) {
	s.there[importPath] = name
	if name != "" {
		s.taken[name] = true
	}
}

func (s *ImportSet) nameFor(p Package) string {
	name, there := s.there[p.Path]
	switch {
	case !there:
		return s.free(p.Name)
	case name == "":
		return p.Name
	}
	return name
}

// Missing are the imports that the file needs beside those that it has, by path, each with its local name.
func (s *ImportSet) Missing() map[string]string {
	missing := map[string]string{}
	for p, name := range s.byPath {
		if _, there := s.there[p]; !there {
			missing[p] = name
		}
	}
	return missing
}

// Reserve keeps names from being given to packages that are added later.
func (s *ImportSet) Reserve(names ...string) {
	for _, name := range names {
		s.taken[name] = true
	}
}

// Std imports a package of the standard library (or any whose name is its path's last element) and returns its local name.
func (s *ImportSet) Std(importPath string) string {
	return s.Add(Package{Path: importPath, Name: path.Base(importPath)})
}

func (s *ImportSet) free(name string) string {
	for i := 1; ; i++ {
		try := name
		if i > 1 {
			try += strconv.Itoa(i)
		}
		if !s.Has(try) && !IsPredeclared(try) && token.IsIdentifier(try) {
			return try
		}
		if i > 1 && !token.IsIdentifier(try) {
			name = "pkg"
		}
	}
}

// Qualify is the expression for the exported name of package p; it imports p.
func (s *ImportSet) Qualify(p Package, name string) string {
	if local := s.Add(p); local != "" {
		return local + "." + name
	}
	return name
}

// Has says whether name is taken or the local name of an import.
func (s *ImportSet) Has(name string) bool {
	_, imported := s.names[name]
	return imported || s.taken[name]
}

// Names are the local names of all imports, sorted.
func (s *ImportSet) Names() []string { return slices.Sorted(maps.Keys(s.names)) }

// Block is the import declaration: the standard library, an empty line, the rest, each sorted by path; empty without imports.
func (s *ImportSet) Block() string {
	var std, rest []string
	for _, p := range s.Paths() {
		if isStd(p) {
			std = append(std, s.line(p))
		} else {
			rest = append(rest, s.line(p))
		}
	}
	groups := slices.DeleteFunc([]string{strings.Join(std, ""), strings.Join(rest, "")}, func(g string) bool { return g == "" })
	if len(groups) == 0 {
		return ""
	}
	return "import (\n" + strings.Join(groups, "\n") + ")\n"
}

// Paths are the imported paths, sorted.
func (s *ImportSet) Paths() []string { return slices.Sorted(maps.Keys(s.byPath)) }

func (s *ImportSet) line(importPath string) string {
	if name := s.byPath[importPath]; name != path.Base(importPath) {
		return fmt.Sprintf("\t%s %q\n", name, importPath)
	}
	return fmt.Sprintf("\t%q\n", importPath)
}

// isStd goes by the rule that the go command has for modules: a dot in the first element makes a path somebody's.
func isStd(importPath string) bool {
	first, _, _ := strings.Cut(importPath, "/")
	return !strings.Contains(first, ".")
}
