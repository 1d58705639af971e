// Package generators measures code generators as people run them: whole processes, built beforehand, on the same interface.
package generators

import (
	"context"
	"path/filepath"
	"slices"

	"github.com/plugingen/plugingen/bench/programs"
)

// Names of the tools. All others are compared with ReferenceName, which is the fastest of those that make mocks.
const (
	OursName      = "plugingen"
	ReferenceName = "mockgen"
)

// tool is a generator. Peers make mocks, which is less than half of what ours makes; gonew copies a module as a new project.
type tool struct {
	name  string
	build []string          // arguments of go build, without -o
	run   []string          // arguments of a run in the sample's folder
	makes []string          // arguments that make a project, for a tool that does nothing else
	check []string          // arguments that find nothing to do; nil: it has no way but to run again
	files map[string]string // that it wants in the sample's folder
	wrote []string          // what a run writes there, to be removed before another
}

func tools() []tool {
	peer := func(pkg string) []string { return []string{"-modfile=go.tool.mod", pkg} }
	return []tool{
		{
			name:  OursName,
			build: []string{"-C", "..", "./cmd/plugingen"},
			run:   []string{"generate", "--type", "Store", "store"},
			check: []string{"generate", "--type", "Store", "--check", "store"},
			wrote: []string{"store/zz_plugingen.go", "store/storepb"},
		},
		{
			name:  "moq",
			build: peer("github.com/matryer/moq"),
			run:   []string{"-out", "mocks/store.go", "-pkg", "mocks", "store", "Store"},
			wrote: []string{"mocks"},
		},
		{
			name:  "mockery",
			build: peer("github.com/vektra/mockery/v3"),
			run:   []string{"--log-level", "error"},
			files: map[string]string{".mockery.yml": mockeryConfig},
			wrote: []string{"mocks"},
		},
		{
			name:  ReferenceName,
			build: peer("go.uber.org/mock/mockgen"),
			run:   []string{"-source=store/store.go", "-destination=mocks/store.go", "-package=mocks"},
			wrote: []string{"mocks"},
		},
		{
			name:  "gonew",
			build: peer("golang.org/x/tools/cmd/gonew"),
			makes: []string{startModule + "@" + teamVersion, "example.com/" + newProject, newProject},
		},
	}
}

const mockeryConfig = `dir: mocks
pkgname: mocks
filename: store.go
formatter: gofmt
packages:
  example.com/sample/store:
    interfaces:
      Store:
`

// Names of the tools in the order of the table.
func Names() []string {
	var names []string
	for _, t := range tools() {
		names = append(names, t.name)
	}
	return names
}

func (t tool) path(dir string) string { return filepath.Join(dir, t.name) }

func (t tool) compile(ctx context.Context, root, dir string) error {
	flags, pkg := t.build[:len(t.build)-1], t.build[len(t.build)-1]
	return programs.Go(ctx, root, slices.Concat([]string{"build"}, flags, []string{"-o", t.path(dir), pkg})...)
}
