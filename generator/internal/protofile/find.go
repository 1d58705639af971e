package protofile

import (
	"bytes"
	"path"
	"path/filepath"
	"strings"

	"github.com/bufbuild/protocompile/ast"
	"github.com/bufbuild/protocompile/parser"
	"github.com/bufbuild/protocompile/reporter"

	"github.com/plugingen/plugingen/generator/internal/inspect"
)

// finder knows where .proto files are. Imports are looked for in the folder of the files that are asked for and in those
// above it, the nearest first, up to the root of the module.
type finder struct {
	place   *inspect.Place
	folders []string          // where imports are looked for
	names   []string          // of the files that are asked for, as imports would have them
	disk    map[string]string // where a file is, by that name
	faults  *faults
}

// newFinder reads the files that are asked for.
func newFinder(place *inspect.Place, files []string) (*finder, error) {
	f := &finder{place: place, disk: map[string]string{}, faults: &faults{place: place}}
	f.folders = above(commonFolder(files), place.Root())
	root := len(f.folders) - 1
	var imports []string
	for _, file := range files {
		data, err := place.Read(file)
		if err != nil {
			return nil, f.faults.unreadable(file, err)
		}
		imports = append(imports, f.importsOf(file, data)...)
	}
	if err := f.faults.err(); err != nil {
		return nil, err
	}
	for i := range f.folders {
		if f.hasAll(f.folders[i], imports) {
			root = i
			break
		}
	}
	if !f.hasAll(f.folders[root], imports) {
		root = 0 // the compiler tells which ones are missing
	}
	for _, file := range files {
		rel, err := filepath.Rel(f.folders[root], file)
		if err != nil {
			return nil, err
		}
		name := filepath.ToSlash(rel)
		f.names, f.disk[name] = append(f.names, name), file
	}
	return f, nil
}

// above are the folder and those above it up to root; the folder alone when it is not below root.
func above(dir, root string) []string {
	list := []string{dir}
	if !within(root, dir) {
		return list
	}
	for dir != root {
		dir = filepath.Dir(dir)
		list = append(list, dir)
	}
	return list
}

// commonFolder is the nearest folder that all files are in or below.
func commonFolder(files []string) string {
	dir := filepath.Dir(files[0])
	for _, file := range files[1:] {
		for !within(dir, file) && dir != filepath.Dir(dir) {
			dir = filepath.Dir(dir)
		}
	}
	return dir
}

// within says whether name is root or lies beneath it.
func within(root, name string) bool {
	rel, err := filepath.Rel(root, name)
	return err == nil && filepath.IsLocal(rel)
}

// importsOf are the imports of a file that do not come with the compiler.
func (f *finder) importsOf(file string, data []byte) []string {
	root, err := parser.Parse(file, bytes.NewReader(data), reporter.NewHandler(f.faults.reporter(map[string]string{file: file})))
	if err != nil && root == nil {
		return nil
	}
	var list []string
	for _, decl := range root.Decls {
		if i, ok := decl.(*ast.ImportNode); ok && !isStandard(i.Name.AsString()) {
			list = append(list, i.Name.AsString())
		}
	}
	return list
}

func isStandard(name string) bool { return strings.HasPrefix(name, "google/protobuf/") }

func (f *finder) hasAll(dir string, imports []string) bool {
	for _, name := range imports {
		if !isPlainName(name) || !f.place.Has(filepath.Join(dir, filepath.FromSlash(name))) {
			return false
		}
	}
	return true
}

// isPlainName keeps imports from leading out of the folders.
func isPlainName(name string) bool {
	return name != "" && !path.IsAbs(name) && path.Clean(name) == name && name != ".." && !strings.HasPrefix(name, "../") && !strings.ContainsAny(name, `\:`)
}

// read finds an import, or one of the files that are asked for.
func (f *finder) read(name string) ([]byte, error) {
	file, known := f.disk[name]
	if !known && isPlainName(name) {
		for _, dir := range f.folders {
			if try := filepath.Join(dir, filepath.FromSlash(name)); f.place.Has(try) {
				file, f.disk[name] = try, try
				break
			}
		}
	}
	if file == "" {
		return nil, &missing{name: name}
	}
	return f.place.Read(file)
}

// missing says that an import is nowhere.
type missing struct{ name string }

func (m *missing) Error() string { return "no such file" }
