package generator

import (
	"context"
	"fmt"
	"go/token"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"

	"golang.org/x/mod/module"

	"github.com/plugingen/plugingen/generator/tree"
)

// moduleVersion is what may follow an @: a version, a branch, a commit, latest. Never an option of the go command.
var moduleVersion = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9.+_/-]*$`)

// reference names a package of another module, and maybe a type in it and a version.
type reference struct{ path, typ, version string }

// parsePackage reads PKG or PKG@VERSION.
func parsePackage(what, text string) (reference, error) {
	refuse := func(reason string) (reference, error) {
		return reference{}, &InputError{What: what, Value: text, Reason: reason}
	}
	var r reference
	var versioned bool
	r.path, r.version, versioned = strings.Cut(text, "@")
	if versioned && !moduleVersion.MatchString(r.version) {
		return refuse("what follows the @ is not a version")
	}
	if err := module.CheckImportPath(r.path); err != nil {
		return refuse("it is not an import path: " + reasonOf(err))
	}
	return r, nil
}

// parseInterface reads PKG.Type or PKG.Type@VERSION.
func parseInterface(text string) (reference, error) {
	name, version, versioned := strings.Cut(text, "@")
	dot := strings.LastIndex(name, ".")
	if dot <= strings.LastIndex(name, "/")+1 || !token.IsIdentifier(name[dot+1:]) || !token.IsExported(name[dot+1:]) {
		return reference{}, &InputError{
			What: "interface", Value: text, Reason: "it is not PKG.Type",
			Hint: "name an exported interface with its import path, such as github.com/99designs/keyring.Keyring",
		}
	}
	pkg := name[:dot]
	if versioned {
		pkg += "@" + version
	}
	r, err := parsePackage("interface", pkg)
	r.typ = name[dot+1:]
	return r, err
}

// isStandard goes by the rule that the go command has.
func (r reference) isStandard() bool {
	first, _, _ := strings.Cut(r.path, "/")
	return !strings.Contains(first, ".")
}

// query is what go get is asked for.
func (r reference) query() string { return r.path + "@" + or(r.version, "latest") }

// foreignInterface makes a contract package that gives an interface of another module a name in this one.
func (b *builder) foreignInterface(ctx context.Context) (*contract, error) {
	ref, err := parseInterface(b.req.Interface)
	if err != nil {
		return nil, err
	}
	if err := b.openScratch(); err != nil {
		return nil, err
	}
	if !ref.isStandard() {
		if err := b.scratch.get(ctx, ref); err != nil {
			return nil, err
		}
	}
	name, err := b.scratch.goTool(ctx, "list", "-f", "{{.Name}}", ref.path)
	if err != nil {
		return nil, err
	}
	own := ownContract{
		set: "contract/interface", types: []string{ref.typ}, at: b.scratch.dir, foreign: &ref, foreignName: strings.TrimSpace(string(name)),
	}
	own.name = packageNameFor(ref.typ, own.foreignName)
	if err := b.keepSchema(own.name); err != nil {
		return nil, err
	}
	return b.ownContract(ctx, own)
}

// get adds the package's module to the requirements.
func (s *scratch) get(ctx context.Context, ref reference) error {
	fmt.Fprintln(s.progress, "go get "+ref.query())
	_, err := s.goTool(ctx, "get", ref.query())
	return err
}

// openScratch makes the temporary folder with the module files of the project, as far as they are known.
func (b *builder) openScratch() error {
	b.req.Runtime = b.req.Runtime.withDefault()
	m, err := b.self.buildModules(moduleWish{path: b.req.Module, runtime: b.req.Runtime})
	if err != nil {
		return err
	}
	if b.scratch, err = newScratch(b); err != nil {
		return err
	}
	if err := b.scratch.writeMod(m.mod); err != nil {
		return err
	}
	if err := b.scratch.write("go.sum", m.sum); err != nil || !b.req.Runtime.Copy {
		return err
	}
	t := new(tree.Tree)
	if err := b.self.addCopy(t); err != nil {
		return err
	}
	for _, f := range t.Files() {
		if err := b.scratch.write(f.Path, f.Data); err != nil {
			return err
		}
	}
	return nil
}

// keepSchema copies the .proto of an earlier run to where the contract is generated: its field numbers stay.
func (b *builder) keepSchema(contractDir string) error {
	if b.req.Fresh {
		return nil
	}
	protos, err := filepath.Glob(filepath.Join(b.req.Dir, contractDir, "*", "*.proto"))
	if err != nil {
		return err
	}
	for _, p := range protos {
		data, err := os.ReadFile(p)
		if err != nil {
			return err
		}
		name := path.Join(contractDir, filepath.Base(filepath.Dir(p)), filepath.Base(p))
		if err := b.scratch.write(name, data); err != nil {
			return err
		}
	}
	return nil
}
