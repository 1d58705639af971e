package generator

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"strconv"
	"strings"

	"github.com/plugingen/plugingen"
)

// RuntimeVersions returns the version of the runtime that comes with this generator, and of the wire protocol's core.
// They are read off the runtime's source: the generator does not link the runtime.
func RuntimeVersions() (runtimeVersion, wireVersion string, err error) {
	if runtimeVersion, err = constantIn("runtime", "Version"); err != nil {
		return "", "", err
	}
	wireVersion, err = constantIn("runtime/handshake", "CoreVersion")
	return runtimeVersion, wireVersion, err
}

// constantIn finds a constant that a literal declares.
func constantIn(dir, name string) (string, error) {
	files, err := fs.Glob(plugingen.Source, path.Join(dir, "*.go"))
	if err != nil {
		return "", err
	}
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		data, err := plugingen.Source.ReadFile(file)
		if err != nil {
			return "", err
		}
		if !bytes.Contains(data, []byte("const "+name+" ")) && !bytes.Contains(data, []byte("\t"+name+" ")) {
			continue // parsing is what takes time
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), file, data, parser.SkipObjectResolution)
		if err != nil {
			return "", err
		}
		if value, found := constant(parsed, name); found {
			return value, nil
		}
	}
	return "", fmt.Errorf("%s declares no constant %s", dir, name)
}

func constant(file *ast.File, name string) (value string, found bool) {
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok {
			return !found
		}
		for i, ident := range spec.Names {
			if ident.Name != name || i >= len(spec.Values) {
				continue
			}
			if lit, ok := spec.Values[i].(*ast.BasicLit); ok {
				value, found = lit.Value, true
			}
		}
		return false
	})
	if text, err := strconv.Unquote(value); err == nil {
		return text, found
	}
	return value, found
}
