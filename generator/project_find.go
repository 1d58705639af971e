package generator

import (
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// GluedName is the name of the generated file that declares a contract's services.
const GluedName = "zz_plugingen.go"

// maxSearchDepth is how far below a module's root contracts are looked for.
const maxSearchDepth = 4

// FindContracts returns the folders of the contract packages of the module that dir is in or, where dir is in none, of
// the modules whose roots lie in dir. Folders below except are left out. The result is sorted; none is not an error.
func FindContracts(dir, except string) ([]string, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	if except, err = filepath.Abs(except); err != nil {
		return nil, err
	}
	root, _, err := moduleOf(dir)
	if err == nil {
		return contractsBelow(root, except)
	}
	if !errors.Is(err, ErrInput) {
		return nil, err
	}
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var found []string
	for _, e := range entries {
		child := filepath.Join(dir, e.Name())
		if !e.IsDir() || !isModuleRoot(child) {
			continue
		}
		more, err := contractsBelow(child, except)
		if err != nil {
			return nil, err
		}
		found = append(found, more...)
	}
	return found, nil
}

func isModuleRoot(dir string) bool {
	info, err := os.Stat(filepath.Join(dir, "go.mod"))
	return err == nil && info.Mode().IsRegular()
}

// contractsBelow walks a module without its nested modules and without folders that the go command ignores.
func contractsBelow(root, except string) ([]string, error) {
	var found []string
	err := filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		switch {
		case errors.Is(err, fs.ErrPermission):
			return nil
		case err != nil:
			return err
		case d.IsDir() && name != root && (skipped(d.Name()) || name == except || isModuleRoot(name) || depth(root, name) > maxSearchDepth):
			return fs.SkipDir
		case d.IsDir() && name == root && root == except:
			return fs.SkipAll
		case d.Name() == GluedName && d.Type().IsRegular():
			types, err := ServicesIn(filepath.Dir(name))
			if len(types) > 0 {
				found = append(found, filepath.Dir(name))
			}
			return err
		}
		return nil
	})
	return found, err
}

func skipped(name string) bool {
	return name == "vendor" || name == "testdata" || name == "node_modules" || strings.HasPrefix(name, ".") || strings.HasPrefix(name, "_")
}

func depth(root, name string) int {
	return strings.Count(strings.TrimPrefix(name, root), string(filepath.Separator))
}

// ServicesIn reads off the generated file of the package in dir which interfaces have services, in the order in which they
// were named when it was generated:
//
//	var GreeterService = runtime.Service[Greeter]{
func ServicesIn(dir string) ([]string, error) {
	name := filepath.Join(dir, GluedName)
	file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, &InputError{What: "contract", Value: dir, Reason: "its generated file does not parse: " + err.Error(), Hint: "run go generate there"}
	}
	var types []string
	for _, d := range file.Decls {
		if g, ok := d.(*ast.GenDecl); ok && g.Tok == token.VAR {
			types = append(types, serviceTypes(g)...)
		}
	}
	return types, nil
}

func serviceTypes(g *ast.GenDecl) []string {
	var types []string
	for _, spec := range g.Specs {
		values := spec.(*ast.ValueSpec)
		for _, value := range values.Values {
			lit, ok := value.(*ast.CompositeLit)
			if !ok {
				continue
			}
			index, ok := lit.Type.(*ast.IndexExpr)
			if !ok {
				continue
			}
			generic, ok := index.X.(*ast.SelectorExpr)
			if typ, isName := index.Index.(*ast.Ident); ok && isName && generic.Sel.Name == "Service" {
				types = append(types, typ.Name)
			}
		}
	}
	return types
}
