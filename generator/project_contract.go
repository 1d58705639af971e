package generator

import (
	"context"
	"go/token"
	"path"
	"path/filepath"
	"strings"

	"github.com/plugingen/plugingen/generator/internal/render"
	"github.com/plugingen/plugingen/generator/model"
	"github.com/plugingen/plugingen/generator/tree"
)

// contract is what the project's templates build on.
type contract struct {
	model    *model.Contract
	versions []int // of the protocol, that its Handshake names
	starter  bool
	dir      string      // in the project; empty when it belongs to another module
	files    []tree.File // of dir
	wiring   []wiring
	warnings model.Diagnostics
}

// contract finds or makes the contract that the request asks for.
func (b *builder) contract(ctx context.Context) (*contract, error) {
	switch {
	case b.req.Interface != "":
		return b.foreignInterface(ctx)
	case b.req.Contract != "":
		return b.existingContract(ctx)
	default:
		return b.ownContract(ctx, starterContract())
	}
}

// ownContract is a contract package that is written into the project.
type ownContract struct {
	set     string // of templates for its hand-written half
	name    string // of package and folder
	types   []string
	starter bool
	// at is where the project's module files lie while the contract is generated; empty means the project's own folder,
	// of which nothing but an earlier .proto need exist.
	at string
	// foreign is the interface that the contract gives a name, in a package called foreignName; nil when it has one of its own.
	foreign     *reference
	foreignName string
}

func starterContract() ownContract {
	return ownContract{set: "contract/starter", name: "greeter", types: []string{"Greeter"}, starter: true}
}

// ownContract renders the hand-written half, and generates the other from it.
func (b *builder) ownContract(ctx context.Context, own ownContract) (*contract, error) {
	b.req.Runtime = b.req.Runtime.withDefault()
	c := &contract{versions: []int{1}, starter: own.starter, dir: own.name}
	outputs, err := b.outputs(own.set, b.contractView(own))
	if err != nil {
		return nil, err
	}
	root := or(own.at, b.contractRoot())
	overlay := map[string][]byte{filepath.Join(root, "go.mod"): b.bareMod()}
	if own.at != "" {
		clear(overlay)
	}
	for name, data := range b.req.Contents {
		overlay[filepath.Join(root, filepath.FromSlash(name))] = data
	}
	for _, o := range outputs {
		if len(o.Data) == 0 {
			continue
		}
		name := path.Join(c.dir, o.Path)
		if data, changed := b.req.Contents[name]; changed {
			o.Data = data
		}
		if err := tree.CheckName(name); err != nil {
			return nil, &TemplateError{&render.Error{Template: o.Template, Err: err}} // before it becomes part of a path
		}
		b.noteOwn(name, o)
		c.files = append(c.files, fileOf(name, o))
		overlay[filepath.Join(root, filepath.FromSlash(name))] = o.Data
	}
	types, err := b.contractTypes(own)
	if err != nil {
		return nil, err
	}
	result, err := Contract(ctx, ContractRequest{Dir: filepath.Join(root, c.dir), Overlay: overlay, Types: types, Env: b.goEnv()})
	if err != nil {
		return nil, err
	}
	for _, f := range result.Files {
		c.files = append(c.files, tree.File{Path: path.Join(c.dir, f.Name), Data: f.Data, Owner: tree.Generated})
	}
	c.model, c.warnings = result.Contract, result.Warnings
	return c, nil
}

// contractRoot is the project's folder or, for a fresh rendering, one that is not there.
func (b *builder) contractRoot() string {
	if b.req.Fresh {
		return filepath.Join(b.req.Dir, tree.JournalDir, "nothing")
	}
	return b.req.Dir
}

// contractTypes are the interfaces of the last run where the contract is its owner's by now.
func (b *builder) contractTypes(own ownContract) ([]string, error) {
	if b.req.Contents == nil {
		return own.types, nil
	}
	types, err := ServicesIn(filepath.Join(b.req.Dir, own.name))
	if len(types) == 0 {
		types = own.types
	}
	return types, err
}

// bareMod tells the contract's inspection which module it is in; the starter needs nothing else of it.
func (b *builder) bareMod() []byte {
	return []byte("module " + b.req.Module + "\n\ngo " + b.self.mod.Go.Version + "\n")
}

func or(text, otherwise string) string {
	if text == "" {
		return otherwise
	}
	return text
}

// packageNameFor makes the contract's package name out of the name of its type. It is not the name of the package that the
// type comes from: files of the project use both.
func packageNameFor(name, foreign string) string {
	name = strings.ToLower(strings.ReplaceAll(name, "_", ""))
	switch {
	case name == foreign, !token.IsIdentifier(name), token.IsKeyword(name), name == "main", name == "internal", name == "vendor", name == "testdata":
		return "contract"
	}
	return name
}
