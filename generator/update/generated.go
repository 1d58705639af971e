package update

import (
	"bytes"
	"context"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"strings"

	"github.com/plugingen/plugingen/generator"
	"github.com/plugingen/plugingen/generator/internal/lock"
	"github.com/plugingen/plugingen/generator/internal/merge"
	"github.com/plugingen/plugingen/generator/tree"
)

// generated decides about generated files, once it is known what becomes of the contract that they are made from.
func (p *planner) generated(ctx context.Context, names []string) error {
	contents, state, err := p.contractAfter()
	if err != nil {
		return err
	}
	p.contract = state
	switch made := p.theirs; state {
	case contractMoved, contractUnclear:
		p.notes = append(p.notes, contractNotes(p.theirs.ContractDir)[state])
		return p.eachGenerated(names, func(d *decision, _ tree.File) {
			d.Action, d.Reason = Keep, "it is made from the contract"
			if base, known := p.base.Find(d.Path); known {
				p.keepRecord(base)
			}
		})
	case contractChanged:
		if made, err = p.makeWith(ctx, contents); err != nil {
			return err
		}
		fallthrough
	default:
		p.theirs.Warnings = made.Warnings
		return p.eachGenerated(names, func(d *decision, theirs tree.File) {
			if f, found := made.Tree.File(d.Path); found {
				theirs = f
			}
			p.regenerate(d, theirs)
		})
	}
}

func (p *planner) eachGenerated(names []string, decide func(*decision, tree.File)) error {
	for _, name := range names {
		ours, err := p.disk(name)
		if err != nil {
			return err
		}
		theirs, _ := p.file(name)
		d := &decision{Change: Change{Path: name, Owner: tree.Generated}, old: ours}
		p.decisions[name] = d
		decide(d, theirs)
	}
	return nil
}

// regenerate decides about one generated file.
func (p *planner) regenerate(d *decision, theirs tree.File) {
	d.made, d.new = theirs.Data, &tree.Content{Data: theirs.Data, Mode: theirs.Mode}
	base, known := p.base.Find(d.Path)
	derived := strings.HasPrefix(d.Path, p.theirs.ContractDir+"/")
	ours := d.old.data()
	sameAsBefore := known && lock.Sum(theirs.Data) == base.Hash
	switch {
	case base.Secret && p.lacksSecrets():
		d.made = nil
		p.keepSecret(d, base)
	case d.old.reason != "":
		d.block()
	case d.old.missing() && known && !derived:
		if d.Action = Same; !sameAsBefore {
			d.Action, d.Reason = Keep, "you removed it"
		}
	case d.old.missing():
		d.Action = Create
	case bytes.Equal(merge.ToUnix(ours), theirs.Data):
		d.Action = Same
	case known && wasMade(base, ours), p.req.Force:
		d.replace(theirs.Data)
	case tree.IsGenerated(ours) && (derived || !known):
		d.replace(theirs.Data) // go generate does so, too
		if known && p.contract == contractAsMade {
			d.Reason = "it was not as plugingen wrote it"
		}
	case sameAsBefore:
		d.Action, d.Reason = Keep, "it is generated, and you edited it; --force replaces it"
	case tree.IsGenerated(theirs.Data) && !tree.IsGenerated(ours):
		d.Action, d.Reason, d.new = Conflict, "it does not say that it is generated, so it is yours and stays; --force replaces it", d.old.content
	default:
		d.Action, d.Reason, d.new = Conflict, "it is generated, and you edited it: yours stays; --force replaces it", d.old.content
	}
}

// contractState is what an update finds out about the contract that belongs to the project.
type contractState uint8

const (
	contractAsMade  contractState = iota // it is what the templates make, or another module's
	contractChanged                      // its owner works on it
	contractMoved                        // it is no longer where the templates put it
	contractUnclear                      // it has conflicts
)

func contractNotes(dir string) map[contractState]string {
	return map[contractState]string{
		contractMoved:   "the contract is no longer in " + dir + ": what is generated from it is left alone",
		contractUnclear: "the contract in " + dir + " has conflicts: when they are resolved, plugingen update writes what is generated from it",
	}
}

// contractAfter is what the contract's own files will be like.
func (p *planner) contractAfter() (map[string][]byte, contractState, error) {
	dir := p.theirs.ContractDir
	if dir == "" {
		return nil, contractAsMade, nil
	}
	names, err := p.contractFiles(dir)
	if err != nil {
		return nil, contractAsMade, err
	}
	contents, state, there := map[string][]byte{}, contractAsMade, false
	for _, name := range names {
		data, exists, err := p.after(name)
		if err != nil {
			return nil, contractAsMade, err
		}
		if merge.Unresolved(data) > 0 {
			return nil, contractUnclear, nil
		}
		f, made := p.file(name)
		if made && !bytes.Equal(data, f.Data) || !made && exists {
			state = contractChanged
		}
		contents[name], there = data, there || made && exists
	}
	if !there {
		return nil, contractMoved, nil
	}
	if state == contractAsMade {
		state, err = p.generatedState(dir)
	}
	return contents, state, err
}

// generatedState sees to it that a .proto which remembers more than the contract says is not forgotten.
func (p *planner) generatedState(dir string) (contractState, error) {
	for _, f := range p.theirs.Tree.Files() {
		if path.Ext(f.Path) != ".proto" || !strings.HasPrefix(f.Path, dir+"/") {
			continue
		}
		d, err := p.disk(f.Path)
		if err != nil {
			return contractAsMade, err
		}
		if !d.missing() && !bytes.Equal(merge.ToUnix(d.data()), f.Data) {
			return contractChanged, nil
		}
	}
	return contractAsMade, nil
}

// contractFiles are the Go files of the contract's package, those that will be there included, without what is generated.
func (p *planner) contractFiles(dir string) ([]string, error) {
	var names []string
	add := func(name string) {
		if path.Dir(name) == dir && path.Ext(name) == ".go" && !strings.HasSuffix(name, "_test.go") && path.Base(name) != generator.GluedName {
			names = append(names, name)
		}
	}
	for _, f := range p.theirs.Tree.Files() {
		if f.Owner == tree.Scaffolded {
			add(f.Path)
		}
	}
	info, err := p.root.Lstat(dir)
	if err != nil || !info.IsDir() {
		return sortedPaths(names), nil
	}
	entries, err := fs.ReadDir(p.root.FS(), dir)
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		if e.Type().IsRegular() {
			add(path.Join(dir, e.Name()))
		}
	}
	return sortedPaths(names), nil
}

// after is what a file will be like. One that will not be there is an empty file of its package.
func (p *planner) after(name string) (data []byte, there bool, err error) {
	ours, err := p.disk(name)
	if err != nil {
		return nil, false, err
	}
	for _, d := range p.decisions {
		switch {
		case d.From == name, d.Path == name && d.Action == Remove:
			return emptyFile(ours.data()), false, nil
		case d.Path == name && d.Differs() && d.new != nil:
			return d.new.Data, true, nil
		}
	}
	if ours.missing() {
		f, _ := p.file(name)
		return emptyFile(f.Data), false, nil
	}
	return ours.data(), true, nil
}

// emptyFile is a file of the package that data belongs to.
func emptyFile(data []byte) []byte {
	f, err := parser.ParseFile(token.NewFileSet(), "", data, parser.PackageClauseOnly)
	if err != nil {
		return nil
	}
	return []byte("package " + f.Name.Name + "\n")
}

// makeWith makes the project from the contract that it will have.
func (p *planner) makeWith(ctx context.Context, contents map[string][]byte) (*generator.Project, error) {
	wish := p.wish
	wish.Fresh, wish.Contents = false, contents
	wish.Template = p.theirs.Template.Reference(p.req.Dir, "")
	wish.Answers = map[string]any{}
	for name, a := range p.theirs.Answers {
		wish.Answers[name] = a.Value
	}
	return p.make(ctx, wish)
}
