package generator

import (
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/plugingen/plugingen/generator/internal/manifest"
	"github.com/plugingen/plugingen/generator/internal/render"
	"github.com/plugingen/plugingen/generator/tree"
	"github.com/plugingen/plugingen/templates"
)

// NewTemplate is a set to start from, called name, for projects of the given kinds: plugin, host, or both. Names and kinds that
// cannot be are *InputError.
func NewTemplate(name string, makes []string) (*tree.Tree, error) {
	if err := CheckProjectName(name); err != nil {
		return nil, &InputError{What: "name of a template", Value: name, Reason: "a name is " + ProjectNameRule}
	}
	for _, kind := range makes {
		if kind != "plugin" && kind != "host" {
			return nil, &InputError{What: "kind", Value: kind, Reason: "there are plugin and host"}
		}
	}
	if len(makes) == 0 {
		makes = []string{"plugin", "host"}
	}
	version, _, err := RuntimeVersions()
	if err != nil {
		return nil, err
	}
	data := struct {
		Name, Version string
		Makes, Kinds  []string
	}{name, version, makes, append(slices.Clone(makes), render.Partials)}
	files, err := render.Read(templates.Start)
	if err != nil {
		return nil, err
	}
	outputs, err := render.NewSet(render.Layer{Name: builtinLayer, Files: files}).Render("start/rendered", data, render.Options{})
	if err != nil {
		return nil, err
	}
	t := new(tree.Tree)
	for _, o := range outputs {
		if err := t.Add(tree.File{Path: o.Path, Data: o.Data}); err != nil {
			return nil, err
		}
	}
	return t, addVerbatim(t, files, makes)
}

// addVerbatim adds the files that are templates themselves.
func addVerbatim(t *tree.Tree, files map[string][]byte, makes []string) error {
	for name, data := range files {
		rel, found := strings.CutPrefix(name, "start/verbatim/")
		kind, _, _ := strings.Cut(rel, "/")
		if kind == "cases" {
			kind = strings.TrimSuffix(path.Base(rel), ".txtar")
		}
		if !found || kind != render.Partials && !slices.Contains(makes, kind) {
			continue
		}
		if err := t.Add(tree.File{Path: rel, Data: data}); err != nil {
			return err
		}
	}
	return nil
}

// ExportTemplates is the built-in set as files: to read, or to start a set of one's own from that owns everything.
func ExportTemplates() (*tree.Tree, error) {
	t := new(tree.Tree)
	err := fs.WalkDir(templates.Set, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := fs.ReadFile(templates.Set, name)
		if err != nil {
			return err
		}
		if name == manifest.Name {
			data = []byte(strings.Replace(string(data), "name: builtin", "name: exported", 1))
		}
		return t.Add(tree.File{Path: name, Data: data})
	})
	return t, err
}
