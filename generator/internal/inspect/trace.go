package inspect

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"golang.org/x/mod/modfile"

	"github.com/plugingen/plugingen/generator/internal/seen"
)

// record adds to the trace what decided about the answer of the go command, in the module at root: the module's files, the
// tool chain, and the source of packages that have no version. Packages of a module's version never change.
// Its environment is not here: every trace has that.
func (f *foreign) record(t *seen.Trace, root string) {
	if t == nil {
		return
	}
	for _, name := range []string{"go.sum", "vendor/modules.txt"} {
		t.File(filepath.Join(root, filepath.FromSlash(name)))
	}
	recordWorkspace(t, root)
	recordReplaced(t, root)
	f.recordToolchain(t)
	for _, p := range f.listed {
		if p.Error != nil || p.Dir == "" && p.ImportPath != "unsafe" {
			t.Break() // what is missing now may be there next time
		}
		if !p.Standard && p.isMutable(root) {
			t.Folder(p.Dir)
		}
	}
}

// isMutable says whether the package has no version, or lies in the module itself, as vendored ones do.
func (p *listedPackage) isMutable(root string) bool {
	m := p.Module
	return m == nil || m.Version == "" || m.Replace != nil && m.Replace.Version == "" || within(root, p.Dir)
}

// recordWorkspace: a go.work lies in a folder above, or is named, or appears one day. What one says is not followed.
func recordWorkspace(t *seen.Trace, root string) {
	if name := os.Getenv("GOWORK"); name != "" && name != "off" {
		t.Break()
	}
	for dir := root; ; dir = filepath.Dir(dir) {
		name := filepath.Join(dir, "go.work")
		t.File(name)
		if _, err := os.Lstat(name); err == nil {
			t.Break()
		}
		if dir == filepath.Dir(dir) {
			return
		}
	}
}

// recordReplaced: the go.mod of a folder that replaces a module has a say about all versions.
func recordReplaced(t *seen.Trace, root string) {
	name := filepath.Join(root, "go.mod")
	t.File(name)
	data, err := os.ReadFile(name)
	if err != nil {
		t.Break()
		return
	}
	mod, err := modfile.Parse(name, data, nil)
	if err != nil {
		t.Break()
		return
	}
	for _, r := range mod.Replace {
		if r.New.Version != "" {
			continue
		}
		dir := filepath.FromSlash(r.New.Path)
		if !filepath.IsAbs(dir) {
			dir = filepath.Join(root, dir)
		}
		t.File(filepath.Join(dir, "go.mod"))
	}
}

// recordToolchain: which go command runs, its settings file, and the version of the standard library.
func (f *foreign) recordToolchain(t *seen.Trace) {
	program, err := exec.LookPath("go")
	if err != nil {
		t.Break()
		return
	}
	t.Program("go", program)
	if config, err := os.UserConfigDir(); err == nil {
		t.File(filepath.Join(config, "go", "env"))
	}
	if name := os.Getenv("GOENV"); name != "" && name != "off" {
		t.File(name)
	}
	std := f.listed["context"]
	if std == nil {
		t.Break()
		return
	}
	goroot, ok := strings.CutSuffix(filepath.ToSlash(std.Dir), "/src/context")
	if !ok {
		t.Break()
		return
	}
	for _, name := range []string{"VERSION", "go.env"} {
		t.File(filepath.Join(filepath.FromSlash(goroot), name))
	}
}
