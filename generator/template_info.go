package generator

import (
	"context"
	"io"
	"io/fs"
	"slices"

	"github.com/plugingen/plugingen/generator/internal/manifest"
	"github.com/plugingen/plugingen/generator/internal/render"
	"github.com/plugingen/plugingen/generator/internal/sets"
	"github.com/plugingen/plugingen/generator/internal/source"
	"github.com/plugingen/plugingen/templates"
)

// TemplateRequest names a template set.
type TemplateRequest struct {
	// Template is as in ProjectRequest; empty means the built-in set.
	Template string
	// Approve, Progress and Env are as in ProjectRequest.
	Approve  func(TemplateReview) error
	Progress io.Writer
	Env      []string
}

// TemplateInfo is what there is to know of a template set.
type TemplateInfo struct {
	Name, Description     string
	Origin, Version, Hash string // Origin is "builtin" for the built-in set
	MinVersion            string // of plugingen; empty means any
	Kinds                 []string
	Layers                []TemplateLayer // the lowest, the built-in one, first
	Variables             []TemplateVariable
	Files                 []TemplateFile
	Post                  []string // steps that the set asks for
}

// TemplateLayer is one of the sets that lie on top of each other.
type TemplateLayer struct {
	Name, Origin, Version, Hash string
	Files                       int
}

// TemplateVariable is something that a set wants to know.
type TemplateVariable struct {
	Name, Type, Prompt, Help, Pattern string
	Default                           any // nil without one
	Choices                           []string
	Required, Secret                  bool
	When, Computed                    string // expressions; empty without
}

// TemplateFile is a file of a set, with all layers that have it.
type TemplateFile struct {
	Path   string
	Layers []string // names of those that count, the lowest first
	Blocks []string // that a higher layer can change
	When   string   // the rules that the manifests have for it; empty without
	Rename string
	Policy string
	Mode   fs.FileMode
}

// described is a set for those who look at it rather than use it.
type described struct {
	set    *render.Set
	layers []render.Layer
	stack  *sets.Stack // nil for the built-in set
}

// describe brings the set with everything that lies in its folder.
func (r TemplateRequest) describe(ctx context.Context) (*described, error) {
	builtin, err := render.Read(templates.Set)
	if err != nil {
		return nil, err
	}
	d := &described{layers: []render.Layer{{Name: builtinLayer, Files: builtin}}}
	if r.Template != "" && r.Template != BuiltinTemplate {
		loader := sets.Loader{Fetch: source.Fetcher{Env: r.Env, Progress: r.Progress}, Approve: approver(r.Approve), Extras: true}
		if d.stack, err = loadStack(ctx, loader, r.Template); err != nil {
			return nil, err
		}
		d.layers = append(d.layers, stackLayers(d.stack)...)
	}
	d.set = render.NewSet(d.layers...)
	return d, nil
}

// manifests are those of the layers.
func (d *described) manifests() ([]*manifest.Manifest, error) {
	builtin, err := manifest.Parse(manifest.Name, d.layers[0].Files[manifest.Name])
	if err != nil {
		return nil, err
	}
	list := []*manifest.Manifest{builtin}
	if d.stack != nil {
		for _, s := range d.stack.Sets {
			list = append(list, s.Manifest)
		}
	}
	return list, nil
}

// DescribeTemplate says what a set is made of. Errors are those of Plugin about templates.
func DescribeTemplate(ctx context.Context, req TemplateRequest) (*TemplateInfo, error) {
	d, err := req.describe(ctx)
	if err != nil {
		return nil, err
	}
	list, err := d.manifests()
	if err != nil {
		return nil, &TemplateError{err}
	}
	top := list[len(list)-1]
	info := &TemplateInfo{
		Name: top.Set, Description: top.Description, MinVersion: top.MinVersion, Kinds: top.Kinds, Origin: BuiltinTemplate,
		Files: d.files(),
	}
	if info.Layers, err = d.layerInfos(list); err != nil {
		return nil, err
	}
	last := info.Layers[len(info.Layers)-1]
	info.Origin, info.Version, info.Hash = last.Origin, last.Version, last.Hash
	if d.stack == nil {
		return info, nil
	}
	info.Hash, info.Post = d.stack.Hash, d.stack.Post()
	variables, err := d.stack.Variables()
	if err != nil {
		return nil, &TemplateError{err}
	}
	for _, v := range variables {
		info.Variables = append(info.Variables, TemplateVariable{
			Name: v.Name, Type: v.Type, Prompt: v.Prompt, Help: v.Help, Pattern: v.Pattern(), Default: v.Default, Choices: slices.Clone(v.Choices),
			Required: v.Required, Secret: v.Secret, When: v.When.Text, Computed: v.Computed.Text,
		})
	}
	return info, nil
}

func (d *described) layerInfos(list []*manifest.Manifest) ([]TemplateLayer, error) {
	hash, err := source.Hash(d.layers[0].Files)
	if err != nil {
		return nil, err
	}
	infos := []TemplateLayer{{Name: list[0].Set, Origin: BuiltinTemplate, Hash: hash, Files: len(d.layers[0].Files)}}
	if d.stack != nil {
		for _, s := range d.stack.Sets {
			infos = append(infos, TemplateLayer{s.Manifest.Set, s.Reference.Origin(), s.Reference.Version, s.Hash, len(s.Files)})
		}
	}
	return infos, nil
}

func (d *described) files() []TemplateFile {
	var files []TemplateFile
	for _, name := range d.set.Names() {
		if name == manifest.Name {
			continue
		}
		rule := d.set.Rule(name)
		f := TemplateFile{
			Path: name, Layers: d.set.Layers(name), When: rule.When.Text, Rename: rule.Rename.Text, Policy: rule.Policy, Mode: rule.Mode,
		}
		for _, layer := range f.Layers {
			facts, err := d.set.Facts(name, layer)
			if err != nil {
				continue // lint says so
			}
			f.Blocks = append(f.Blocks, facts.Blocks...)
		}
		slices.Sort(f.Blocks)
		f.Blocks = slices.Compact(f.Blocks)
		files = append(files, f)
	}
	return files
}

// TemplateSchema is the JSON schema of template.yaml.
func TemplateSchema() []byte { return []byte(templates.Schema) }

// TemplateFunctions are the functions that templates may call besides those of text/template, sorted.
func TemplateFunctions() []string { return render.Functions() }

// TemplateKeys are the keys of template.yaml, of a variable in it, and of a file's rule: what TemplateSchema has, too.
func TemplateKeys() (manifestKeys, variableKeys, ruleKeys []string) { return manifest.Keys() }
