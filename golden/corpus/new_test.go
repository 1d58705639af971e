package corpus

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/plugingen/plugingen/generator"
	"github.com/plugingen/plugingen/generator/tree"
)

// TestNew makes projects of plugins and hosts of interfaces that have it all, as plugingen new and host do, and has their own tests run.
func TestNew(t *testing.T) {
	if testing.Short() {
		t.Skip("builds projects")
	}
	for _, name := range []string{"github.com/syndtr/goleveldb/leveldb/storage.Storage", "golang.org/x/net/webdav.FileSystem"} {
		t.Run(name, func(t *testing.T) {
			pkg := name[:strings.LastIndex(name, ".")]
			_, version, _ := strings.Cut(moduleOf(modules(t), pkg), "@")
			dir := t.TempDir()
			plugin := generator.ProjectRequest{Name: "p", Dir: filepath.Join(dir, "p"), Interface: name + "@" + version}
			p, err := generator.Plugin(t.Context(), plugin)
			must(t, err)
			commit(t, p, plugin.Dir)
			run(t, plugin.Dir, "test", "-vet=all", "-ldflags=-s", ".")
			host := generator.ProjectRequest{Name: "h", Dir: filepath.Join(dir, "h"), Contract: filepath.Join(plugin.Dir, p.ContractDir)}
			h, err := generator.Host(t.Context(), host)
			must(t, err)
			commit(t, h, host.Dir)
			run(t, host.Dir, "vet", "./...")
		})
	}
}

func commit(t *testing.T, p *generator.Project, dir string) {
	t.Helper()
	plan, err := p.Tree.Plan(dir)
	must(t, err)
	must(t, plan.Commit(tree.CommitOptions{}))
}
