package generator

import (
	"context"
	"errors"
	"fmt"
	"go/token"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"

	"golang.org/x/mod/module"
	"golang.org/x/mod/semver"

	"github.com/plugingen/plugingen/generator/model"
	"github.com/plugingen/plugingen/generator/tree"
)

// moduleVersion is what may follow an @: a version, a branch, a commit, latest. Never an option of the go command.
var moduleVersion = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9.+_/-]*$`)

// reference names a package of another module, and maybe a type in it, a version, and directives for the type.
type reference struct {
	path, typ, version string
	directives         []string // with their marks
}

// directiveMark begins every directive.
const directiveMark = "//plugingen:"

// String is the interface in the one way that locks have: PKG.Type@VERSION //plugingen:...
func (r reference) String() string {
	text := r.path + "." + r.typ
	if r.version != "" {
		text += "@" + r.version
	}
	return strings.Join(append([]string{text}, r.directives...), " ")
}

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

// parseInterface reads PKG.Type, PKG.Type@VERSION and PKG@VERSION.Type, and the directives behind it.
func parseInterface(text string) (reference, error) {
	name, rest, _ := strings.Cut(text, " ")
	base, version, versioned := strings.Cut(name, "@")
	pkg, typ := cutType(base)
	if typ == "" && versioned {
		pkg = base
		version, typ = cutType(version)
	}
	if typ == "" {
		return reference{}, notInterface(text)
	}
	if strings.HasPrefix(pkg, ".") || filepath.IsAbs(pkg) {
		return reference{}, &InputError{
			What: "interface", Value: text, Reason: "it is in a folder, and not in another module",
			Hint: "declare a Handshake beside it, run plugingen generate --type " + typ + " " + pkg + ", and name the folder with --contract",
		}
	}
	if versioned {
		pkg += "@" + version
	}
	r, err := parsePackage("interface", pkg)
	if err != nil {
		return r, err
	}
	r.typ = typ
	r.directives, err = parseDirectives(text, rest)
	return r, err
}

func notInterface(text string) error {
	return &InputError{
		What: "interface", Value: text, Reason: "it is not PKG.Type",
		Hint: "name an exported interface with its import path, such as github.com/99designs/keyring.Keyring, and a version behind it: " +
			"github.com/99designs/keyring.Keyring@v1.2.2",
	}
}

// cutType cuts an exported name off behind the last dot; it is empty when there is none.
func cutType(text string) (before, typ string) {
	dot := strings.LastIndex(text, ".")
	if dot <= strings.LastIndex(text, "/")+1 || !token.IsIdentifier(text[dot+1:]) || !token.IsExported(text[dot+1:]) {
		return text, ""
	}
	return text[:dot], text[dot+1:]
}

// directiveText is a directive with its arguments, as they may be in an option: no other comment, and nothing invisible.
var directiveText = regexp.MustCompile(`^//plugingen:[a-z]+ [-A-Za-z0-9_.,*/=\[\] ]+$`)

// parseDirectives reads what follows an interface: one directive after the other, each with its mark.
func parseDirectives(text, rest string) ([]string, error) {
	if rest == "" {
		return nil, nil
	}
	var directives []string
	before, rest, _ := strings.Cut(rest, directiveMark)
	for part := range strings.SplitSeq(rest, directiveMark) {
		d := directiveMark + strings.TrimSpace(part)
		if strings.TrimSpace(before) != "" || !directiveText.MatchString(d) || strings.Contains(part, "//") {
			return nil, &InputError{
				What: "interface", Value: text, Reason: "what follows it is no directive",
				Hint: "write --interface 'PKG.Type //plugingen:partial PKG.Struct'",
			}
		}
		directives = append(directives, d)
	}
	return directives, nil
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
	c, err := b.ownContract(ctx, own)
	var faults model.Diagnostics
	if errors.As(err, &faults) && len(ref.directives) == 0 {
		ref.directives = []string{directiveMark + "partial TYPES"}
		err = fmt.Errorf("%w\nwhere a directive can help, give it with the interface: --interface '%s'", err, ref)
	}
	return c, err
}

// get adds the package's module to the requirements. The go command would give up the runtime for a version that is older than
// the runtime's own modules need.
func (s *scratch) get(ctx context.Context, ref reference) error {
	if semver.IsValid(ref.version) {
		if known := s.selected(ctx, ref.path); semver.Compare(ref.version, known.Version) < 0 {
			return &InputError{
				What: "version", Value: ref.query(), Reason: "the project needs " + known.Path + " at " + known.Version + " or later for itself",
				Hint: "leave the version out, or name one that is not older",
			}
		}
	}
	fmt.Fprintln(s.progress, "go get "+ref.query())
	_, err := s.goTool(ctx, "get", ref.query())
	return err
}

// selected is the module of a package among those that are needed already; zero when it is none of them, or when the go command cannot tell.
func (s *scratch) selected(ctx context.Context, importPath string) module.Version {
	out, err := s.goTool(ctx, "list", "-m", "-f", "{{.Path}} {{.Version}}", "all")
	if err != nil {
		return module.Version{}
	}
	var found module.Version
	for line := range strings.Lines(string(out)) {
		path, version, _ := strings.Cut(strings.TrimSpace(line), " ")
		if (importPath == path || strings.HasPrefix(importPath, path+"/")) && len(path) > len(found.Path) {
			found = module.Version{Path: path, Version: version}
		}
	}
	return found
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
