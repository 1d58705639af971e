package tree

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"runtime"
	"slices"
	"strings"
)

// Content is a file's bytes and permissions.
type Content struct {
	Data []byte
	Mode fs.FileMode // permission bits alone
}

// Edit is one change to a folder that its maker has worked out.
type Edit struct {
	Path string
	Old  *Content // what has to be there; nil means nothing
	New  *Content // what shall be there; nil means nothing
	// Draft says that somebody will go on working on the file before the change is settled.
	Draft bool
}

// ApplyOptions change what Apply leaves.
type ApplyOptions struct {
	// Keep leaves what Restore needs, even when all went well.
	Keep bool
}

// ErrPending says that an earlier Apply was neither settled nor taken back.
var ErrPending = errors.New("an earlier change is not finished")

// Read returns the plain file called name in dir; nil when there is none. When it can be neither read nor replaced it
// returns the reason, such as that it is a folder, or lies behind a link that leaves dir.
func Read(root *os.Root, name string) (c *Content, reason string, err error) {
	data, reason, err := readPlain(root, name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, "", nil
	case err != nil || reason != "":
		return nil, reason, err
	}
	info, err := root.Lstat(name)
	if err != nil {
		return nil, "", err
	}
	return &Content{Data: data, Mode: info.Mode().Perm()}, "", nil
}

// Apply carries out the edits in dir, which must exist, or none of them. A file may take the place of a folder whose
// files all go, and the other way round; folders that become empty go, too. What was there before is copied first, so that
// Restore can bring it back even after a crash.
// It is ErrPending when an earlier Apply left something. It is an error when something else than Old is there.
func Apply(dir string, edits []Edit, o ApplyOptions) error {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer func() { _ = root.Close() }() // it only holds a place in the file system
	if j, err := readJournal(root); err != nil || j != nil {
		return errors.Join(ErrPending, err)
	}
	a := &applier{root: root, edits: edits}
	if err := a.prepare(); err != nil {
		return errors.Join(fmt.Errorf("write to %s: %w", dir, err), discard(root))
	}
	if err := a.carryOut(); err != nil {
		return errors.Join(fmt.Errorf("write to %s: %w", dir, err), restore(root, &a.journal))
	}
	if !o.Keep {
		return discard(root)
	}
	a.journal.Kept = true
	return errors.Join(a.journal.write(root), root.RemoveAll(newDir))
}

type applier struct {
	root    *os.Root
	edits   []Edit
	journal journal
}

// prepare copies what is there, lays out what will be, and writes the journal.
func (a *applier) prepare() error {
	a.journal.Version = journalVersion
	for _, e := range a.edits {
		if err := a.verify(e); err != nil {
			return err
		}
	}
	if err := a.makeJournalDir(); err != nil {
		return err
	}
	for i, e := range a.edits {
		if err := a.lay(numbered(oldDir, i), e.Old, 0o600); err != nil {
			return err
		}
		if err := a.stage(numbered(newDir, i), e); err != nil {
			return err
		}
		a.journal.Edits = append(a.journal.Edits, journalEdit{Path: e.Path, Draft: e.Draft, Old: stateOf(e.Old), New: stateOf(e.New)})
	}
	if err := a.noteFolders(); err != nil {
		return err
	}
	return a.journal.write(a.root)
}

// makeJournalDir makes the folder anew: without a journal in it, it is a leftover. Git looks over it by its own word.
func (a *applier) makeJournalDir() error {
	if err := a.root.RemoveAll(JournalDir); err != nil {
		return err
	}
	for _, dir := range []string{JournalDir, oldDir, newDir} {
		if err := a.root.Mkdir(dir, 0o700); err != nil {
			return err
		}
	}
	return a.root.WriteFile(JournalDir+"/.gitignore", []byte("*\n"), 0o600)
}

func (a *applier) lay(name string, c *Content, mode fs.FileMode) error {
	if c == nil {
		return nil
	}
	return a.root.WriteFile(name, c.Data, mode)
}

// stage gives a new file the permissions that this user's files have, and an old one exactly what is asked for.
func (a *applier) stage(name string, e Edit) error {
	if e.New == nil {
		return nil
	}
	if err := a.lay(name, e.New, e.New.Mode); err != nil || e.Old == nil {
		return err
	}
	return a.root.Chmod(name, e.New.Mode)
}

// verify makes sure that nothing but Old is there.
func (a *applier) verify(e Edit) error {
	if err := CheckName(e.Path); err != nil {
		return err
	}
	now, reason, err := Read(a.root, e.Path)
	switch {
	case err != nil:
		return err
	case e.Old == nil && a.makesRoom(e.Path):
		return nil
	case reason != "":
		return fmt.Errorf("%s: %s", e.Path, reason)
	case (now == nil) != (e.Old == nil), now != nil && !bytes.Equal(now.Data, e.Old.Data):
		return fmt.Errorf("%s was changed by somebody else meanwhile; run the command again", e.Path)
	}
	return nil
}

// makesRoom says whether a file goes that is above name, or below it, or has the same name where case does not count.
func (a *applier) makesRoom(name string) bool {
	return slices.ContainsFunc(a.edits, func(e Edit) bool {
		return e.New == nil && (strings.HasPrefix(e.Path, name+"/") || strings.HasPrefix(name, e.Path+"/") || foldCase(e.Path) == foldCase(name))
	})
}

// noteFolders finds out which folders may go, and which will come.
func (a *applier) noteFolders() error {
	seen := map[string]bool{}
	for _, e := range a.edits {
		for dir := range parents(e.Path) {
			if seen[dir] {
				continue
			}
			seen[dir] = true
			info, err := a.root.Stat(dir)
			switch {
			case errors.Is(err, fs.ErrNotExist) || err == nil && !info.IsDir() || err != nil && a.makesRoom(dir):
				a.journal.Made = append(a.journal.Made, dir)
			case err != nil:
				return err
			default:
				a.journal.Folders = append(a.journal.Folders, journalState{Path: dir, Mode: info.Mode().Perm()})
			}
		}
	}
	byPath := func(a, b string) int { return strings.Compare(a, b) }
	slices.SortFunc(a.journal.Made, byPath)
	slices.SortFunc(a.journal.Folders, func(a, b journalState) int { return byPath(a.Path, b.Path) })
	return nil
}

func (a *applier) carryOut() error {
	for _, step := range a.steps() {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

// steps are what changes the folder, one file each. Files go first, so that there is room for what comes.
func (a *applier) steps() []func() error {
	var gone, put []func() error
	for i, e := range a.edits {
		if e.New == nil {
			gone = append(gone, func() error { return removeFile(a.root, e.Path) })
			continue
		}
		put = append(put, func() error {
			if err := makeParents(a.root, e.Path); err != nil {
				return err
			}
			return a.root.Rename(numbered(newDir, i), e.Path)
		})
	}
	return append(gone, put...)
}

// removeFile removes a file, and the folders that it leaves empty.
func removeFile(root *os.Root, name string) error {
	if err := ignoreMissing(root.Remove(name)); err != nil {
		return err
	}
	for dir := path.Dir(name); dir != "."; dir = path.Dir(dir) {
		if info, err := root.Lstat(dir); err != nil || !info.IsDir() || root.Remove(dir) != nil {
			return nil // it has other files, or is a link: its owner's business
		}
	}
	return nil
}

func makeParents(root *os.Root, name string) error {
	if dir := path.Dir(name); dir != "." {
		return root.MkdirAll(dir, 0o755)
	}
	return nil
}

// sameMode compares what the system keeps of permissions.
func sameMode(a, b fs.FileMode) bool { return runtime.GOOS == "windows" || a == b }
