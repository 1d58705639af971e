package schema

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/bufbuild/protocompile"
	"github.com/bufbuild/protocompile/linker"
	"github.com/bufbuild/protocompile/protoutil"
	"google.golang.org/protobuf/compiler/protogen"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/pluginpb"

	"github.com/plugingen/plugingen/generator/model"
)

// Input is a .proto to compile, and where its imports are.
type Input struct {
	File      string            // name under which it registers
	Sources   map[string][]byte // all files that the standard imports do not hold, by that name
	GoPackage map[string]string // Go import paths that win over what a file says, by its name
}

// Compiled is a .proto that is right; Code makes its .pb.go.
type Compiled struct {
	file   string
	plugin *protogen.Plugin
}

// Compile checks in.File and all that it imports.
func Compile(ctx context.Context, in Input) (*Compiled, error) {
	compiler := protocompile.Compiler{
		Resolver:       protocompile.WithStandardImports(&protocompile.SourceResolver{Accessor: in.open}),
		SourceInfoMode: protocompile.SourceInfoStandard,
	}
	linked, err := compiler.Compile(ctx, in.File)
	if err != nil {
		return nil, fmt.Errorf("compile .proto: %w", err)
	}
	return in.prepare(linked)
}

func (in Input) open(name string) (io.ReadCloser, error) {
	data, ok := in.Sources[name]
	if !ok {
		return nil, fmt.Errorf("%s: no such file", name)
	}
	return io.NopCloser(strings.NewReader(string(data))), nil
}

func (in Input) prepare(linked linker.Files) (*Compiled, error) {
	params := []string{"paths=source_relative"}
	for file, goPackage := range in.GoPackage {
		params = append(params, "M"+file+"="+goPackage)
	}
	plugin, err := Plugin(linked, []string{in.File}, strings.Join(params, ","))
	if err != nil {
		return nil, err
	}
	return &Compiled{file: in.File, plugin: plugin}, nil
}

// Plugin is what the Go generator knows of linked files; those in generate are the ones to make code for.
func Plugin(linked linker.Files, generate []string, params string) (*protogen.Plugin, error) {
	req := &pluginpb.CodeGeneratorRequest{FileToGenerate: generate, Parameter: proto.String(params)}
	seen := map[string]bool{}
	for _, fd := range linked {
		addWithImports(req, fd, seen)
	}
	plugin, err := protogen.Options{}.New(req)
	if err != nil {
		return nil, fmt.Errorf("generate .pb.go: %w", err)
	}
	return plugin, nil
}

// addWithImports appends dependencies first, as protogen wants them.
func addWithImports(req *pluginpb.CodeGeneratorRequest, fd protoreflect.FileDescriptor, seen map[string]bool) {
	if seen[fd.Path()] {
		return
	}
	seen[fd.Path()] = true
	for i := range fd.Imports().Len() {
		addWithImports(req, fd.Imports().Get(i).FileDescriptor, seen)
	}
	req.ProtoFile = append(req.ProtoFile, protoutil.ProtoFromFileDescriptor(fd))
}

// adoptGoNames tells the model what the Go generator calls things: it has rules of its own for clashes.
func (c *Compiled) adoptGoNames(w *model.Wire) {
	byName := map[string]*protogen.Message{}
	for _, m := range c.plugin.FilesByPath[c.file].Messages {
		byName[string(m.Desc.Name())] = m
	}
	for _, e := range c.plugin.FilesByPath[c.file].Enums {
		for _, ours := range w.Enums {
			if ours.Name == string(e.Desc.Name()) {
				ours.GoName = e.GoIdent.GoName
			}
		}
	}
	for _, m := range w.Messages {
		g := byName[m.Name]
		m.GoName = g.GoIdent.GoName
		fields := map[string]*protogen.Field{}
		for _, f := range g.Fields {
			fields[string(f.Desc.Name())] = f
		}
		for _, f := range m.Fields {
			f.GoName, f.Variant = fields[f.Name].GoName, fields[f.Name].GoIdent.GoName
		}
		if len(g.Oneofs) > 0 {
			m.Variable = g.Oneofs[0].GoName
		}
	}
}
