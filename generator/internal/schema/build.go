package schema

import (
	"context"
	"fmt"
	"io/fs"
	"path"

	"golang.org/x/mod/modfile"

	"github.com/plugingen/plugingen/generator/model"
)

// protoFolder is where the runtime's module keeps the .proto files that contracts import.
const protoFolder = "runtime/runtimepb"

// Build prints the .proto of a contract that Lay has laid out, compiles it, and tells the model the Go names of its messages.
// Runtime is the source of the runtime's module: its errors' .proto and its module path come from there.
func Build(ctx context.Context, c *model.Contract, runtime fs.FS) (protoText []byte, compiled *Compiled, err error) {
	protoText = Print(c)
	modulePath, err := RuntimeModule(runtime)
	if err != nil {
		return nil, nil, err
	}
	in := Input{File: c.Wire.File, Sources: map[string][]byte{c.Wire.File: protoText}, GoPackage: map[string]string{}}
	for _, name := range imports(c) {
		if name != ErrorImport && name != ValueImport && name != objectImport {
			continue
		}
		if in.Sources[name], err = fs.ReadFile(runtime, path.Join(protoFolder, path.Base(name))); err != nil {
			return nil, nil, fmt.Errorf("runtime source: %w", err)
		}
		in.GoPackage[name] = path.Join(modulePath, protoFolder)
	}
	compiled, err = Compile(ctx, in)
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
