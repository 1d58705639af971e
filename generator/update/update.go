// Package update brings a project to another version of its templates, and keeps what its owner changed.
//
// Everything it needs is in the project: plugingen.lock says what the project was made from, and what every file was like then.
// The same wish is rendered anew, and each file is merged from three texts: as it was made, as it is, as it would be made now.
package update

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/mod/semver"

	"github.com/plugingen/plugingen/generator"
	"github.com/plugingen/plugingen/generator/internal/lock"
	"github.com/plugingen/plugingen/generator/internal/merge"
	"github.com/plugingen/plugingen/generator/model"
	"github.com/plugingen/plugingen/generator/tree"
)

// Request says which project is to be updated, and to what.
type Request struct {
	// Dir is the folder of the project. It is required.
	Dir string
	// To is the version of the template; empty means the newest one.
	To string
	// Force replaces generated files that were edited by hand, and takes the template's version of files that cannot be merged.
	Force bool
	// Project has what the lock does not say: answers that take the place of those recorded, Ask, Env and so on.
	Project generator.ProjectRequest
}

// Update is the work that an update would do; nothing of it has been written.
type Update struct {
	// Dir is the project's folder, and Name what the project is called.
	Dir, Name string
	// From and To are the versions of the template.
	From, To string
	// Changes has every file of the project, sorted.
	Changes []Change
	// Warnings are what the owner should know although all is right.
	Warnings model.Diagnostics
	// Notes are what the update could not do, for people.
	Notes []string

	edits []tree.Edit
}

// ErrNoLock says that a project has no plugingen.lock. It wraps generator.ErrInput.
var ErrNoLock = fmt.Errorf("%w: there is no %s, so nobody knows what plugingen wrote here", generator.ErrInput, generator.LockName)

// UnresolvedError names the conflicts of an earlier update, or of somebody else's merge, that are still marked in files which
// plugingen looks after. errors.Is finds tree.ErrConflict.
type UnresolvedError struct{ Places []string }

// Error lists the places, one a line, as FILE:LINE.
func (e *UnresolvedError) Error() string {
	return "conflicts are not resolved yet:\n\t" + strings.Join(e.Places, "\n\t")
}

// Unwrap returns tree.ErrConflict.
func (e *UnresolvedError) Unwrap() error { return tree.ErrConflict }

// InterruptedError says that an update was killed half way. errors.Is finds tree.ErrConflict.
type InterruptedError struct{ Dir string }

// Error says what to do.
func (e *InterruptedError) Error() string {
	return fmt.Sprintf("an update of %s was interrupted half way: plugingen update --abort takes it back", e.Dir)
}

// Unwrap returns tree.ErrConflict.
func (e *InterruptedError) Unwrap() error { return tree.ErrConflict }

// New works out what an update would do. It is ErrNoLock for a project without a lock, *UnresolvedError or *InterruptedError when an
// earlier update is not finished; faults of the lock are *generator.InputError, and others those of generator.Plugin.
// It writes nothing.
func New(ctx context.Context, req Request) (*Update, error) {
	p := &planner{req: req}
	if err := p.open(); err != nil {
		return nil, err
	}
	defer func() { _ = p.root.Close() }() // it only holds a place in the file system
	if err := p.checkUnfinished(); err != nil {
		return nil, err
	}
	if err := p.render(ctx); err != nil {
		return nil, err
	}
	if err := p.plan(ctx); err != nil {
		return nil, err
	}
	return p.finish()
}

// planner works out one update.
type planner struct {
	req  Request
	root *os.Root
	base *lock.Lock
	wish generator.ProjectRequest

	theirs *generator.Project
	next   *lock.Lock // what the lock of theirs says
	labels merge.Labels

	contract  contractState
	decisions map[string]*decision // by path
	contents  map[string]*onDisk
	notes     []string
}

func (p *planner) open() (err error) {
	if p.req.Dir, err = filepath.Abs(p.req.Dir); err != nil {
		return err
	}
	if p.root, err = os.OpenRoot(p.req.Dir); err != nil {
		return fmt.Errorf("open the project: %w", err)
	}
	p.contents, p.decisions = map[string]*onDisk{}, map[string]*decision{}
	if p.base, err = p.readLock(); err != nil {
		_ = p.root.Close()
		return err
	}
	return nil
}

func (p *planner) readLock() (*lock.Lock, error) {
	content, reason, err := tree.Read(p.root, generator.LockName)
	refuse := func(reason string) error {
		return &generator.InputError{What: "lock", Value: generator.LockName, Reason: reason}
	}
	switch {
	case err != nil:
		return nil, err
	case reason != "":
		return nil, refuse(reason)
	case content == nil:
		return nil, ErrNoLock
	}
	base, err := lock.Parse(content.Data)
	switch {
	case err != nil && merge.Unresolved(content.Data) > 0:
		return nil, &generator.InputError{
			What: "lock", Value: generator.LockName, Reason: "it has conflicts of a merge in it", Hint: "take one side of it whole, then update again",
		}
	case err != nil:
		return nil, refuse(err.Error())
	}
	mine, _, err := generator.RuntimeVersions()
	if err != nil {
		return nil, err
	}
	if semver.Compare("v"+base.Generator, "v"+mine) > 0 {
		return nil, &generator.InputError{
			What: "version", Value: mine, Reason: "the project was made by plugingen " + base.Generator, Hint: "update it with that one, or a newer one",
		}
	}
	return base, nil
}

// checkUnfinished refuses to start on top of an earlier update that is not settled.
func (p *planner) checkUnfinished() error {
	state, err := tree.StateOf(p.req.Dir)
	if err != nil {
		return err
	}
	if state == tree.Interrupted {
		return &InterruptedError{Dir: p.req.Dir}
	}
	var unresolved UnresolvedError
	for _, f := range p.base.Files {
		if f.Owner != tree.Scaffolded || merge.Unresolved(f.Text) > 0 {
			continue
		}
		d, err := p.disk(f.Path)
		if err != nil {
			return err
		}
		if line := merge.Unresolved(d.data()); line > 0 && !merge.IsBinary(d.data()) {
			unresolved.Places = append(unresolved.Places, fmt.Sprintf("%s:%d", f.Path, line))
		}
	}
	if unresolved.Places != nil {
		return &unresolved
	}
	return nil
}

// render makes the project anew, as if nothing were there.
func (p *planner) render(ctx context.Context) (err error) {
	if p.wish, err = p.request(); err != nil {
		return err
	}
	p.wish.Fresh = true
	if p.theirs, err = p.make(ctx, p.wish); err != nil {
		return err
	}
	file, _ := p.theirs.Tree.File(generator.LockName)
	if p.next, err = lock.Parse(file.Data); err != nil {
		return fmt.Errorf("%s: %w", generator.LockName, err)
	}
	p.labels = merge.Labels{Ours: "yours", Base: "template " + shownVersion(p.base), Theirs: "template " + shownVersion(p.next)}
	return nil
}

func (p *planner) make(ctx context.Context, req generator.ProjectRequest) (*generator.Project, error) {
	if p.base.Kind == "host" {
		return generator.Host(ctx, req)
	}
	return generator.Plugin(ctx, req)
}

// shownHash is how much of a hash people need to see.
const shownHash = 12

// shownVersion is the version of a template: its own, or what tells it apart from another.
func shownVersion(l *lock.Lock) string {
	if l.Template.Origin == "" {
		return l.Generator
	}
	hash := l.Template.Hash[:min(len(l.Template.Hash), shownHash)]
	return cmp.Or(l.Template.Version, hash, l.Template.Origin)
}

// finish turns the decisions into edits.
func (p *planner) finish() (*Update, error) {
	u := &Update{
		Dir: p.req.Dir, Name: p.base.Name, From: shownVersion(p.base), To: shownVersion(p.next), Warnings: p.theirs.Warnings, Notes: p.notes,
	}
	for _, d := range p.decisions {
		if d.Action == Merge && path.Base(d.Path) == "go.mod" {
			u.Notes = append(u.Notes, d.Path+" was merged by what it says: go mod tidy finds out whether all of it is needed")
		}
		u.Changes = append(u.Changes, d.Change)
		u.edits = append(u.edits, d.edits()...)
	}
	slices.Sort(u.Notes)
	slices.SortFunc(u.Changes, func(a, b Change) int { return strings.Compare(a.Path, b.Path) })
	e, err := p.lockEdit()
	if e != nil {
		u.edits = append(u.edits, *e)
	}
	slices.SortFunc(u.edits, func(a, b tree.Edit) int { return strings.Compare(a.Path, b.Path) })
	return u, err
}

// lockEdit records what the project was made from now: everything as the template makes it, but for generated files,
// which may be made from what their owner changed. It is nil when that is recorded already.
func (p *planner) lockEdit() (*tree.Edit, error) {
	for i, f := range p.next.Files {
		if d := p.decisions[f.Path]; f.Owner == tree.Generated && d != nil && d.made != nil {
			p.next.Files[i].Hash = lock.Sum(d.made)
		}
	}
	old, _, err := tree.Read(p.root, generator.LockName)
	if err != nil || old == nil {
		return nil, errors.Join(err, ErrNoLock)
	}
	data := p.next.Format()
	if bytes.Equal(merge.ToUnix(old.Data), data) {
		return nil, nil
	}
	return &tree.Edit{Path: generator.LockName, Old: old, New: &tree.Content{Data: merge.Like(data, old.Data), Mode: old.Mode}}, nil
}

// Differs says whether a commit would change a file other than the lock, or ask somebody to.
func (u *Update) Differs() bool { return slices.ContainsFunc(u.Changes, Change.Differs) }

// Conflicts are the changes that somebody has to look at.
func (u *Update) Conflicts() []Change {
	return slices.DeleteFunc(slices.Clone(u.Changes), func(c Change) bool { return c.Action != Conflict })
}

// Paths are the files that a commit would write or remove, the lock included.
func (u *Update) Paths() []string {
	var paths []string
	for _, e := range u.edits {
		paths = append(paths, e.Path)
	}
	return paths
}

// Commit writes all of it, or nothing. With conflicts, what was there before is kept until they are resolved: until
// then Abort takes everything back.
func (u *Update) Commit() error {
	if err := tree.Discard(u.Dir); err != nil { // of an earlier update, whose conflicts have been resolved
		return err
	}
	if len(u.edits) == 0 {
		return nil
	}
	return tree.Apply(u.Dir, u.edits, tree.ApplyOptions{Keep: len(u.Conflicts()) > 0})
}

// Abort takes the last update of the project in dir back, byte for byte, when it had conflicts or was interrupted, and
// returns the files that it touched. It is tree.ErrNothingToRestore for any other. Files that were changed since, other
// than those with conflicts, are a *tree.EditedError unless force is set.
func Abort(dir string, force bool) ([]string, error) { return tree.Restore(dir, force) }
