package sets

import (
	"path"
	"slices"
	"strings"

	"github.com/plugingen/plugingen/generator/internal/manifest"
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

func (s *Set) review() Review {
	r := Review{Origin: s.Reference.Origin(), Version: s.Reference.Version, Hash: s.Hash, Files: len(s.Files)}
	for name := range s.Files {
		if Runs(plainName(name)) {
			r.Runs = append(r.Runs, name)
		}
	}
	slices.Sort(r.Runs)
	return r
}

// plainName is the path that a template's name leads to, as far as the name alone tells.
func plainName(name string) string {
	parts := strings.Split(strings.TrimSuffix(name, ".tmpl"), "/")
	for i, part := range parts {
		if rest, found := strings.CutPrefix(part, "dot_"); found {
			parts[i] = "." + rest
		}
	}
	return strings.Join(parts, "/")
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

// Announced says whether the review of a set shows that it writes the file at target, which makes programs run something, when the
// template goes by name in the set.
func (s *Set) Announced(name, target string) bool {
	return s.Reference.Kind == source.Folder || !Runs(target) || Runs(plainName(name))
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
				return nil, &manifest.Fault{File: v.File, Line: v.Line, Column: v.Column, Why: "the variable " + v.Name + " is " + v.Type + " here and " + list[i].Type + " in the set that this one extends"}
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
