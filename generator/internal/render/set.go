package render

import (
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"
	"sync"
	"text/template"
	"text/template/parse"
)

// Layer is one template set of a stack.
type Layer struct {
	Name  string // by which Output.Layers knows it
	Shown string // stands before paths in errors, such as "../acme/"; empty for the built-in set
	Files map[string][]byte
	Rules []Rule
}

// Read takes all files of a file system into memory. It refuses what is no plain file.
func Read(files fs.FS) (map[string][]byte, error) {
	read := map[string][]byte{}
	err := fs.WalkDir(files, ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir():
			return nil
		case !d.Type().IsRegular():
			return fmt.Errorf("template %s is not a plain file", name)
		}
		read[name], err = fs.ReadFile(files, name)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read the templates: %w", err)
	}
	return read, nil
}

// Set is a stack of layers. It may be used by several goroutines.
type Set struct {
	versions map[string]versions // by path, topmost first
	rules    []Rule              // lowest layer first
	layers   []Layer             // lowest first
	fixed    template.FuncMap
	partials func() (map[string]*parse.Tree, error)
}

// version is a file as one layer has it.
type version struct {
	layer, prefix, name string
	text                []byte
}

func (v version) shown() string { return v.prefix + v.name }

// versions are what layers have of one file, topmost first.
type versions []version

func (vs versions) layers() []string {
	var names []string
	for _, v := range vs {
		names = append(names, v.layer)
	}
	slices.Reverse(names)
	return names
}

// NewSet stacks layers, the lowest first. A file of a later one replaces the file of the same path in those before it, unless it
// holds nothing but {{define}}s: then it replaces these blocks of that file.
func NewSet(layers ...Layer) *Set {
	s := &Set{versions: map[string]versions{}, layers: layers, fixed: fixed()}
	s.partials = sync.OnceValues(s.parseAllPartials)
	for _, l := range layers {
		for name, text := range l.Files {
			s.versions[name] = slices.Insert(s.versions[name], 0, version{l.Name, l.Shown, name, text})
		}
		s.rules = append(s.rules, l.Rules...)
	}
	return s
}

// Names are the paths of all files, sorted.
func (s *Set) Names() []string { return slices.Sorted(maps.Keys(s.versions)) }

func (s *Set) below(dir string) []string {
	var names []string
	for name := range s.versions {
		if strings.HasPrefix(name, dir+"/") {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// stack is what counts of a file: the topmost version with content of its own, and those above it that redefine blocks.
// Its first element is the topmost.
func (s *Set) stack(name string) (versions, error) {
	all := s.versions[name]
	if len(all) == 1 || !strings.HasSuffix(name, suffix) {
		return all[:1], nil
	}
	for i, v := range all {
		only, err := s.definesOnly(v)
		if err != nil {
			return nil, err
		}
		if !only {
			return all[:i+1], nil
		}
	}
	return all, nil
}

// contributed are the layers of which the template has something, and their files: with its blocks, and with partials that can
// be called.
func (s *Set) contributed(t *template.Template, stack versions) (list, parts []string) {
	if len(s.layers) == 1 {
		return stack.layers(), nil
	}
	files := map[string]bool{}
	for _, v := range stack {
		files[v.shown()] = true
	}
	reach(t, t.Tree, files, map[string]bool{})
	for _, l := range s.layers {
		for file := range files {
			if name, ours := strings.CutPrefix(file, l.Shown); ours && l.Files[name] != nil {
				list = append(list, l.Name)
				break
			}
		}
	}
	return list, slices.Sorted(maps.Keys(files))
}

// reach adds the files of all templates that the tree can call.
func reach(t *template.Template, tree *parse.Tree, files, seen map[string]bool) {
	if tree == nil || seen[tree.Name] {
		return
	}
	seen[tree.Name] = true
	files[tree.ParseName] = true
	var f Facts
	w := walker{facts: &f}
	w.walk(tree.Root)
	for _, call := range f.Calls {
		if called := t.Lookup(call.Name); called != nil {
			reach(t, called.Tree, files, seen)
		}
	}
}

// definesOnly says whether a file has definitions, and nothing beside them.
func (s *Set) definesOnly(v version) (bool, error) {
	if !strings.Contains(string(v.text), "define ") {
		return false, nil
	}
	t, err := s.newTemplate(v.shown(), "").Parse(string(v.text))
	if err != nil {
		return false, locate(v.shown(), string(v.text), err)
	}
	return len(t.Templates()) > 1 && (t.Tree == nil || parse.IsEmptyTree(t.Root)), nil
}

// parse builds the template for the file named target: functions depend on the file. Partials come only where one is called.
func (s *Set) parse(stack versions, target string) (*template.Template, error) {
	bottom := stack[len(stack)-1]
	t := s.newTemplate(bottom.shown(), target)
	var shared map[string]*parse.Tree // guarded already
	if slices.ContainsFunc(stack, func(v version) bool { return strings.Contains(string(v.text), "template ") }) {
		var err error
		if shared, err = s.partials(); err != nil {
			return nil, err
		}
		if err := addTrees(t, shared); err != nil {
			return nil, err
		}
	}
	if err := s.layer(t, bottom.shown(), stack); err != nil {
		return nil, err
	}
	guardAll(t, shared)
	return t, nil
}

// addTrees makes every partial, which all files share, known by its name.
func addTrees(t *template.Template, trees map[string]*parse.Tree) error {
	for name, tree := range trees {
		if _, err := t.AddParseTree(name, tree); err != nil {
			return &Error{Template: tree.ParseName, Err: err}
		}
	}
	return nil
}

// parseAllPartials returns the guarded trees of the partials, of their blocks included.
func (s *Set) parseAllPartials() (map[string]*parse.Tree, error) {
	t := s.newTemplate("", "")
	called := map[string]string{}
	for _, name := range s.below(Partials) {
		stack, err := s.stack(name)
		if err != nil {
			return nil, err
		}
		if other, taken := called[PartialName(name)]; taken {
			return nil, &Error{Template: stack[0].shown(), Err: fmt.Errorf("it is called %q, as %s is", PartialName(name), other)}
		}
		called[PartialName(name)] = name
		if err := s.layer(t, PartialName(name), stack); err != nil {
			return nil, err
		}
	}
	guardAll(t, nil)
	trees := map[string]*parse.Tree{}
	for _, each := range t.Templates() {
		if each.Tree != nil {
			trees[each.Name()] = each.Tree
		}
	}
	return trees, nil
}

// PartialName is what {{template}} calls the partial at the path.
func PartialName(name string) string { return strings.TrimSuffix(path.Base(name), suffix) }

// layer parses the versions of one file, the lowest as the template called name, the others over it.
func (s *Set) layer(t *template.Template, name string, stack versions) error {
	for i := len(stack) - 1; i >= 0; i-- {
		v, lowest := stack[i], i == len(stack)-1
		into := t
		if !lowest || t.Name() != name {
			into = t.New(v.shown())
		}
		before := names(t)
		parsed, err := into.Parse(string(v.text))
		if err != nil {
			return locate(v.shown(), string(v.text), err)
		}
		if lowest && v.shown() != name {
			if _, err := t.AddParseTree(name, parsed.Tree); err != nil {
				return &Error{Template: v.shown(), Err: err}
			}
		}
		if lowest {
			continue
		}
		for _, block := range s.defined(v) {
			if !before[block] {
				return &Error{Template: v.shown(), Err: fmt.Errorf("it defines the block %q, which the file that it changes does not have; there are: %s", block, blockList(before))}
			}
		}
	}
	return nil
}

func names(t *template.Template) map[string]bool {
	found := map[string]bool{}
	for _, each := range t.Templates() {
		found[each.Name()] = true
	}
	return found
}

// defined are the names of the definitions in a file, without those that it uses itself: they are new blocks.
func (s *Set) defined(v version) []string {
	t, err := s.newTemplate(v.shown(), "").Parse(string(v.text))
	if err != nil {
		return nil // it was parsed before
	}
	var f Facts
	w := walker{facts: &f}
	var list []string
	for _, each := range t.Templates() {
		if each.Tree != nil {
			w.walk(each.Root)
		}
		if each.Name() != v.shown() {
			list = append(list, each.Name())
		}
	}
	list = slices.DeleteFunc(list, func(name string) bool {
		return slices.ContainsFunc(f.Calls, func(u Use) bool { return u.Name == name })
	})
	slices.Sort(list)
	return list
}

// blockList names the blocks among templates: files have a dot and a slash in their names, blocks a dot at most.
func blockList(all map[string]bool) string {
	var list []string
	for name := range all {
		if !strings.Contains(name, "/") && !strings.HasSuffix(name, suffix) {
			list = append(list, name)
		}
	}
	slices.Sort(list)
	if len(list) == 0 {
		return "none"
	}
	return strings.Join(list, ", ")
}
