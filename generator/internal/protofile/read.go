package protofile

import (
	"context"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"google.golang.org/protobuf/cmd/protoc-gen-go/internal_gengo"
	"google.golang.org/protobuf/compiler/protogen"

	"github.com/plugingen/plugingen/generator/internal/inspect"
	"github.com/plugingen/plugingen/generator/model"
)

// Contract is what .proto files say.
type Contract struct {
	Model    *model.Contract
	Warnings model.Diagnostics

	plugin *protogen.Plugin
	files  map[string]*goFile
}

// File is a file that was made; Name is absolute.
type File struct {
	Name string
	Data []byte
}

// Read makes a contract of the services of the files (absolute names), in the package at place. Faults of the files come all
// at once, as model.Diagnostics.
func Read(ctx context.Context, place *inspect.Place, files []string) (*Contract, error) {
	f, err := newFinder(place, files)
	if err != nil {
		return nil, err
	}
	linked, err := f.compile(ctx)
	if err != nil {
		return nil, err
	}
	c := &Contract{Model: &model.Contract{Module: place.Module()}}
	if c.files, err = f.goFiles(reachable(linked)); err != nil {
		return nil, err
	}
	if c.plugin, err = plugin(linked, c.files); err != nil {
		return nil, err
	}
	if err := c.pack(place); err != nil {
		return nil, err
	}
	m := &mapper{Contract: c, faults: f.faults, shown: map[string]string{}}
	for _, name := range f.names {
		m.shown[name] = place.Relative(f.disk[name])
		c.Model.Protos = append(c.Model.Protos, relativeTo(place.Dir, f.disk[name]))
	}
	m.services(f.names)
	c.Warnings = sorted(f.faults.notes)
	return c, f.faults.err()
}

func relativeTo(dir, file string) string {
	rel, err := filepath.Rel(dir, file)
	if err != nil {
		return filepath.ToSlash(file)
	}
	return filepath.ToSlash(rel)
}

// pack settles the contract's package, and what it declares already: by hand, and in the .pb.go that lie in it.
func (c *Contract) pack(place *inspect.Place) error {
	p := model.Package{Path: place.ImportPath(place.Dir)}
	var made []string
	declared := map[string]bool{}
	for _, name := range slices.Sorted(maps.Keys(c.files)) {
		g := c.files[name]
		if g.path != p.Path || g.dir == "" {
			continue
		}
		p.Name = g.name
		made = append(made, pbName(g.disk))
		declareFile(c.plugin.FilesByPath[name], declared)
	}
	byHand, err := place.GoFiles(place.Dir, made...)
	if err != nil {
		return err
	}
	if p.Name == "" {
		p.Name = byHand.Package
	}
	if p.Name == "" {
		p.Name = cleanName(filepath.Base(place.Dir))
	}
	for _, name := range byHand.Declared {
		declared[name] = true
	}
	c.Model.Package, c.Model.Declared, c.Model.Imported = p, slices.Sorted(maps.Keys(declared)), byHand.Imported
	return nil
}

// declareFile adds the exported names that a .pb.go declares.
func declareFile(file *protogen.File, names map[string]bool) {
	names[file.GoDescriptorIdent.GoName] = true
	declareEnums(file.Enums, names)
	declareMessages(file.Messages, names)
	for _, e := range file.Extensions {
		names["E_"+e.GoName] = true
	}
}

func declareEnums(enums []*protogen.Enum, names map[string]bool) {
	for _, e := range enums {
		for _, suffix := range []string{"", "_name", "_value"} {
			names[e.GoIdent.GoName+suffix] = true
		}
		for _, v := range e.Values {
			names[v.GoIdent.GoName] = true
		}
	}
}

func declareMessages(messages []*protogen.Message, names map[string]bool) {
	for _, m := range messages {
		names[m.GoIdent.GoName], names[m.GoIdent.GoName+"_builder"] = true, true
		declareEnums(m.Enums, names)
		declareMessages(m.Messages, names)
		for _, f := range m.Fields {
			if f.Oneof != nil {
				names[f.GoIdent.GoName] = true
			}
			if f.Desc.HasDefault() {
				names["Default_"+f.GoIdent.GoName] = true
			}
		}
		for _, e := range m.Extensions {
			names["E_"+e.GoIdent.GoName] = true
		}
	}
}

// Code is the .pb.go of all files whose packages are in the module, sorted by name. It is called once, and may run while
// the model is read.
func (c *Contract) Code() ([]File, error) {
	var own []string
	for _, name := range slices.Sorted(maps.Keys(c.files)) {
		if c.files[name].dir != "" {
			own = append(own, name)
		}
	}
	for _, name := range own {
		internal_gengo.GenerateFile(c.plugin, c.plugin.FilesByPath[name])
	}
	made := c.plugin.Response()
	if made.GetError() != "" {
		return nil, fmt.Errorf("generate .pb.go: %s", made.GetError())
	}
	var files []File
	for _, m := range made.GetFile() {
		g := c.sourceOf(m.GetName(), own)
		if g == nil {
			return nil, fmt.Errorf("generate .pb.go: nobody knows what %s is made of", m.GetName())
		}
		files = append(files, File{Name: filepath.Join(g.dir, filepath.Base(m.GetName())), Data: []byte(m.GetContent())})
	}
	slices.SortFunc(files, func(a, b File) int { return strings.Compare(a.Name, b.Name) })
	return files, nil
}

// sourceOf finds the .proto that the Go generator made a file of: there may be two of one.
func (c *Contract) sourceOf(made string, names []string) *goFile {
	for _, name := range names {
		stem := strings.TrimSuffix(name, ".proto")
		if made == stem+".pb.go" || made == stem+"_protoopaque.pb.go" {
			return c.files[name]
		}
	}
	return nil
}
