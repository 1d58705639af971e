package inspect

import (
	"context"
	"fmt"
	"go/token"
	"go/types"
	"path/filepath"

	xmodule "golang.org/x/mod/module"

	"github.com/plugingen/plugingen/generator/internal/seen"
	"github.com/plugingen/plugingen/generator/model"
)

// Config says what to read.
type Config struct {
	Dir     string            // folder of the package
	Overlay map[string][]byte // files by absolute path that win over those on disk; nil for none
	Types   []string          // names of the interfaces
	Env     []string          // for the go command; nil means the process's
	Trace   *seen.Trace       // records what decided about the result; nil for nobody
}

// Inspect returns the contract that the interfaces make, and warnings. Faults of the interfaces come all at once,
// as model.Diagnostics; other errors say that something could not be read.
func Inspect(ctx context.Context, cfg Config) (*model.Contract, model.Diagnostics, error) {
	dir, err := filepath.Abs(cfg.Dir)
	if err != nil {
		return nil, nil, fmt.Errorf("contract folder: %w", err)
	}
	files := files{overlay: cleanOverlay(cfg.Overlay), trace: cfg.Trace}
	mod, err := findModule(files, dir)
	if err != nil {
		return nil, nil, err
	}
	quick := newLoader(files, mod, dir)
	contract, report, err := quick.contract(cfg.Types)
	if err != nil || !report.unresolved {
		return finish(contract, report, err)
	}
	full := newLoader(files, mod, dir)
	if full.foreign, err = listForeign(ctx, cfg.Env, quick, full.fset); err != nil {
		return nil, nil, err
	}
	full.foreign.record(cfg.Trace, mod.root)
	contract, report, err = full.contract(cfg.Types)
	return finish(contract, report, err)
}

func finish(c *model.Contract, r *report, err error) (*model.Contract, model.Diagnostics, error) {
	if err != nil {
		return nil, nil, err
	}
	if err := r.faults.sorted().Err(); err != nil {
		return nil, nil, err
	}
	return c, r.warnings.sorted(), nil
}

// contract reads the package and maps its interfaces.
func (l *loader) contract(names []string) (*model.Contract, *report, error) {
	importPath := l.module.importPath(l.dir)
	if err := xmodule.CheckImportPath(importPath); err != nil {
		return nil, nil, fmt.Errorf("contract in %s: %w", l.dir, err)
	}
	src, err := l.load(importPath, l.dir)
	if err != nil {
		return nil, nil, err
	}
	r := &report{loader: l}
	if r.syntax(l.syntax); len(r.faults) > 0 {
		return nil, r, nil // all else would follow from it
	}
	c := &model.Contract{
		Package: model.Package{Path: src.types.Path(), Name: src.types.Name()},
		Module:  l.module.path,
	}
	m := &mapper{
		loader: l, report: r, home: src, asked: names, named: map[string]*model.Type{}, services: map[string]*model.Service{},
		sentinels: map[string]*types.Package{}, declaring: map[string]*types.Package{}, partial: map[types.Object]bool{}, pointers: map[string][]string{},
	}
	m.checkPredeclared()
	m.checkName()
	m.checkDirectives()
	m.partials()
	m.readFillers()
	m.checkOneOfs()
	for _, name := range names {
		if s := m.service(name); s != nil {
			c.Services = append(c.Services, s)
		}
	}
	m.checkFillers(c.Services)
	m.dynamic(c)
	c.Objects = m.liveObjects(c.Services)
	c.Sentinels = m.findSentinels()
	c.Declared, c.Imported = l.declared(src)
	return c, r, nil
}

func (l *loader) position(pos token.Pos) token.Position {
	p := l.fset.Position(pos)
	p.Filename = l.relative(p.Filename)
	return p
}

// relative shortens names of files in the module to what a person in the contract's folder would type.
func (l *loader) relative(name string) string {
	if name == "" || !within(l.module.root, name) {
		return filepath.ToSlash(name)
	}
	rel, err := filepath.Rel(l.dir, name)
	if err != nil {
		return filepath.ToSlash(name)
	}
	return filepath.ToSlash(rel)
}
