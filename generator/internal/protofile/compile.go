package protofile

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/bufbuild/protocompile"
	"github.com/bufbuild/protocompile/linker"
	"github.com/bufbuild/protocompile/reporter"
	"google.golang.org/protobuf/compiler/protogen"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/plugingen/plugingen/generator/internal/schema"
)

// compile links the files that are asked for with all that they import.
func (f *finder) compile(ctx context.Context) (linker.Files, error) {
	var mu sync.Mutex // the compiler opens several files at once
	open := func(name string) (io.ReadCloser, error) {
		mu.Lock()
		defer mu.Unlock()
		data, err := f.read(name)
		return io.NopCloser(bytes.NewReader(data)), err
	}
	compiler := protocompile.Compiler{
		Resolver:       protocompile.WithStandardImports(&protocompile.SourceResolver{Accessor: open}),
		SourceInfoMode: protocompile.SourceInfoStandard,
		Reporter:       f.faults.reporter(f.disk),
		MaxParallelism: 1, // faults come in one order, and files are few
	}
	linked, err := compiler.Compile(ctx, f.names...)
	var at reporter.ErrorWithPos
	if errors.As(err, &at) { // an import that is not there ends it
		f.faults.at(f.disk, at)
	}
	if faults := f.faults.err(); faults != nil {
		return nil, faults
	}
	if err != nil {
		return nil, fmt.Errorf("compile .proto: %w", err)
	}
	return linked, nil
}

// goFile is a .proto with its Go package.
type goFile struct {
	disk string // empty for those that come with the compiler
	path string // import path
	name string // of the package
	dir  string // where the .pb.go goes; empty for packages of other modules
	desc protoreflect.FileDescriptor
}

// reachable are the files and all that they import, by name.
func reachable(linked linker.Files) map[string]protoreflect.FileDescriptor {
	all := map[string]protoreflect.FileDescriptor{}
	var add func(protoreflect.FileDescriptor)
	add = func(fd protoreflect.FileDescriptor) {
		if all[fd.Path()] != nil {
			return
		}
		all[fd.Path()] = fd
		for i := range fd.Imports().Len() {
			add(fd.Imports().Get(i).FileDescriptor)
		}
	}
	for _, fd := range linked {
		add(fd)
	}
	return all
}

// plugin is what the Go generator knows of the files.
func plugin(linked linker.Files, files map[string]*goFile) (*protogen.Plugin, error) {
	params := []string{"paths=source_relative"}
	var generated []string
	for _, name := range slices.Sorted(maps.Keys(files)) {
		g := files[name]
		params = append(params, "M"+name+"="+g.path+";"+g.name)
		if g.dir != "" {
			generated = append(generated, name)
		}
	}
	return schema.Plugin(linked, generated, strings.Join(params, ","))
}
