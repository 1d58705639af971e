package update

import (
	"context"
	"path"
	"slices"
	"strings"

	"github.com/plugingen/plugingen/generator/internal/lock"
	"github.com/plugingen/plugingen/generator/internal/merge"
	"github.com/plugingen/plugingen/generator/tree"
)

// plan decides about every file that plugingen wrote or would write.
func (p *planner) plan(ctx context.Context) error {
	if err := p.renames(); err != nil {
		return err
	}
	var generated []string
	for _, name := range p.paths() {
		if _, done := p.decisions[name]; done {
			continue
		}
		if t, found := p.file(name); found && t.Owner == tree.Generated {
			generated = append(generated, name)
			continue
		}
		if err := p.decide(name); err != nil {
			return err
		}
	}
	if err := p.generated(ctx, generated); err != nil {
		return err
	}
	return p.makeRoom()
}

// paths are all files of the lock and of the new rendering. A go.mod comes before its go.sum, which depends on it.
func (p *planner) paths() []string {
	var before, after []string
	for _, f := range p.base.Files {
		before = append(before, f.Path)
	}
	for _, f := range p.theirs.Tree.Files() {
		if f.Owner != tree.Record {
			after = append(after, f.Path)
		}
	}
	return sortedPaths(before, after)
}

// file is what the template makes of it now.
func (p *planner) file(name string) (tree.File, bool) {
	f, found := p.theirs.Tree.File(name)
	return f, found && f.Owner != tree.Record
}

func (p *planner) decide(name string) error {
	ours, err := p.disk(name)
	if err != nil {
		return err
	}
	d := &decision{Change: Change{Path: name}, old: ours}
	p.decisions[name] = d
	base, known := p.base.Find(name)
	theirs, wanted := p.file(name)
	if wanted && theirs.Owner == tree.Scaffolded {
		if theirs, err = p.withoutDeclared(theirs, base.Text); err != nil {
			return err
		}
	}
	switch {
	case !wanted:
		p.gone(d, base)
	case !known:
		d.Owner = theirs.Owner
		p.added(d, theirs)
	default:
		d.Owner = theirs.Owner
		p.merge(d, base, theirs)
	}
	return nil
}

// gone decides about a file that the template no longer has.
func (p *planner) gone(d *decision, base lock.File) {
	d.Owner = base.Owner
	switch {
	case d.old.missing():
		d.Action = Same
	case d.old.reason != "":
		d.Action, d.Reason = Keep, "the template no longer has it; "+d.old.reason
	case wasMade(base, d.old.data()), base.Owner == tree.Generated && tree.IsGenerated(d.old.data()):
		d.Action = Remove
	default:
		d.Action, d.Reason, d.new = Conflict, "the template no longer has it, and you changed it: it stays; remove it when you do not need it", d.old.content
	}
}

// added decides about a file that the template did not have.
func (p *planner) added(d *decision, theirs tree.File) {
	d.new = &tree.Content{Data: theirs.Data, Mode: theirs.Mode}
	switch ours := d.old; {
	case ours.reason != "":
		d.block()
	case ours.missing():
		d.Action = Create
	case theirs.Owner == tree.Generated && tree.IsGenerated(ours.data()):
		d.replace(theirs.Data)
	default:
		p.join(d, theirs)
	}
}

// join merges a file that both the template and the owner of the project added.
func (p *planner) join(d *decision, theirs tree.File) {
	ours := d.old.data()
	if isMod(d.Path) {
		if data, notes, err := merge.Mod(nil, ours, theirs.Data); err == nil {
			d.set(merge.Result{Data: data}, notes)
			return
		}
	}
	switch {
	case isSum(d.Path):
		d.set(merge.Result{Data: merge.Sum(ours, theirs.Data, p.modFor(d.Path))}, nil)
	case merge.IsBinary(ours), merge.IsBinary(theirs.Data):
		p.unmergeable(d, theirs, "you and the template both added it, and it is not text")
	default:
		d.set(merge.Added(ours, theirs.Data, p.labels), nil)
	}
}

// merge decides about a file that the template had, and has.
func (p *planner) merge(d *decision, base lock.File, theirs tree.File) {
	changed := lock.Sum(theirs.Data) != base.Hash
	switch ours := d.old; {
	case base.Secret && p.lacksSecrets():
		p.keepSecret(d, base)
	case ours.missing():
		if d.Action = Same; changed {
			d.Action, d.Reason = Keep, "you removed it"
		}
	case ours.reason != "":
		if d.Action = Same; changed {
			d.block()
		}
	default:
		p.mergeContent(d, base, theirs, changed)
	}
	if d.new != nil && d.old.content != nil {
		d.new.Mode = mergedMode(base.Mode, d.old.content.Mode, theirs.Mode)
		if d.Action == Same && d.new.Mode != d.old.content.Mode {
			d.Action = Replace
		}
	}
}

func (p *planner) mergeContent(d *decision, base lock.File, theirs tree.File, changed bool) {
	ours := d.old.data()
	d.new = &tree.Content{Data: ours, Mode: d.old.content.Mode}
	switch {
	case !changed, lock.Sum(merge.ToUnix(ours)) == lock.Sum(merge.ToUnix(theirs.Data)):
		d.Action = Same
	case wasMade(base, ours):
		data := theirs.Data
		if base.Hash != lock.Sum(ours) {
			data = merge.Like(data, ours)
		}
		d.replace(data)
	case base.Owner == tree.Generated && tree.IsGenerated(ours):
		d.replace(theirs.Data)
	case isSum(d.Path):
		d.set(merge.Result{Data: merge.Sum(ours, theirs.Data, p.modFor(d.Path))}, nil)
	case base.Text == nil, merge.IsBinary(ours), merge.IsBinary(theirs.Data):
		p.unmergeable(d, theirs, "you and the template both changed it, and it cannot be merged")
	default:
		if isMod(d.Path) {
			if data, notes, err := merge.Mod(base.Text, ours, theirs.Data); err == nil {
				d.set(merge.Result{Data: data}, notes)
				return
			}
		}
		d.set(merge.Text(base.Text, ours, theirs.Data, p.labels), nil)
	}
}

// lacksSecrets says whether the template's secrets were told when the project was made, and not this time.
func (p *planner) lacksSecrets() bool {
	return p.req.Project.Ask == nil && slices.ContainsFunc(p.base.Answers, func(a lock.Answer) bool {
		_, told := p.req.Project.Answers[a.Name]
		return a.Value == nil && !told
	})
}

// keepSecret leaves a file alone that was made with a secret which nobody told this time, and its record as well.
func (p *planner) keepSecret(d *decision, base lock.File) {
	d.Action, d.Reason = Keep, "it has a secret in it, which is not recorded: tell it with --var when the file should follow the template"
	p.keepRecord(base)
}

// keepRecord records the file as it was recorded: nothing is made of it this time.
func (p *planner) keepRecord(base lock.File) {
	for i := range p.next.Files {
		if p.next.Files[i].Path == base.Path {
			p.next.Files[i] = base
		}
	}
}

// unmergeable leaves the file as it is, unless forced.
func (p *planner) unmergeable(d *decision, theirs tree.File, why string) {
	if p.req.Force {
		d.replace(theirs.Data)
		return
	}
	d.Action, d.Reason = Conflict, why+": yours stays; --force takes the template's"
	d.new = d.old.content
}

// block is a conflict with something that is not a file.
func (d *decision) block() {
	d.Action, d.Reason, d.new = Conflict, d.old.reason, d.old.content
}

// replace puts data in the place of what is there.
func (d *decision) replace(data []byte) {
	d.Action = Replace
	d.new = &tree.Content{Data: data, Mode: d.old.content.Mode}
}

// set takes the result of a merge.
func (d *decision) set(r merge.Result, notes []string) {
	d.Action, d.Marked, d.Reason = Merge, r.Conflicts, strings.Join(notes, "; ")
	d.new = &tree.Content{Data: r.Data, Mode: d.old.content.Mode}
	switch {
	case r.Conflicts > 0:
		d.Action, d.Line = Conflict, merge.Unresolved(r.Data)
	case string(r.Data) == string(d.old.data()) && d.From == "":
		d.Action = Same
	}
}

// wasMade says whether data is what plugingen wrote, line endings aside.
func wasMade(base lock.File, data []byte) bool {
	return lock.Sum(data) == base.Hash || lock.Sum(merge.ToUnix(data)) == base.Hash
}

func isMod(name string) bool { return path.Ext(name) == ".mod" }
func isSum(name string) bool { return path.Ext(name) == ".sum" }

// modFor is the go.mod, as it will be, to which a go.sum belongs.
func (p *planner) modFor(sum string) []byte {
	name := strings.TrimSuffix(sum, ".sum") + ".mod"
	if d, found := p.decisions[name]; found && d.new != nil {
		return d.new.Data
	}
	return nil
}

// makeRoom looks again at what was blocked by a file or a folder that goes.
func (p *planner) makeRoom() error {
	going := map[string]bool{}
	for _, d := range p.decisions {
		if d.Action == Remove {
			going[d.Path] = true
		}
		if d.From != "" {
			going[d.From] = true
		}
	}
	for name, d := range p.decisions {
		theirs, wanted := p.file(name)
		if d.Action != Conflict || d.old.reason == "" || !wanted {
			continue
		}
		room, err := p.hasRoom(name, going)
		if err != nil {
			return err
		}
		if room {
			d.old = &onDisk{}
			d.Action, d.Reason, d.new = Create, "", &tree.Content{Data: theirs.Data, Mode: theirs.Mode}
		}
	}
	return nil
}

// hasRoom says whether all goes that is in the way: the file above name, or every file below it.
func (p *planner) hasRoom(name string, going map[string]bool) (bool, error) {
	for dir := path.Dir(name); dir != "."; dir = path.Dir(dir) {
		if going[dir] {
			return true, nil
		}
	}
	below, err := filesBelow(p.root, name)
	if err != nil || len(below) == 0 {
		return false, err
	}
	return !slices.ContainsFunc(below, func(file string) bool { return !going[file] }), nil
}
