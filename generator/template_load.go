package generator

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"

	"golang.org/x/mod/semver"

	"github.com/plugingen/plugingen/generator/internal/manifest"
	"github.com/plugingen/plugingen/generator/internal/render"
	"github.com/plugingen/plugingen/generator/internal/sets"
	"github.com/plugingen/plugingen/generator/internal/source"
	"github.com/plugingen/plugingen/templates"
)

// BuiltinTemplate is how the built-in set is named where a set has to be; so does an empty text.
const BuiltinTemplate = manifest.Builtin

// The names of the layers that are no team's.
const (
	builtinLayer   = "built-in"
	extraLayer     = "given"
	overridesLayer = "overrides"
)

// ErrUntrusted is what every error wraps about a template set that nobody approved.
var ErrUntrusted = errors.New("the template is not trusted")

// TemplateError is a fault of a template set, or of what it was given. errors.Is finds ErrInput.
type TemplateError struct{ Err error }

// Error is Err's: each line starts with a place.
func (e *TemplateError) Error() string { return e.Err.Error() }

// Unwrap returns Err, and ErrInput.
func (e *TemplateError) Unwrap() []error { return []error{e.Err, ErrInput} }

// TemplateReview is what there is to know of a module or repository before its templates are used.
type TemplateReview struct {
	Origin, Version, Hash string
	Files                 int
	// Runs are the files of the set that make other programs run something: workflows, Makefiles, scripts.
	Runs []string
}

// teamSet is a set as it was asked for, put together; nil stands for the built-in one.
type teamSet struct {
	*sets.Stack
	template Template
}

// loadTeam brings the set that the request names.
func (r ProjectRequest) loadTeam(ctx context.Context) (*teamSet, error) {
	if r.Template == "" || r.Template == BuiltinTemplate {
		return nil, nil
	}
	loader := sets.Loader{Fetch: source.Fetcher{Env: r.Env, Progress: r.Progress}, Approve: approver(r.Approve)}
	stack, err := loadStack(ctx, loader, r.Template)
	if err != nil {
		return nil, err
	}
	top := stack.Top().Reference
	return &teamSet{stack, Template{Origin: recordedOrigin(top, r.Dir), Version: top.Version, Hash: stack.Hash}}, nil
}

// approver turns what a caller gave into what the loader asks; nil refuses all.
func approver(approve func(TemplateReview) error) func(sets.Review) error {
	if approve == nil {
		return nil
	}
	return func(r sets.Review) error { return approve(TemplateReview(r)) }
}

func loadStack(ctx context.Context, loader sets.Loader, reference string) (*sets.Stack, error) {
	ref, err := source.Parse(reference)
	if err != nil {
		return nil, &TemplateError{err}
	}
	stack, err := loader.Load(ctx, ref)
	switch {
	case err == nil:
	case errors.Is(err, sets.ErrUnapproved):
		return nil, untrusted(err)
	case errors.Is(err, ErrUntrusted) || ctx.Err() != nil:
		return nil, err
	case errors.Is(err, fs.ErrNotExist):
		return nil, &InputError{What: "template", Value: reference, Reason: "there is no such folder"}
	default:
		return nil, &TemplateError{err}
	}
	return stack, checkVersions(stack)
}

// untrusted says it in the words of this package.
func untrusted(err error) error { return fmt.Errorf("%w (%w)", ErrUntrusted, err) }

// checkVersions compares what the sets ask for with this plugingen.
func checkVersions(stack *sets.Stack) error {
	running, _, err := RuntimeVersions()
	if err != nil {
		return err
	}
	for _, set := range stack.Sets {
		if wanted := set.Manifest.MinVersion; wanted != "" && semver.Compare("v"+running, wanted) < 0 {
			return &TemplateError{&manifest.Error{File: set.Manifest.File, Why: "the set needs plugingen " + wanted + " or newer, and this is v" + running}}
		}
	}
	return nil
}

// recordedOrigin is the origin as it is written down: a folder is relative to the project's, unless it was named absolutely or
// is on another drive.
func recordedOrigin(r source.Reference, dir string) string {
	if r.Kind != source.Folder || filepath.IsAbs(r.Path) {
		return r.Origin()
	}
	abs, err := filepath.Abs(r.Path)
	if err != nil {
		return r.Origin()
	}
	rel, err := filepath.Rel(dir, abs)
	if err != nil {
		return abs
	}
	if rel = filepath.ToSlash(rel); !strings.HasPrefix(rel, ".") {
		rel = "./" + rel
	}
	return rel
}

// layers are the built-in set, the team's, and what the request lays over them, the lowest first.
func (r ProjectRequest) layers(ctx context.Context, team *teamSet) ([]render.Layer, error) {
	builtin, err := render.Read(templates.Set)
	if err != nil {
		return nil, err
	}
	layers := []render.Layer{{Name: builtinLayer, Files: builtin}}
	if team != nil {
		layers = append(layers, stackLayers(team.Stack)...)
	}
	for _, extra := range r.Templates {
		files, err := render.Read(extra)
		if err != nil {
			return nil, &TemplateError{err}
		}
		layers = append(layers, render.Layer{Name: extraLayer, Files: files})
	}
	if r.Overrides == "" {
		return layers, nil
	}
	fetched, err := source.Fetcher{}.Fetch(ctx, source.Reference{Path: r.Overrides}, manifest.Kinds())
	if errors.Is(err, fs.ErrNotExist) {
		return nil, &InputError{What: "folder of overrides", Value: r.Overrides, Reason: "there is none"}
	}
	if err != nil {
		return nil, &TemplateError{err}
	}
	return append(layers, render.Layer{Name: overridesLayer, Shown: filepath.ToSlash(r.Overrides) + "/", Files: fetched.Files}), nil
}

func stackLayers(stack *sets.Stack) []render.Layer {
	var layers []render.Layer
	for _, set := range stack.Sets {
		layers = append(layers, render.Layer{Name: set.Reference.String(), Shown: set.Shown, Files: set.Files, Rules: rules(set.Manifest)})
	}
	return layers
}

func rules(m *manifest.Manifest) []render.Rule {
	var list []render.Rule
	for _, f := range m.Files {
		list = append(list, render.Rule{
			Pattern: f.Pattern.Text, When: expression(m.File, f.When), Rename: expression(m.File, f.Rename), Policy: f.Policy, Mode: f.Mode,
		})
	}
	return list
}

func expression(file string, t manifest.Text) render.Expression {
	return render.Expression{Text: t.Text, File: file, Line: t.Line, Column: t.Column}
}

// checkAnnounced refuses what goes into a file that makes programs run something when the review of its set could not show it.
func (t *teamSet) checkAnnounced(o render.Output) error {
	if t == nil {
		return nil
	}
	var faults []error
	for _, set := range t.Sets {
		for _, part := range set.Unannounced(o.Path, o.Parts) {
			faults = append(faults, &render.Error{
				Template: part, Err: fmt.Errorf("it goes into %s, which makes other programs run something, and its own name does not tell", o.Path),
			})
		}
	}
	return errors.Join(faults...)
}
