package inspect

import (
	"errors"
	"fmt"
	"path"
	"path/filepath"
	"strings"

	"golang.org/x/mod/modfile"
	xmodule "golang.org/x/mod/module"
)

// ErrNoModule says that no go.mod lies in the contract's folder or above it.
var ErrNoModule = errors.New("no go.mod here or in a folder above: run go mod init first")

// module is the Go module that the contract belongs to.
type module struct {
	root string // folder of go.mod
	path string
}

func findModule(f files, dir string) (module, error) {
	for root := dir; ; root = filepath.Dir(root) {
		name := filepath.Join(root, "go.mod")
		if f.has(name) {
			return readModule(f, root, name)
		}
		if root == filepath.Dir(root) {
			return module{}, fmt.Errorf("contract in %s: %w", dir, ErrNoModule)
		}
	}
}

func readModule(f files, root, name string) (module, error) {
	data, err := f.read(name)
	if err != nil {
		return module{}, fmt.Errorf("read module: %w", err)
	}
	modPath := modfile.ModulePath(data)
	if err := xmodule.CheckImportPath(modPath); err != nil {
		return module{}, fmt.Errorf("%s: module line: %w", name, err)
	}
	return module{root: root, path: modPath}, nil
}

// importPath is the import path of the folder dir.
func (m module) importPath(dir string) string {
	rel, err := filepath.Rel(m.root, dir)
	if err != nil || rel == "." {
		return m.path
	}
	return path.Join(m.path, filepath.ToSlash(rel))
}

// folder is where the package with the import path would be; not ok for packages of other modules.
func (m module) folder(importPath string) (dir string, ok bool) {
	if importPath == m.path {
		return m.root, true
	}
	rest, ok := strings.CutPrefix(importPath, m.path+"/")
	return filepath.Join(m.root, filepath.FromSlash(rest)), ok
}
