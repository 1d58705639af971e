package generator

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"

	"github.com/plugingen/plugingen/generator/internal/render"
	"github.com/plugingen/plugingen/generator/model"
	"github.com/plugingen/plugingen/generator/tree"
)

// ProjectRequest says what a plugin or host project should be.
type ProjectRequest struct {
	// Name is the project's and its program's, see CheckProjectName.
	Name string
	// Module is the module path; empty means example.com/NAME.
	Module string
	// Dir is where the project will lie, which need not exist: paths to other modules are relative to it, and the .proto of an
	// earlier run is read there. It is required; nothing is written to it.
	Dir string
	// Interface is PKG.Type or PKG.Type@VERSION: an interface of another module, which becomes the contract. Directives for it follow
	// after a blank, each with its mark: "golang.org/x/oauth2.TokenSource //plugingen:partial golang.org/x/oauth2.Token".
	// At most one of Interface and Contract is set; with neither, the contract is a small starter.
	Interface string
	// Contract is a contract that exists: the folder of its package, or its import path (with an optional @VERSION).
	Contract string
	// Runtime is where the project finds the runtime; the zero value means what DetectRuntime finds, or what the project of an
	// existing contract uses.
	Runtime Runtime
	// Template is the set of a team, laid over the built-in one: a folder, MODULE@VERSION, or a git URL with @REF.
	// Empty means the built-in set alone.
	Template string
	// Answers are the values of the set's variables: a string, a bool, a whole number, or a list of strings each, or Typed.
	Answers map[string]any
	// Suggested are values that take the place of the variables' own defaults; names that the set does not know do no harm.
	Suggested map[string]any
	// AllowUnknown ignores answers to what the set does not ask; false makes them an *InputError.
	AllowUnknown bool
	// Ask is called for every variable that Answers leaves out, one after the other; its error ends the run. Nil never asks:
	// the variable has its default, and a required one, which has none, is an *InputError.
	Ask func(Question) (any, error)
	// Approve is asked about every module and repository that templates come from, before they are used; its error, which
	// should wrap ErrUntrusted, ends the run. Nil approves of none. Folders are approved.
	Approve func(TemplateReview) error
	// Overrides is a folder, such as a repository's own, that is laid over the set: it has the folders of a set, and no manifest.
	Overrides string
	// SkipPost are steps to leave out, see PostSteps.
	SkipPost []string
	// Templates are laid over set, below Overrides: a file replaces the file of the same path in those before it.
	Templates []fs.FS
	// Fresh renders as if nothing were in Dir: an earlier .proto does not count.
	Fresh bool
	// Contents are files of the contract's package in the project, by path: each stands as it is in place of what the templates
	// make of it. Nil means that the contract is as the templates make it.
	Contents map[string][]byte
	// Progress gets what the go command says, where it is needed; nil means nobody.
	Progress io.Writer
	// Env is the environment of the go command; nil means the process's.
	Env []string
}

// Project is a project in memory.
type Project struct {
	Name, Module string
	Tree         *tree.Tree
	Contract     *model.Contract
	// ContractDir is the contract's folder in the project, such as "greeter"; empty when it belongs to another module.
	ContractDir string
	Runtime     Runtime
	// Template is the set that was used, pinned.
	Template Template
	// Answers are the values of the set's variables, computed ones left out.
	Answers map[string]Answer
	// Post are the steps that are left for who writes the project to disk: git-init, or none.
	Post     []string
	own      map[string]bool // by path: a set other than the built-in one had a part in the file
	Warnings model.Diagnostics
}

// Plugin returns the project of a plugin. Faults of the request are *InputError, of an interface [model.Diagnostics].
// It runs the go command, until ctx ends, for an interface or a contract of another module only, and writes
// nothing but temporary files, which it removes.
func Plugin(ctx context.Context, req ProjectRequest) (*Project, error) {
	return makeProject(ctx, req, pluginKind())
}

// Host returns the project of a host, see Plugin.
func Host(ctx context.Context, req ProjectRequest) (*Project, error) {
	return makeProject(ctx, req, hostKind())
}

// kind is what sets the sorts of projects apart.
type kind struct {
	set  string // of templates
	view func(*codeView) error
}

func makeProject(ctx context.Context, req ProjectRequest, k kind) (*Project, error) {
	req, err := req.checked()
	if err != nil {
		return nil, err
	}
	me, err := readSelf()
	if err != nil {
		return nil, err
	}
	if req.Module == me.path() || me.version(req.Module) != "" {
		return nil, &InputError{What: "module path", Value: req.Module, Reason: "it is the path of a module that the project needs"}
	}
	b := &builder{req: req, kind: k, self: me, own: map[string]bool{}, from: map[string]string{}}
	defer b.cleanUp()
	if err := b.open(ctx); err != nil {
		return nil, err
	}
	p, err := b.build(ctx)
	if err != nil {
		return nil, err
	}
	return p, b.addLock(req, p)
}

// open brings the templates and finds the values of their variables.
func (b *builder) open(ctx context.Context) (err error) {
	if b.team, err = b.req.loadTeam(ctx); err != nil {
		return err
	}
	if b.team != nil && !b.team.Makes(b.kind.set) {
		return &InputError{What: "template", Value: b.req.Template, Reason: "it makes no " + b.kind.set, Hint: "--template " + BuiltinTemplate + " is the built-in set"}
	}
	layers, err := b.req.layers(ctx, b.team)
	if err != nil {
		return err
	}
	b.set = render.NewSet(layers...)
	b.vars, b.recorded, err = b.answers()
	return err
}

func (r ProjectRequest) checked() (ProjectRequest, error) {
	if err := CheckProjectName(r.Name); err != nil {
		return r, err
	}
	if r.Module == "" {
		r.Module = "example.com/" + r.Name
	}
	if err := CheckModulePath(r.Module); err != nil {
		return r, err
	}
	if r.Interface != "" && r.Contract != "" {
		return r, &InputError{What: "contract", Value: r.Contract, Reason: "an interface is given, too", Hint: "name one of them"}
	}
	if r.Interface != "" {
		ref, err := parseInterface(r.Interface)
		if err != nil {
			return r, err
		}
		r.Interface = ref.String()
	}
	for _, step := range r.SkipPost {
		if !slices.Contains(PostSteps(), step) {
			return r, &InputError{What: "step", Value: step, Reason: "there is none of that name", Hint: "there are " + strings.Join(PostSteps(), ", ")}
		}
	}
	if r.Progress == nil {
		r.Progress = io.Discard
	}
	var err error
	r.Dir, err = filepath.Abs(r.Dir)
	return r, err
}

// builder makes one project.
type builder struct {
	req     ProjectRequest
	kind    kind
	self    *self
	team    *teamSet // nil for the built-in set
	set     *render.Set
	vars    map[string]any
	scratch *scratch // where the go command works; nil when it is not needed
	own     map[string]bool
	from    map[string]string // by path: see noteFrom

	recorded map[string]Answer
}

func (b *builder) cleanUp() {
	if b.scratch != nil {
		b.scratch.remove()
	}
}

func (b *builder) build(ctx context.Context) (*Project, error) {
	c, err := b.contract(ctx)
	if err != nil {
		return nil, err
	}
	t, err := b.render(c)
	if err != nil {
		return nil, err
	}
	if err := b.tidy(ctx, t); err != nil {
		return nil, err
	}
	p := &Project{
		Name: b.req.Name, Module: b.req.Module, Tree: t, Contract: c.model, ContractDir: c.dir,
		Runtime: b.req.Runtime, Warnings: c.warnings, Answers: b.recorded, own: b.own,
	}
	if b.team != nil {
		p.Template = b.team.template
		p.Post = b.postSteps("git-init")
	}
	return p, nil
}

// render lays out all files: those of the contract, those of the templates, and the runtime's copy.
func (b *builder) render(c *contract) (*tree.Tree, error) {
	v, err := b.view(c)
	if err != nil {
		return nil, err
	}
	outputs, err := b.outputs(b.kind.set, v)
	if err != nil {
		return nil, err
	}
	t := new(tree.Tree)
	for _, f := range c.files {
		if err := t.Add(f); err != nil {
			return nil, err
		}
	}
	for _, o := range outputs {
		if len(o.Data) == 0 {
			continue // such as go.tool.mod in a project that has no tools
		}
		b.noteOwn(o.Path, o)
		b.noteFrom(o.Path, o)
		if err := t.Add(fileOf(o.Path, o)); err != nil {
			return nil, &TemplateError{&render.Error{Template: o.Template, Err: err}}
		}
	}
	if b.req.Runtime.Copy {
		return t, b.self.addCopy(t)
	}
	return t, nil
}

// outputs renders the templates in a folder of the set.
func (b *builder) outputs(folder string, data any) ([]render.Output, error) {
	outputs, err := b.set.Render(folder, data, render.Options{Raw: slices.Contains(b.req.SkipPost, stepFormat)})
	if err != nil {
		return nil, &TemplateError{err}
	}
	var faults []error
	for _, o := range outputs {
		faults = append(faults, b.team.checkAnnounced(o))
	}
	if err := errors.Join(faults...); err != nil {
		return nil, &TemplateError{err}
	}
	return outputs, nil
}

// noteOwn keeps whether another set than the built-in one had a part in the file.
func (b *builder) noteOwn(name string, o render.Output) {
	b.own[name] = slices.ContainsFunc(o.Layers, func(l string) bool { return l != builtinLayer })
}

// fileOf is the file at name. Unless its rule says who owns it, its header does: who writes it says so in the file.
func fileOf(name string, o render.Output) tree.File {
	f := tree.File{Path: name, Data: o.Data, Mode: o.Mode}
	if o.Policy == tree.Generated.String() || o.Policy == "" && tree.IsGenerated(o.Data) {
		f.Owner = tree.Generated
	}
	return f
}
