package generator

import (
	"io/fs"
	"path"
	"strings"

	"github.com/plugingen/plugingen"
	"github.com/plugingen/plugingen/generator/tree"
)

// addCopy lays the runtime's source, without its tests, into the project.
func (s *self) addCopy(t *tree.Tree) error {
	mod, err := s.copyMod()
	if err != nil {
		return err
	}
	if err := t.Add(tree.File{Path: copyDir + "/go.mod", Data: mod}); err != nil {
		return err
	}
	if err := addSource(t, "LICENSE"); err != nil {
		return err
	}
	return fs.WalkDir(plugingen.Source, "runtime", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && d.Name() == "testdata":
			return fs.SkipDir
		case d.IsDir() || strings.HasSuffix(name, "_test.go"):
			return nil
		}
		return addSource(t, name)
	})
}

func addSource(t *tree.Tree, name string) error {
	data, err := plugingen.Source.ReadFile(name)
	if err != nil {
		return err
	}
	return t.Add(tree.File{Path: path.Join(copyDir, name), Data: data})
}
