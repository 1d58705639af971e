package generator

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/mod/modfile"
	"golang.org/x/mod/semver"
)

// existingContract wires the project to a contract that another module has.
func (b *builder) existingContract(ctx context.Context) (*contract, error) {
	if isFolder(b.req.Contract) {
		return b.localContract(ctx)
	}
	ref, err := parsePackage("contract", b.req.Contract)
	if err != nil {
		return nil, err
	}
	if ref.isStandard() {
		return nil, &InputError{What: "contract", Value: b.req.Contract, Reason: "there is no such folder, and it is not a package of a module"}
	}
	return b.remoteContract(ctx, ref)
}

func isFolder(name string) bool {
	info, err := os.Stat(name)
	return err == nil && info.IsDir()
}

// remoteContract has the go command fetch the contract's module.
func (b *builder) remoteContract(ctx context.Context, ref reference) (*contract, error) {
	if err := b.openScratch(); err != nil {
		return nil, err
	}
	if err := b.scratch.get(ctx, ref); err != nil {
		return nil, err
	}
	out, err := b.scratch.goTool(ctx, "list", "-f", "{{.Dir}}\n{{.Module.Path}}\n{{.Module.Version}}", ref.path)
	if err != nil {
		return nil, err
	}
	found := strings.Split(strings.TrimSpace(string(out)), "\n")
	if len(found) != 3 {
		return nil, fmt.Errorf("go list %s: unexpected answer %q", ref.path, out)
	}
	c, err := b.inspectExisting(ctx, found[0])
	if err != nil {
		return nil, err
	}
	c.wiring = []wiring{{module: found[1], version: found[2]}}
	return c, nil
}

// localContract replaces the contract's module by its folder, and uses the runtime that it uses.
func (b *builder) localContract(ctx context.Context) (*contract, error) {
	dir, err := filepath.Abs(b.req.Contract)
	if err != nil {
		return nil, err
	}
	root, mod, err := moduleOf(dir)
	if err != nil {
		return nil, err
	}
	if mod.Module.Mod.Path == b.req.Module {
		return nil, &InputError{What: "module path", Value: b.req.Module, Reason: "it is the path of the contract's module, too"}
	}
	if b.req.Runtime == (Runtime{}) {
		b.req.Runtime = b.runtimeOf(root, mod)
	}
	c, err := b.inspectExisting(ctx, dir)
	if err != nil {
		return nil, err
	}
	w := wiring{module: mod.Module.Mod.Path, version: noVersion, replace: b.pathTo(root)}
	if mod.Go != nil {
		w.goLine = mod.Go.Version
	}
	c.wiring = []wiring{w}
	if covered, err := b.self.covers(mod, b.req.Runtime); covered || err != nil {
		return c, err
	}
	return c, b.openScratchWith(c.wiring, root)
}

// inspectExisting reads the interfaces for which the package has services.
func (b *builder) inspectExisting(ctx context.Context, dir string) (*contract, error) {
	types, err := ServicesIn(dir)
	if err != nil {
		return nil, err
	}
	if len(types) == 0 {
		return nil, &InputError{
			What: "contract", Value: b.req.Contract, Reason: "its package has no generated services",
			Hint: "run go generate there, or name the folder of a contract's package",
		}
	}
	result, err := Contract(ctx, ContractRequest{Dir: dir, Types: types, Env: b.goEnv()})
	if err != nil {
		return nil, err
	}
	if !slices.Contains(result.Contract.Declared, "Handshake") {
		return nil, &InputError{
			What: "contract", Value: b.req.Contract, Reason: "its package declares no Handshake",
			Hint: "add var Handshake = handshake.Config{...}",
		}
	}
	return &contract{model: result.Contract, versions: handshakeVersions(dir), warnings: result.Warnings}, nil
}

// moduleOf finds the module that holds dir.
func moduleOf(dir string) (root string, mod *modfile.File, err error) {
	for root = dir; ; root = filepath.Dir(root) {
		name := filepath.Join(root, "go.mod")
		data, err := os.ReadFile(name)
		if err == nil {
			mod, err = modfile.Parse(name, data, nil)
			if err != nil {
				return "", nil, &InputError{What: "module file", Value: name, Reason: err.Error()}
			}
			if mod.Module == nil {
				return "", nil, &InputError{What: "module file", Value: name, Reason: "it names no module"}
			}
			return root, mod, nil
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return "", nil, err
		}
		if root == filepath.Dir(root) {
			return "", nil, &InputError{What: "folder", Value: dir, Reason: "no go.mod is in it or above it"}
		}
	}
}

// runtimeOf is where the module at root finds the runtime; anything unusual is left to DetectRuntime.
func (b *builder) runtimeOf(root string, mod *modfile.File) Runtime {
	for _, r := range mod.Replace {
		if r.Old.Path != b.self.path() || r.New.Version != "" {
			continue
		}
		if dir := r.New.Path; filepath.IsAbs(dir) {
			return Runtime{Dir: dir, trimmed: isTrimmed(dir)}
		}
		dir := filepath.Join(root, r.New.Path)
		return Runtime{Dir: b.pathTo(dir), trimmed: isTrimmed(dir)}
	}
	return DetectRuntime()
}

// pathTo is the way from the project to a folder as a replace directive has it: relative, unless they are on two drives.
func (b *builder) pathTo(dir string) string {
	rel, err := filepath.Rel(b.req.Dir, dir)
	if err != nil {
		return dir
	}
	rel = filepath.ToSlash(rel)
	if !modfile.IsDirectoryPath(rel) {
		rel = "./" + rel
	}
	return rel
}

// covers says whether all that mod requires is what projects get anyway: then no go command is needed.
func (s *self) covers(mod *modfile.File, r Runtime) (bool, error) {
	needed, err := pins(r)
	if err != nil {
		return false, err
	}
	for _, required := range mod.Require {
		m := required.Mod
		if m.Path == s.path() {
			if r.requirement() != noVersion && m.Version != r.Version {
				return false, nil
			}
			continue
		}
		pinned := slices.ContainsFunc(needed, func(p pin) bool { return p.required && p.module == m.Path })
		if !pinned || semver.Compare(m.Version, s.version(m.Path)) > 0 {
			return false, nil
		}
	}
	return true, nil
}

// openScratchWith starts from what the contract's module knows of its requirements.
func (b *builder) openScratchWith(extra []wiring, root string) error {
	if err := b.openScratch(); err != nil {
		return err
	}
	m, err := b.self.buildModules(moduleWish{path: b.req.Module, runtime: b.req.Runtime, extra: extra})
	if err != nil {
		return err
	}
	if err := b.scratch.writeMod(m.mod); err != nil {
		return err
	}
	known, err := os.ReadFile(filepath.Join(root, "go.sum"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return b.scratch.write("go.sum", formatSums(append(parseSums(m.sum), parseSums(known)...)))
}
