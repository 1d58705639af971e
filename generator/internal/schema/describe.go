package schema

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"strings"

	"github.com/bufbuild/protocompile"
	"github.com/bufbuild/protocompile/reporter"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/plugingen/plugingen/generator/model"
)

// runtimeProtos begins the names under which contracts import the runtime's .proto files.
const runtimeProtos = "plugingen/runtime/v1/"

// Describe compiles the .proto with that name and returns what it declares, with positions. Its standard imports and those of
// the runtime, whose source runtime is, are known; open returns all others. A fault of the file is model.Diagnostics.
func Describe(ctx context.Context, name string, data []byte, runtime fs.FS, open func(name string) ([]byte, error)) (protoreflect.FileDescriptor, error) {
	accessor := func(wanted string) (io.ReadCloser, error) {
		found := data
		var err error
		if base, ok := strings.CutPrefix(wanted, runtimeProtos); ok {
			found, err = fs.ReadFile(runtime, path.Join(protoFolder, base))
		} else if wanted != name {
			found, err = open(wanted)
		}
		return io.NopCloser(bytes.NewReader(found)), err
	}
	compiler := protocompile.Compiler{
		Resolver:       protocompile.WithStandardImports(&protocompile.SourceResolver{Accessor: accessor}),
		SourceInfoMode: protocompile.SourceInfoStandard,
	}
	linked, err := compiler.Compile(ctx, name)
	var at reporter.ErrorWithPos
	if errors.As(err, &at) {
		return nil, model.Diagnostics{protoFault(name, err)}
	}
	if err != nil {
		return nil, fmt.Errorf("compile .proto: %w", err)
	}
	return linked[0], nil
}
