package update

import (
	"cmp"
	"maps"
	"path/filepath"
	"strings"

	"golang.org/x/mod/modfile"

	"github.com/plugingen/plugingen/generator"
	"github.com/plugingen/plugingen/generator/internal/source"
)

// request is the wish that the lock records, at the version that is asked for.
func (p *planner) request() (generator.ProjectRequest, error) {
	r := p.req.Project
	r.Name, r.Module, r.Dir = p.base.Name, p.base.Module, p.req.Dir
	mod, err := p.disk("go.mod")
	if err != nil {
		return r, err
	}
	// Its owner may have called the module something else by now, and required other versions of what it is wired to.
	r.Module = cmp.Or(modfile.ModulePath(mod.data()), r.Module)
	required := requiredVersions(mod.data())
	r.Interface = atRequired(p.base.Interface, required)
	r.Contract = p.wiredTo(required)
	if r.Runtime == (generator.Runtime{}) {
		if r.Runtime, err = p.runtime(); err != nil {
			return r, err
		}
	}
	if r.Template, err = p.template(); err != nil {
		return r, err
	}
	r.Answers, r.AllowUnknown = p.answers(), true // what the template no longer asks for was asked once
	return r, nil
}

// answers are those that the lock records and, before them, those of the request.
func (p *planner) answers() map[string]any {
	answers := map[string]any{}
	for _, a := range p.base.Answers {
		if a.Value != nil {
			answers[a.Name] = a.Value
		}
	}
	maps.Copy(answers, p.req.Project.Answers)
	return answers
}

func (p *planner) runtime() (generator.Runtime, error) {
	switch p.base.Runtime {
	case "":
		return generator.Runtime{}, nil
	case "copy":
		r := generator.DetectRuntime()
		r.Copy = true
		return r, nil
	}
	return generator.CheckoutRuntime(filepath.FromSlash(p.base.Runtime))
}

// template is the set at the version that is asked for, else at the newest one.
func (p *planner) template() (string, error) {
	t := generator.Template(p.base.Template)
	switch {
	case p.req.Project.Template != "":
		return p.req.Project.Template, nil
	case t.IsBuiltin():
		return "", p.checkBuiltin()
	case t.Version == "" && p.req.To != "":
		return "", &generator.InputError{What: "version", Value: p.req.To, Reason: "the template is a folder, which has no versions", Hint: "leave out --to"}
	case t.Version == "":
		return fromHere(t.Reference(p.req.Dir, ""), t.Origin), nil
	case p.req.To != "":
		return t.Reference(p.req.Dir, p.req.To), nil
	}
	if r, err := source.Parse(t.Reference(p.req.Dir, "")); err == nil && r.Kind == source.Git {
		return t.Origin, nil // the newest commit of the branch that the repository calls its own
	}
	return t.Reference(p.req.Dir, "latest"), nil
}

// fromHere makes a folder relative to the current one when it is recorded as a relative one: it is recorded again.
func fromHere(folder, origin string) string {
	here, err := filepath.Abs(".")
	if err != nil || filepath.IsAbs(filepath.FromSlash(origin)) {
		return folder
	}
	rel, err := filepath.Rel(here, folder)
	if err != nil {
		return folder
	}
	if !strings.HasPrefix(rel, ".") {
		rel = "." + string(filepath.Separator) + rel
	}
	return rel
}

// checkBuiltin: there is no other version of the built-in set than that of the program.
func (p *planner) checkBuiltin() error {
	mine, _, err := generator.RuntimeVersions()
	if v := strings.TrimPrefix(p.req.To, "v"); err != nil || v == "" || v == mine {
		return err
	}
	return &generator.InputError{
		What: "version", Value: p.req.To, Reason: "the built-in templates are those of this plugingen, " + mine, Hint: "run plugingen " + p.req.To,
	}
}

// wiredTo is the contract: a folder relative to the project, or an import path.
func (p *planner) wiredTo(required map[string]string) string {
	c := p.base.Contract
	if modfile.IsDirectoryPath(c) {
		if filepath.IsAbs(filepath.FromSlash(c)) {
			return filepath.FromSlash(c)
		}
		return filepath.Join(p.req.Dir, filepath.FromSlash(c))
	}
	return atRequired(c, required)
}

func requiredVersions(mod []byte) map[string]string {
	found := map[string]string{}
	f, err := modfile.ParseLax("go.mod", mod, nil)
	if err != nil {
		return found
	}
	for _, r := range f.Require {
		found[r.Mod.Path] = r.Mod.Version
	}
	return found
}

// atRequired is a package, or an interface in one, at the version of its module that go.mod requires: an update of the
// templates does not move what the project is wired to.
func atRequired(reference string, required map[string]string) string {
	reference, directives, directed := strings.Cut(reference, " ")
	if directed {
		return atRequired(reference, required) + " " + directives
	}
	name, _, _ := strings.Cut(reference, "@")
	for module := name; module != "" && module != "."; module = parent(module) {
		if v, found := required[module]; found {
			return name + "@" + v
		}
	}
	return reference
}

// parent drops the type of a reference, then one element of the path after the other.
func parent(name string) string {
	slash, dot := strings.LastIndexByte(name, '/'), strings.LastIndexByte(name, '.')
	if dot > slash && slash >= 0 {
		return name[:dot]
	}
	return name[:max(slash, 0)]
}
