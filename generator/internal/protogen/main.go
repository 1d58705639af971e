// Command protogen writes the .pb.go beside each .proto that it is given, by the code that serves contracts.
//
// It runs in the module's root; the runtime's own messages are made by it, see the directives. After -late come files that no other file
// imports: their messages are made ready when the first of them is used, and not at each start of a program that links them.
package main

//go:generate go -C ../../.. run ./generator/internal/protogen runtime/runtimepb/error.proto runtime/runtimepb/value.proto runtime/runtimepb/object.proto
//go:generate go -C ../../.. run ./generator/internal/protogen -late runtime/internal/wire/wire.proto

import (
	"context"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"

	"golang.org/x/mod/modfile"

	"github.com/plugingen/plugingen/generator/internal/schema"
)

func main() {
	if err := run(context.Background(), os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "protogen:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, files []string) error {
	gomod, err := os.ReadFile("go.mod")
	if err != nil {
		return err
	}
	finish := func(code []byte) ([]byte, error) { return code, nil }
	if len(files) > 0 && files[0] == "-late" {
		finish, files = late, files[1:]
	}
	for _, name := range files {
		if err := generate(ctx, name, modfile.ModulePath(gomod), finish); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

var packageLine = regexp.MustCompile(`(?m)^package ([\w.]+);`)

// generate registers the file under its proto package, not under its bare name: that would clash in somebody's program.
func generate(ctx context.Context, name, modulePath string, finish func([]byte) ([]byte, error)) error {
	text, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	pkg := packageLine.FindSubmatch(text)
	if pkg == nil {
		return fmt.Errorf("no package line")
	}
	registered := path.Join(strings.ReplaceAll(string(pkg[1]), ".", "/"), path.Base(name))
	in := schema.Input{
		File: registered, Sources: map[string][]byte{registered: text},
		GoPackage: map[string]string{registered: path.Join(modulePath, path.Dir(name))},
	}
	if err := addNeighbours(&in, name); err != nil {
		return err
	}
	compiled, err := schema.Compile(ctx, in)
	if err != nil {
		return err
	}
	code, err := compiled.Code()
	if err == nil {
		code, err = finish(code)
	}
	if err != nil {
		return err
	}
	return os.WriteFile(strings.TrimSuffix(name, ".proto")+".pb.go", code, 0o644)
}

// addNeighbours lets the file import the others in its folder.
func addNeighbours(in *schema.Input, name string) error {
	others, err := filepath.Glob(path.Join(path.Dir(name), "*.proto"))
	if err != nil {
		return err
	}
	for _, other := range others {
		text, err := os.ReadFile(other)
		if err != nil {
			return err
		}
		registered := path.Join(path.Dir(in.File), filepath.Base(other))
		in.Sources[registered] = text
		in.GoPackage[registered] = in.GoPackage[in.File]
	}
	return nil
}
