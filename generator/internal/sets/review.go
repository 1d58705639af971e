package sets

import (
	"bytes"
	"path"
	"slices"
	"strings"

	"github.com/plugingen/plugingen/generator/internal/manifest"
	"github.com/plugingen/plugingen/generator/internal/render"
	"github.com/plugingen/plugingen/generator/internal/source"
)

// CasesDir is the folder with the cases of a set's tests.
const CasesDir = "cases"

// Review is what there is to know of a set before it is used.
type Review struct {
	Origin, Version, Hash string
	Files                 int
	// Runs are the files that make other programs run something: workflows, Makefiles, scripts.
	Runs []string
}

func review(root source.Fetched, hash string) Review {
	r := Review{Origin: root.Path, Version: root.Version, Hash: hash, Files: len(root.Files)}
	for name := range root.Files {
		if inKind, ok := belowKind(name); ok && (Runs(render.PlainName(inKind)) || strings.HasSuffix(name, builtinPartial)) {
			r.Runs = append(r.Runs, name)
		}
	}
	slices.Sort(r.Runs)
	return r
}

// belowKind is the path of a file below the folder of a kind, wherever in a module or repository the set is.
func belowKind(name string) (string, bool) {
	for i, part := range strings.Split(name, "/") {
		if slices.Contains(manifest.Kinds(), part) {
			return strings.Join(strings.Split(name, "/")[i:], "/"), true
		}
	}
	return "", false
}

// builtinPartial is the partial that the built-in workflows are made of.
const builtinPartial = "partials/ci.tmpl"

// runs are the set's files of which something goes into files that make programs run something, as far as names tell, and the
// partials that they call.
func (s *Set) runs() map[string]bool {
	found := map[string]bool{}
	for name := range s.Files {
		if Runs(render.PlainName(name)) || name == builtinPartial {
			found[name] = true
		}
	}
	for more := true; more; {
		more = false
		for name := range s.Files {
			if strings.HasPrefix(name, render.Partials+"/") && !found[name] && s.calledBy(name, found) {
				found[name], more = true, true
			}
		}
	}
	return found
}

func (s *Set) calledBy(partial string, callers map[string]bool) bool {
	call := []byte(`"` + render.PartialName(partial) + `"`)
	for name := range callers {
		if bytes.Contains(s.Files[name], call) {
			return true
		}
	}
	return false
}

// Runs says whether a file of that name makes programs run what is in it without anybody's asking, or on one's asking for
// something else: workflows, what make and its like read, hooks, containers, scripts.
func Runs(name string) bool {
	base, lower := path.Base(name), strings.ToLower(name)
	switch strings.ToLower(base) {
	case "makefile", "gnumakefile", "taskfile.yml", "taskfile.yaml", "justfile", "jenkinsfile", "dockerfile", "containerfile", "magefile.go", ".gitlab-ci.yml",
		".travis.yml", "azure-pipelines.yml", "package.json", ".envrc", ".pre-commit-config.yaml", ".goreleaser.yml", ".goreleaser.yaml", "tasks.json", "devcontainer.json", "lefthook.yml":
		return true
	}
	switch strings.ToLower(path.Ext(base)) {
	case ".mk", ".sh", ".bash", ".bat", ".cmd", ".ps1", ".py":
		return true
	}
	for _, dir := range []string{".github/workflows/", ".github/actions/", ".circleci/", ".husky/", ".buildkite/", ".woodpecker/"} {
		if strings.Contains("/"+lower, "/"+dir) {
			return true
		}
	}
	return false
}

// Unannounced are those of parts, files as errors show them, that are this set's and that its review did not show although they
// go into the file at target, which makes programs run something.
func (s *Set) Unannounced(target string, parts []string) []string {
	if s.Reference.Kind == source.Folder || !Runs(target) {
		return nil
	}
	var list []string
	announced := s.runs()
	for _, part := range parts {
		if name, ours := strings.CutPrefix(part, s.Shown); ours && !announced[name] {
			list = append(list, part)
		}
	}
	return list
}

// Variables are those of all sets: a later one of the same name replaces an earlier one, in its place.
func (s *Stack) Variables() ([]*manifest.Variable, error) {
	var list []*manifest.Variable
	for _, set := range s.Sets {
		for _, v := range set.Manifest.Variables {
			i := slices.IndexFunc(list, func(earlier *manifest.Variable) bool { return earlier.Name == v.Name })
			switch {
			case i < 0:
				list = append(list, v)
			case list[i].Type != v.Type:
				return nil, &manifest.Error{File: v.File, Line: v.Line, Column: v.Column, Why: "the variable " + v.Name + " is " + v.Type + " here and " + list[i].Type + " in the set that this one extends"}
			default:
				list[i] = v
			}
		}
	}
	return list, nil
}

// Post are the steps that the sets ask for.
func (s *Stack) Post() []string {
	var steps []string
	for _, step := range manifest.PostSteps() {
		if slices.ContainsFunc(s.Sets, func(set Set) bool { return slices.Contains(set.Manifest.Post, step) }) {
			steps = append(steps, step)
		}
	}
	return steps
}

// Makes says whether one of the sets is of the kind.
func (s *Stack) Makes(kind string) bool {
	return slices.ContainsFunc(s.Sets, func(set Set) bool { return slices.Contains(set.Manifest.Kinds, kind) })
}
