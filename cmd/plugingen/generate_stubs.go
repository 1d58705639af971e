package main

import (
	"context"
	"os"
	"path/filepath"
	"strings"

	"github.com/plugingen/plugingen/generator"
	"github.com/plugingen/plugingen/generator/model"
	"github.com/plugingen/plugingen/generator/tree"
)

// isProject says whether the folder is that of a project, and not of one contract alone.
func (o generateOptions) isProject() bool {
	if o.types != "" || o.proto != "" {
		return false
	}
	types, err := generator.ServicesIn(o.dir)
	if err != nil || len(types) > 0 {
		return false
	}
	if _, err := os.Stat(filepath.Join(o.dir, generator.LockName)); err == nil {
		return true
	}
	if _, err := os.Stat(filepath.Join(o.dir, "go.mod")); err != nil {
		return false
	}
	places, err := generator.FindGenerated(o.dir)
	return err == nil && len(places) > 0
}

// addStubs adds, in the modules of the contracts, what their implementations lack. Files outside the folder of the work make the
// module's root its folder.
func (g *generation) addStubs(ctx context.Context, o generateOptions) error {
	roots := map[string][]*model.Contract{}
	var order []string
	add := func(dir string, c *model.Contract) error {
		root, err := generator.ModuleRoot(dir)
		if _, known := roots[root]; !known {
			order = append(order, root)
		}
		roots[root] = append(roots[root], c)
		return err
	}
	for i, r := range g.results {
		if err := add(g.dirs[i], r.Contract); err != nil {
			return err
		}
	}
	if o.isProject() {
		wired, err := wiredContract(ctx, o.dir)
		if err != nil {
			return err
		}
		if wired != nil {
			if err := add(o.dir, wired); err != nil {
				return err
			}
		}
	}
	for _, root := range order {
		if err := g.addStubsIn(root, roots[root]); err != nil {
			return err
		}
	}
	return nil
}

// wiredContract is the contract of another module that the project implements; nil without one.
func wiredContract(ctx context.Context, dir string) (*model.Contract, error) {
	place, err := generator.WiredContract(ctx, dir)
	if err != nil || place == "" {
		return nil, err
	}
	types, err := generator.ServicesIn(place)
	if err != nil {
		return nil, err
	}
	result, err := generator.Contract(ctx, generator.ContractRequest{Dir: place, Types: types})
	if err != nil {
		return nil, err
	}
	return result.Contract, nil
}

func (g *generation) addStubsIn(root string, contracts []*model.Contract) error {
	missing, err := generator.MissingStubs(root, contracts...)
	if err != nil {
		return err
	}
	g.read = append(g.read, missing.Read...)
	g.unsure = g.unsure || len(missing.Notes) > 0
	below, err := relativeTo(g.work.dir, missing.Root)
	if err != nil {
		return err
	}
	g.work.warnings = append(g.work.warnings, within(below, missing.Notes)...)
	if len(missing.Files) == 0 {
		return nil
	}
	if below == ".." || strings.HasPrefix(below, "../") {
		if err := g.move(missing.Root); err != nil {
			return err
		}
		below = "."
	}
	files := new(tree.Tree)
	for _, f := range missing.Files {
		if err := files.Add(f); err != nil {
			return err
		}
	}
	if len(missing.Methods) > 0 {
		g.done = append(g.done, "stubs to fill in: "+strings.Join(missing.Methods, ", "))
	} else {
		g.done = append(g.done, missing.Root+": the host's methods are those of the contract again")
	}
	return g.work.tree.AddTree(below, files)
}

// move makes a folder further up that of the work.
func (g *generation) move(root string) error {
	below, err := relativeTo(root, g.work.dir)
	if err != nil {
		return err
	}
	all := new(tree.Tree)
	if err := all.AddTree(below, g.work.tree); err != nil {
		return err
	}
	here, err := relativeTo(".", root)
	g.work.dir, g.work.tree = here, all
	return err
}

// remember lets the next run know that nothing has changed. What somebody has to look at is said again.
func (g *generation) remember() {
	if g.unsure {
		return
	}
	for _, r := range g.results {
		r.Remember(g.read...)
	}
}

// relativeTo is the way from a folder to another one, with slashes.
func relativeTo(from, dir string) (string, error) {
	from, err := filepath.Abs(from)
	if err != nil {
		return "", err
	}
	if dir, err = filepath.Abs(dir); err != nil {
		return "", err
	}
	rel, err := filepath.Rel(from, dir)
	return filepath.ToSlash(rel), err
}
