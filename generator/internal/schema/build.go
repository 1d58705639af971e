package schema

import (
	"context"
	"fmt"
	"io/fs"
	"path"

	"golang.org/x/mod/modfile"

	"github.com/plugingen/plugingen/generator/model"
)

// errorProto is where the runtime's module keeps the .proto that contracts import.
const (
	errorProto  = "runtime/runtimepb/error.proto"
	objectProto = "runtime/runtimepb/object.proto"
)

// Build prints the .proto of a contract that Lay has laid out, compiles it, and tells the model the Go names of its messages.
// Runtime is the source of the runtime's module: its errors' .proto and its module path come from there.
func Build(ctx context.Context, c *model.Contract, runtime fs.FS) (protoText []byte, compiled *Compiled, err error) {
	protoText = Print(c)
	errors, err := fs.ReadFile(runtime, errorProto)
	if err != nil {
		return nil, nil, fmt.Errorf("runtime source: %w", err)
	}
	objects, err := fs.ReadFile(runtime, objectProto)
	if err != nil {
		return nil, nil, fmt.Errorf("runtime source: %w", err)
	}
	modulePath, err := RuntimeModule(runtime)
	if err != nil {
		return nil, nil, err
	}
	runtimepb := path.Join(modulePath, path.Dir(errorProto))
	compiled, err = Compile(ctx, Input{
		File:      c.Wire.File,
		Sources:   map[string][]byte{c.Wire.File: protoText, ErrorImport: errors, objectImport: objects},
		GoPackage: map[string]string{ErrorImport: runtimepb, objectImport: runtimepb},
	})
	if err != nil {
		return nil, nil, err
	}
	compiled.adoptGoNames(c.Wire)
	return protoText, compiled, nil
}

// RuntimeModule is the path of the module whose source runtime is.
func RuntimeModule(runtime fs.FS) (string, error) {
	data, err := fs.ReadFile(runtime, "go.mod")
	if err != nil {
		return "", fmt.Errorf("runtime source: %w", err)
	}
	return modfile.ModulePath(data), nil
}
