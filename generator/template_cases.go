package generator

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/rogpeppe/go-internal/diff"
	"github.com/rogpeppe/go-internal/txtar"

	"github.com/plugingen/plugingen/generator/internal/manifest"
	"github.com/plugingen/plugingen/generator/internal/sets"
	"github.com/plugingen/plugingen/generator/tree"
)

// TemplateTestRequest says which cases of a set are tried, and how.
type TemplateTestRequest struct {
	TemplateRequest
	// Runtime is as in ProjectRequest.
	Runtime Runtime
	// Run chooses cases by their names; nil means all.
	Run *regexp.Regexp
	// NoBuild leaves out what takes most of the time: building, vetting and testing the projects.
	NoBuild bool
}

// TemplateCase is what became of one case.
type TemplateCase struct {
	Name string
	// Got is the archive that the case should be, when the result differs from it; nil when it does not.
	Got []byte
	// Diff says how; empty when it does not.
	Diff string
	// Err is what went wrong with rendering or building; nil when nothing did.
	Err error
}

// TestTemplate renders the cases of a set, which are cases/NAME.txtar in it: answers, and the files that come out. Unless NoBuild
// is set the results are built and tested, which runs what the set says. A case that fails is no error; a set without cases is
// an *InputError.
func TestTemplate(ctx context.Context, req TemplateTestRequest) ([]TemplateCase, error) {
	d, err := req.describe(ctx)
	if err != nil {
		return nil, err
	}
	var names []string
	if d.stack != nil {
		for name := range d.stack.Top().Extras {
			if stem, isCase := caseName(name); isCase && (req.Run == nil || req.Run.MatchString(stem)) {
				names = append(names, name)
			}
		}
	}
	if len(names) == 0 {
		return nil, &InputError{What: "template", Value: req.Template, Reason: "it has no cases to try", Hint: "a case is " + sets.CasesDir + "/NAME.txtar: kind, name and answers"}
	}
	slices.Sort(names)
	var results []TemplateCase
	for _, name := range names {
		results = append(results, req.try(ctx, d.stack.Top(), name))
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
	}
	return results, nil
}

// CaseFile is where the case of that name is in a set.
func CaseFile(name string) string { return sets.CasesDir + "/" + name + ".txtar" }

func caseName(file string) (string, bool) {
	stem := strings.TrimSuffix(path.Base(file), ".txtar")
	return stem, CaseFile(stem) == file
}

// try renders one case in a folder that is removed again.
func (r TemplateTestRequest) try(ctx context.Context, set *sets.Set, file string) TemplateCase {
	result := TemplateCase{}
	result.Name, _ = caseName(file)
	want := txtar.Parse(set.Extras[file])
	c, err := manifest.ParseCase(set.Shown+file, want.Comment)
	if err != nil {
		result.Err = &TemplateError{err}
		return result
	}
	dir, err := os.MkdirTemp("", "plugingen-case-")
	if err != nil {
		result.Err = err
		return result
	}
	defer func() { _ = os.RemoveAll(dir) }() // nothing in it is kept
	got, err := r.render(ctx, c, dir, want.Comment)
	if err != nil {
		result.Err = err
		return result
	}
	if data := txtar.Format(got); !bytes.Equal(data, txtar.Format(want)) {
		result.Got, result.Diff = data, differences(want, got)
	}
	if c.Build && !r.NoBuild {
		result.Err = r.build(ctx, c, dir)
	}
	return result
}

// render is the archive that the case becomes. It is the one of a released plugingen, whichever is running: a project tells its
// readers where its runtime comes from.
func (r TemplateTestRequest) render(ctx context.Context, c *manifest.Case, dir string, comment []byte) (*txtar.Archive, error) {
	version, _, err := RuntimeVersions()
	if err != nil {
		return nil, err
	}
	r.Runtime = Runtime{Version: "v" + version, Sum: "h1:"}
	p, _, err := r.project(ctx, c, dir)
	if err != nil {
		return nil, err
	}
	return archive(p, c, comment)
}

// project makes what the case asks for, in memory, for a folder below dir.
func (r TemplateTestRequest) project(ctx context.Context, c *manifest.Case, dir string) (*Project, string, error) {
	dir = filepath.Join(dir, c.Project)
	req := ProjectRequest{
		Name: c.Project, Module: c.Module, Dir: dir, Interface: c.Interface, Template: r.Template, Answers: c.Answers, Approve: r.Approve, Env: r.Env,
		Runtime: r.Runtime, Progress: r.Progress,
	}
	produce := Plugin
	if c.Kind == "host" {
		produce = Host
	}
	p, err := produce(ctx, req)
	return p, dir, err
}

// generatedModules are the module files, which change with every version of plugingen and every machine.
func generatedModules() []string { return []string{"go.mod", "go.sum", "go.tool.mod", "go.tool.sum"} }

// archive holds the files that the set had a part in; all of them when the case says so. Module files say nothing to a reader.
func archive(p *Project, c *manifest.Case, comment []byte) (*txtar.Archive, error) {
	a := &txtar.Archive{Comment: comment}
	for _, f := range p.Tree.Files() {
		if f.Owner == tree.Record || slices.Contains(generatedModules(), f.Path) || c.Compare == "own" && !p.own[f.Path] {
			continue
		}
		name := f.Path
		if f.Mode&0o111 != 0 {
			name += " (executable)"
		}
		if again := txtar.Parse(txtar.Format(&txtar.Archive{Files: []txtar.File{{Name: name, Data: f.Data}}})); len(again.Files) != 1 {
			return nil, &InputError{What: "file", Value: f.Path, Reason: "it has a line that starts an archive's next file, and cannot be compared"}
		}
		a.Files = append(a.Files, txtar.File{Name: name, Data: f.Data})
	}
	return a, nil
}

// differences is a unified diff of two archives; files that only one of them has are named.
func differences(want, got *txtar.Archive) string {
	var b strings.Builder
	left := map[string][]byte{}
	for _, f := range got.Files {
		left[f.Name] = f.Data
	}
	for _, f := range want.Files {
		data, found := left[f.Name]
		if !found {
			fmt.Fprintf(&b, "not written: %s\n", f.Name)
			continue
		}
		b.Write(diff.Diff("want/"+f.Name, f.Data, "got/"+f.Name, data))
		delete(left, f.Name)
	}
	for _, f := range got.Files {
		if data, more := left[f.Name]; more {
			b.Write(diff.Diff("/dev/null", nil, "got/"+f.Name, data))
		}
	}
	return b.String()
}

// build writes the project to a folder below dir, vets it and runs its tests.
func (r TemplateTestRequest) build(ctx context.Context, c *manifest.Case, dir string) error {
	p, dir, err := r.project(ctx, c, dir)
	if err != nil {
		return err
	}
	plan, err := p.Tree.Plan(dir)
	if err != nil {
		return err
	}
	if err := plan.Commit(tree.CommitOptions{}); err != nil {
		return err
	}
	for _, args := range [][]string{{"vet", "./..."}, {"test", "./..."}} {
		cmd := exec.CommandContext(ctx, "go", args...)
		cmd.WaitDelay = goWaitDelay
		cmd.Dir = dir
		cmd.Env = append(environment(r.Env), "GOWORK=off", "PWD="+dir)
		out, err := cmd.CombinedOutput()
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
			return &GoError{Command: "go " + strings.Join(args, " "), Said: strings.TrimSpace(string(out)), Err: err}
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func environment(env []string) []string {
	if env == nil {
		return os.Environ()
	}
	return env[:len(env):len(env)]
}
