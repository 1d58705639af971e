package tree

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
)

// CommitOptions change how a plan is carried out.
type CommitOptions struct {
	// Force replaces scaffolded files that differ; false means they are a *ConflictError. Blocked conflicts stay conflicts.
	Force bool
}

// ErrConflict is what every *ConflictError wraps.
var ErrConflict = errors.New("files are in the way")

// ConflictError lists the files that stand in the way of a commit. errors.Is finds ErrConflict.
type ConflictError struct {
	Dir     string
	Changes []Change
}

// Error names each file with its reason, one a line.
func (e *ConflictError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%v in %s; nothing was written:", ErrConflict, e.Dir)
	for _, c := range e.Changes {
		fmt.Fprintf(&b, "\n\t%s: %s", c.Path, c.Reason)
	}
	return b.String()
}

// Unwrap returns ErrConflict.
func (e *ConflictError) Unwrap() error { return ErrConflict }

// Conflicts returns the *ConflictError that Commit would return, nil for none.
func (p *Plan) Conflicts(o CommitOptions) error {
	var blocking []Change
	for _, c := range p.changes {
		if c.Action == Conflict && (c.Blocked || !o.Force) {
			blocking = append(blocking, c)
		}
	}
	if len(blocking) == 0 {
		return nil
	}
	return &ConflictError{Dir: p.dir, Changes: blocking}
}

// Commit makes the folder what the plan says: it creates, updates and removes orphans. Nothing is written before every
// check has passed. New content is laid beside the old first and then renamed into place; when anything goes wrong what
// was done is undone. The folder is made when it is missing.
// The error is a *ConflictError when files are in the way, else it comes from the file system.
func (p *Plan) Commit(o CommitOptions) error {
	if err := p.Conflicts(o); err != nil {
		return err
	}
	if !p.Differs() {
		return nil
	}
	made, err := makeFolder(p.dir)
	if err != nil {
		return fmt.Errorf("make the target folder: %w", err)
	}
	if err := p.write(); err != nil {
		return errors.Join(fmt.Errorf("write to %s: %w", p.dir, err), removeFolders(made))
	}
	return nil
}

// makeFolder returns the folders that it made, innermost first.
func makeFolder(dir string) (made []string, err error) {
	for d := filepath.Clean(dir); ; d = filepath.Dir(d) {
		if _, err := os.Stat(d); err == nil || d == filepath.Dir(d) {
			break
		}
		made = append(made, d)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, errors.Join(err, removeFolders(made))
	}
	return made, nil
}

func removeFolders(innermostFirst []string) error {
	var errs []error
	for _, d := range innermostFirst {
		if err := os.Remove(d); err != nil && !errors.Is(err, fs.ErrNotExist) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

func (p *Plan) write() error {
	root, err := os.OpenRoot(p.dir)
	if err != nil {
		return err
	}
	defer func() { _ = root.Close() }() // it only holds a place in the file system
	tx := transaction{root: root, temps: map[string]string{}}
	if err := tx.run(p.changes); err != nil {
		return errors.Join(err, tx.undo())
	}
	return nil
}

// transaction is one commit: what has been done, newest last, as functions that take it back.
type transaction struct {
	root  *os.Root
	temps map[string]string // by path: the staged content
	back  []func() error
}

func (tx *transaction) run(changes []Change) error {
	var staged []Change
	for _, c := range changes {
		if c.Action == Same {
			continue
		}
		if err := tx.verify(c); err != nil {
			return err
		}
		if c.Action != Orphan {
			if err := tx.stage(c); err != nil {
				return err
			}
		}
		staged = append(staged, c)
	}
	for _, c := range staged {
		if err := tx.finish(c); err != nil {
			return err
		}
	}
	return nil
}

// undo takes back everything, newest first. A commit that has gone through is not undone.
func (tx *transaction) undo() error {
	var errs []error
	for i := len(tx.back) - 1; i >= 0; i-- {
		errs = append(errs, tx.back[i]())
	}
	tx.back = nil
	return errors.Join(errs...)
}

// verify makes sure that the file still is what the plan saw.
func (tx *transaction) verify(c Change) error {
	now, reason, err := readPlain(tx.root, c.Path)
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	if err != nil {
		return err
	}
	if reason != "" {
		return fmt.Errorf("%s: %s", c.Path, reason)
	}
	if !bytes.Equal(now, c.old) {
		return fmt.Errorf("%s was changed by somebody else meanwhile; run the command again", c.Path)
	}
	return nil
}

// stage writes the new content beside the old.
func (tx *transaction) stage(c Change) error {
	if err := tx.makeParents(c.Path); err != nil {
		return err
	}
	f, name, err := tx.createTemp(c)
	if err != nil {
		return err
	}
	tx.temps[c.Path] = name
	tx.back = append(tx.back, func() error { return ignoreMissing(tx.root.Remove(name)) })
	_, err = f.Write(c.file.Data)
	return errors.Join(err, f.Close())
}

// maxTemps is how many leftovers of killed commits are stepped over in one folder.
const maxTemps = 1000

func (tx *transaction) createTemp(c Change) (f *os.File, name string, err error) {
	for n := len(tx.temps); n < len(tx.temps)+maxTemps; n++ {
		name = path.Join(path.Dir(c.Path), fmt.Sprintf(".plugingen-%d-%d", os.Getpid(), n))
		f, err = tx.root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, c.file.Mode)
		if !errors.Is(err, fs.ErrExist) {
			break
		}
	}
	return f, name, err
}

func (tx *transaction) makeParents(name string) error {
	for dir := range parents(name) {
		err := tx.root.Mkdir(dir, 0o755)
		switch {
		case err == nil:
			tx.back = append(tx.back, func() error { return ignoreMissing(tx.root.Remove(dir)) })
		case !errors.Is(err, fs.ErrExist):
			return err
		}
	}
	return nil
}

// finish puts the staged content in place, or removes the orphan.
func (tx *transaction) finish(c Change) error {
	if c.Action == Orphan {
		if err := tx.root.Remove(c.Path); err != nil {
			return err
		}
	} else if err := tx.root.Rename(tx.temps[c.Path], c.Path); err != nil {
		return err
	}
	tx.back = append(tx.back, func() error { return tx.restore(c) })
	return nil
}

func (tx *transaction) restore(c Change) error {
	if c.old == nil {
		return ignoreMissing(tx.root.Remove(c.Path))
	}
	return tx.root.WriteFile(c.Path, c.old, 0o644)
}

func ignoreMissing(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
