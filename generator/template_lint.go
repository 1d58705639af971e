package generator

import (
	"context"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/plugingen/plugingen/generator/internal/manifest"
	"github.com/plugingen/plugingen/generator/internal/render"
	"github.com/plugingen/plugingen/generator/internal/sets"
	"github.com/plugingen/plugingen/generator/tree"
)

// TemplateFault is something that is wrong with a template set.
type TemplateFault struct {
	File         string
	Line, Column int // 0 when the whole file is meant
	Why          string
}

// String starts with the place, in the form that editors jump to.
func (f TemplateFault) String() string {
	m := manifest.Error(f)
	return m.Error()
}

// LintTemplate looks for what is wrong with a set without rendering it: variables that nobody declares or uses, files that are never
// written, changes of blocks that are not there, functions that are unknown or do not return the same every time, names that some
// file system does not take. A set with faults is no error.
func LintTemplate(ctx context.Context, req TemplateRequest) ([]TemplateFault, error) {
	d, err := req.describe(ctx)
	if err != nil {
		return manifestFaults(err)
	}
	l := &linter{described: d, used: map[string]bool{}}
	if d.stack != nil {
		if l.variables, err = d.stack.Variables(); err != nil {
			return manifestFaults(err)
		}
	}
	own := d.layers[1:]
	if d.stack == nil {
		own = d.layers
	}
	for _, layer := range own {
		l.layer(layer)
	}
	l.whole(own)
	l.expressions()
	l.unused()
	slices.SortFunc(l.faults, func(a, b TemplateFault) int {
		if c := strings.Compare(a.File, b.File); c != 0 {
			return c
		}
		return a.Line*10000 + a.Column - b.Line*10000 - b.Column
	})
	return slices.Compact(l.faults), nil
}

// manifestFaults are faults of manifests, which is what lint looks for; other errors are passed on.
func manifestFaults(err error) ([]TemplateFault, error) {
	var faults []TemplateFault
	for _, f := range manifest.Errors(errors.Unwrap(onlyTemplate(err))) {
		faults = append(faults, TemplateFault(*f))
	}
	if len(faults) == 0 {
		return nil, err
	}
	return faults, nil
}

// onlyTemplate wraps what a *TemplateError is about, so that it can be unwrapped.
func onlyTemplate(err error) error {
	var t *TemplateError
	if !errors.As(err, &t) {
		return nil
	}
	return fmt.Errorf("%w", t.Err)
}

type linter struct {
	*described
	variables []*manifest.Variable
	used      map[string]bool
	all       bool // .Vars is used as a whole
	faults    []TemplateFault
}

func (l *linter) fault(file string, line, column int, format string, args ...any) {
	l.faults = append(l.faults, TemplateFault{file, line, column, fmt.Sprintf(format, args...)})
}

// take reports an error that has a place; what it is made of is reported one by one.
func (l *linter) take(err error) {
	if err == nil {
		return
	}
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		for _, e := range joined.Unwrap() {
			l.take(e)
		}
		return
	}
	var fault *render.Error
	if errors.As(err, &fault) {
		l.fault(fault.Template, fault.Line, fault.Column, "%v", fault.Err)
		return
	}
	l.fault(manifest.Name, 0, 0, "%v", err)
}

// layer looks at the files of one set.
func (l *linter) layer(layer render.Layer) {
	for name := range layer.Files {
		if name == manifest.Name {
			continue
		}
		facts, err := l.set.Facts(name, layer.Name)
		l.take(err)
		l.uses(facts)
		if err == nil {
			l.take(l.set.Check(name))
			l.calls(name, facts)
		}
		l.name(layer.Shown+name, name)
		l.policy(layer, name)
	}
	for _, r := range layer.Rules {
		if r.When.Text == "false" {
			l.fault(r.When.File, r.When.Line, r.When.Column, "%s is never written", r.Pattern)
		}
	}
}

func (l *linter) uses(f render.Facts) {
	l.all = l.all || f.All
	for _, u := range f.Vars {
		l.used[u.Name] = true
		if !slices.ContainsFunc(l.variables, func(v *manifest.Variable) bool { return v.Name == u.Name }) {
			l.fault(u.File, u.Line, u.Column, "no manifest declares the variable %s; %s", u.Name, manifest.Suggest(u.Name, variableNames(l.variables)))
		}
	}
}

func variableNames(list []*manifest.Variable) []string {
	var names []string
	for _, v := range list {
		names = append(names, v.Name)
	}
	return names
}

// policy reports files that are to be replaced for ever, and do not tell who edits them.
func (l *linter) policy(layer render.Layer, name string) {
	if l.set.Rule(name).Policy == tree.Generated.String() && !strings.Contains(string(layer.Files[name]), tree.Header) {
		l.fault(layer.Shown+name, 0, 0, "its policy is generated, and it does not say so: start it with a comment %q", tree.Header)
	}
}

// calls reports those of templates that nobody defines.
func (l *linter) calls(name string, f render.Facts) {
	known := l.defined(name)
	for _, c := range f.Calls {
		if !slices.Contains(known, c.Name) {
			l.fault(c.File, c.Line, c.Column, "nothing is called %q", c.Name)
		}
	}
}

// defined are the names that the file can call: partials, and all blocks of these and of the file itself.
func (l *linter) defined(name string) []string {
	var known []string
	for _, layer := range l.layers {
		for file := range layer.Files {
			partial := strings.HasPrefix(file, render.Partials+"/")
			if partial {
				known = append(known, render.PartialName(file))
			}
			if facts, err := l.set.Facts(file, layer.Name); err == nil && (partial || file == name) {
				known = append(known, facts.Blocks...)
			}
		}
	}
	return known
}

// name looks at where a file goes, as far as its own name tells.
func (l *linter) name(shown, name string) {
	folder, rest, _ := strings.Cut(name, "/")
	if folder == "contract" {
		sub, below, found := strings.Cut(rest, "/")
		if !found || sub != "starter" && sub != "interface" {
			l.fault(shown, 0, 0, "it is never written: contracts are in contract/starter and contract/interface")
			return
		}
		rest = below
	}
	plain := render.PlainName(rest)
	if err := tree.CheckName(plain); err != nil {
		var refused *tree.NameError
		if errors.As(err, &refused) {
			l.fault(shown, 0, 0, "no project can have a file of that name: %s", refused.Reason)
		}
	}
}

// whole looks at what the layers are together.
func (l *linter) whole(own []render.Layer) {
	called := l.called()
	if l.stack != nil {
		for _, set := range l.stack.Sets {
			l.reach(set)
		}
	}
	for _, layer := range own {
		for name := range layer.Files {
			if partial := render.PartialName(name); strings.HasPrefix(name, render.Partials+"/") && !called[partial] {
				l.fault(layer.Shown+name, 0, 0, "no template calls it: {{template %q .}} would", partial)
			}
		}
	}
	for _, layer := range l.layers {
		for _, r := range layer.Rules {
			if !slices.ContainsFunc(l.set.Names(), r.Matches) {
				l.rule(layer, r)
			}
		}
	}
}

// called are the names of the templates that some file calls.
func (l *linter) called() map[string]bool {
	called := map[string]bool{}
	for _, layer := range l.layers {
		for name := range layer.Files {
			facts, err := l.set.Facts(name, layer.Name)
			if err != nil {
				continue // reported with its file
			}
			for _, c := range facts.Calls {
				called[c.Name] = true
			}
		}
	}
	return called
}

// reach finds files that no command ever looks at.
func (l *linter) reach(set sets.Set) {
	for name := range set.Files {
		kind, _, deep := strings.Cut(name, "/")
		if deep && !slices.Contains(set.Manifest.Kinds, kind) {
			l.fault(set.Shown+name, 0, 0, "it is never used: the manifest's kinds are %s", strings.Join(set.Manifest.Kinds, ", "))
		}
	}
	for name := range set.Extras {
		if path.Ext(name) == ".tmpl" {
			folder, _, _ := strings.Cut(name, "/")
			l.fault(set.Shown+name, 0, 0, "it is never used: templates are below the folder of a kind; %s", manifest.Suggest(folder, manifest.Kinds()))
		}
	}
	for _, kind := range set.Manifest.Kinds {
		found := false
		for name := range set.Files {
			found = found || strings.HasPrefix(name, kind+"/")
		}
		if !found {
			l.fault(set.Manifest.File, 0, 0, "it is of the kind %s, and has no folder %s/", kind, kind)
		}
	}
}

func (l *linter) rule(layer render.Layer, r render.Rule) {
	i := slices.IndexFunc(l.stack.Sets, func(s sets.Set) bool { return s.Reference.String() == layer.Name })
	m := l.stack.Sets[i].Manifest
	for _, f := range m.Files {
		if f.Pattern.Text == r.Pattern {
			l.fault(m.File, f.Pattern.Line, f.Pattern.Column, "no file matches %s", r.Pattern)
		}
	}
}

// expressions looks at those of the manifests. A variable knows only those before it.
func (l *linter) expressions() {
	if l.stack == nil {
		return
	}
	for i, v := range l.variables {
		for _, e := range []struct {
			text      manifest.Text
			condition bool
		}{{v.When, true}, {v.Computed, false}} {
			l.expression(expression(v.File, e.text), e.condition, variableNames(l.variables[:i]))
		}
	}
	for _, layer := range l.layers {
		for _, r := range layer.Rules {
			l.expression(r.When, true, variableNames(l.variables))
			l.expression(r.Rename, false, variableNames(l.variables))
		}
	}
}

func (l *linter) expression(e render.Expression, condition bool, known []string) {
	if e.Text == "" {
		return
	}
	facts, err := e.Facts(condition)
	l.take(err)
	l.uses(facts)
	for _, u := range facts.Vars {
		if slices.Contains(variableNames(l.variables), u.Name) && !slices.Contains(known, u.Name) {
			l.fault(u.File, u.Line, u.Column, "the variable %s comes later, and has no value yet", u.Name)
		}
	}
}

// unused reports variables that are asked for and then forgotten.
func (l *linter) unused() {
	for _, v := range l.variables {
		if !l.used[v.Name] && !l.all {
			l.fault(v.File, v.Line, v.Column, "nothing uses the variable %s", v.Name)
		}
	}
}
