package tree

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
)

// ErrNothingToRestore says that no Apply left anything to take back.
var ErrNothingToRestore = errors.New("there is nothing to take back")

// EditedError names files that somebody has changed after the Apply that is to be taken back.
type EditedError struct{ Paths []string }

// Error lists the files.
func (e *EditedError) Error() string {
	return "changed since: " + strings.Join(e.Paths, ", ")
}

// Restore takes back what the last Apply in dir did, byte for byte, and returns the files that it touched. Drafts are taken back
// whatever became of them; other files that were changed since are an *EditedError, unless force is set.
// When it is killed it can be run again.
func Restore(dir string, force bool) ([]string, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	defer func() { _ = root.Close() }() // it only holds a place in the file system
	j, err := readJournal(root)
	if err != nil {
		return nil, err
	}
	if j == nil {
		return nil, ErrNothingToRestore
	}
	if j.Kept && !force {
		if err := j.edited(root); err != nil {
			return nil, err
		}
	}
	var paths []string
	for _, e := range j.Edits {
		paths = append(paths, e.Path)
	}
	return paths, restore(root, j)
}

// edited finds the files that are neither as before nor as after.
func (j *journal) edited(root *os.Root) error {
	var edited EditedError
	for _, e := range j.Edits {
		if e.Draft {
			continue
		}
		now, reason, err := Read(root, e.Path)
		if err != nil {
			return err
		}
		if reason == "" && !e.Old.is(now) && !e.New.is(now) {
			edited.Paths = append(edited.Paths, e.Path)
		}
	}
	if edited.Paths != nil {
		return &edited
	}
	return nil
}

func (s *journalState) is(c *Content) bool {
	if s == nil || c == nil {
		return s == nil && c == nil
	}
	return s.Hash == hashOf(c.Data)
}

// restore undoes as much as it can, and gives up the way back only when all is undone.
func restore(root *os.Root, j *journal) error {
	errs := []error{j.removeNew(root), j.makeFolders(root)}
	for i, e := range j.Edits {
		if e.Old != nil {
			errs = append(errs, e.bringBack(root, i))
		}
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("take back the change (what was there before is in %s/old): %w", JournalDir, err)
	}
	return discard(root)
}

// removeNew removes what was not there before: files, and then the folders that were made for them.
func (j *journal) removeNew(root *os.Root) error {
	var errs []error
	for _, e := range j.Edits {
		if e.Old != nil {
			continue
		}
		info, err := root.Lstat(e.Path)
		if err == nil && info.Mode().IsRegular() {
			errs = append(errs, ignoreMissing(root.Remove(e.Path)))
		}
	}
	for _, dir := range slices.Backward(j.Made) {
		if info, err := root.Lstat(dir); err == nil && info.IsDir() {
			_ = root.Remove(dir) // when it has files by now they are somebody else's
		}
	}
	return errors.Join(errs...)
}

func (j *journal) makeFolders(root *os.Root) error {
	for _, f := range j.Folders {
		err := root.Mkdir(f.Path, f.Mode|0o700)
		if errors.Is(err, fs.ErrExist) {
			continue
		}
		if err == nil {
			err = root.Chmod(f.Path, f.Mode)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// bringBack puts what was there before in its place, unless it is there.
func (e journalEdit) bringBack(root *os.Root, i int) error {
	now, reason, err := Read(root, e.Path)
	if err != nil {
		return err
	}
	if reason != "" {
		return fmt.Errorf("%s: %s", e.Path, reason)
	}
	if e.Old.is(now) && sameMode(now.Mode, e.Old.Mode) {
		return nil
	}
	before, reason, err := Read(root, numbered(oldDir, i))
	switch {
	case err != nil:
		return err
	case before == nil || reason != "" || !e.Old.is(before):
		return fmt.Errorf("%s: the copy in %s is damaged", e.Path, numbered(oldDir, i))
	}
	beside := JournalDir + "/restored"
	if err := root.WriteFile(beside, before.Data, 0o600); err != nil {
		return err
	}
	if err := root.Chmod(beside, e.Old.Mode); err != nil {
		return err
	}
	return root.Rename(beside, e.Path)
}
