package stubs

import (
	"errors"
	"fmt"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
)

// Imported are the paths that a file imports under a name; none when it cannot be read.
func Imported(source []byte) []string {
	f, err := parser.ParseFile(token.NewFileSet(), "", source, parser.ImportsOnly)
	if err != nil {
		return nil
	}
	var paths []string
	for p := range (&File{Syntax: f}).Imports() {
		paths = append(paths, p)
	}
	return paths
}

// ParseFile reads a file of the module, or data where that is not nil; a file that is not there is nil.
func ParseFile(root, name string, data []byte) (*File, error) {
	if data == nil {
		var err error
		data, err = os.ReadFile(filepath.Join(root, filepath.FromSlash(name)))
		if errors.Is(err, fs.ErrNotExist) {
			return nil, nil
		}
		if err != nil {
			return nil, err
		}
	}
	syntax, err := parser.ParseFile(token.NewFileSet(), name, data, parser.SkipObjectResolution)
	if err != nil {
		return nil, fmt.Errorf("add tests: %w", err)
	}
	return &File{Name: name, Source: data, Syntax: syntax}, nil
}

// Tests are the names that the package's test files declare.
func (p *Package) Tests(root string) ([]string, error) {
	files, err := filepath.Glob(filepath.Join(root, filepath.FromSlash(p.Dir), "*_test.go"))
	if err != nil {
		return nil, err
	}
	tests := &Package{}
	for _, name := range files {
		f, err := ParseFile(root, path.Join(p.Dir, filepath.Base(name)), nil)
		if err != nil {
			return nil, err
		}
		if f != nil {
			tests.Files = append(tests.Files, f)
		}
	}
	return tests.Declared(), nil
}
