package protofile

import (
	"go/token"
	"path"
	"path/filepath"
	"strings"
	"unicode"

	"golang.org/x/mod/module"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"

	"github.com/plugingen/plugingen/generator/internal/inspect"
	"github.com/plugingen/plugingen/generator/model"
)

// goFiles finds the Go package of every file: the one of its go_package, or the one of the folder that it lies in.
func (f *finder) goFiles(all map[string]protoreflect.FileDescriptor) (map[string]*goFile, error) {
	files := map[string]*goFile{}
	for name, fd := range all {
		g := &goFile{desc: fd, disk: f.disk[name]}
		options, _ := fd.Options().(*descriptorpb.FileOptions)
		var written string
		g.path, written, _ = strings.Cut(options.GetGoPackage(), ";")
		if g.disk != "" {
			f.ownPackage(g)
		}
		if err := f.nameOf(g, written); err != nil {
			return nil, err
		}
		files[name] = g
	}
	f.oneName(files)
	return files, f.faults.err()
}

// ownPackage settles where the package of a file of the module is.
func (f *finder) ownPackage(g *goFile) {
	here := filepath.Dir(g.disk)
	if !within(f.place.Root(), here) {
		here = f.place.Dir // code is written nowhere but in the module
	}
	switch {
	case g.path == "":
		g.dir, g.path = here, f.place.ImportPath(here)
	case strings.HasPrefix(g.path, ".") || !strings.ContainsAny(g.path, "./") && g.path != f.place.Module():
		g.dir = filepath.Join(here, filepath.FromSlash(g.path)) // not a path that anybody could import: a folder
		g.path = f.place.ImportPath(g.dir)
	default:
		if dir, ok := f.place.Folder(g.path); ok {
			g.dir = dir
		}
	}
	if err := module.CheckImportPath(g.path); err != nil {
		f.faults.add(model.Diagnostic{
			Code: codeGoPackage, File: f.place.Relative(g.disk), Where: "option go_package", Why: err.Error(),
			Hint: "write an import path, or leave the option out: then it is the one of the folder",
		})
	}
}

// nameOf is what go_package says behind a semicolon, or what the folder's Go files say, or the last element of the path.
func (f *finder) nameOf(g *goFile, written string) error {
	g.name = cleanName(written)
	found := inspect.GoFiles{}
	if g.dir != "" {
		var err error
		if found, err = f.place.GoFiles(g.dir, pbName(g.disk)); err != nil {
			return err
		}
	}
	switch {
	case g.name == "" && found.Package != "":
		g.name = found.Package
	case g.name == "":
		g.name = cleanName(path.Base(g.path))
	case found.Package != "" && found.Package != g.name:
		f.faults.add(model.Diagnostic{
			Code: codeGoPackage, File: f.place.Relative(g.disk), Where: "option go_package",
			Why: "it names the package " + g.name + ", but the Go files in its folder say package " + found.Package, Hint: "let both say the same",
		})
	}
	return nil
}

// oneName gives all files of a package the name that one of them says.
func (f *finder) oneName(files map[string]*goFile) {
	names := map[string]string{}
	for _, g := range files {
		options, _ := g.desc.Options().(*descriptorpb.FileOptions)
		if _, written, _ := strings.Cut(options.GetGoPackage(), ";"); written != "" {
			names[g.path] = max(names[g.path], cleanName(written))
		}
	}
	for _, g := range files {
		if name := names[g.path]; name != "" {
			g.name = name
		}
	}
}

// pbName is the .pb.go of a file.
func pbName(file string) string {
	return strings.TrimSuffix(filepath.Base(file), ".proto") + ".pb.go"
}

// cleanName makes an identifier of a name, as protoc-gen-go does: such as my_pkg of my-pkg.
func cleanName(name string) string {
	if name == "" {
		return ""
	}
	clean := strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return r
		}
		return '_'
	}, name)
	if token.IsKeyword(clean) || unicode.IsDigit([]rune(clean)[0]) {
		return "_" + clean
	}
	return clean
}
