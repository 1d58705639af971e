package update

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/plugingen/plugingen/generator"
	"github.com/plugingen/plugingen/generator/internal/lock"
	"github.com/plugingen/plugingen/generator/tree"
)

// maxDepth is how far below a folder projects are looked for.
const maxDepth = 8

// Root is the folder of the project that dir is in: the nearest one, dir itself or above it, with a plugingen.lock. Where there
// is none, it is dir.
func Root(dir string) (string, error) {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	for at := abs; ; at = filepath.Dir(at) {
		if isFile(filepath.Join(at, generator.LockName)) {
			return at, nil
		}
		if at == filepath.Dir(at) {
			return abs, nil
		}
	}
}

func isFile(name string) bool {
	info, err := os.Lstat(name)
	return err == nil && info.Mode().IsRegular()
}

// Find returns the folders of the projects in dir and below it, sorted. It follows no links, and looks neither into
// hidden folders nor into vendor, node_modules and testdata.
func Find(dir string) ([]string, error) {
	var found []string
	err := filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil && name == dir:
			return err
		case errors.Is(err, fs.ErrPermission):
			return nil
		case err != nil:
			return err
		case d.IsDir() && name != dir && skipped(d.Name()):
			return fs.SkipDir
		case d.IsDir() && depth(dir, name) > maxDepth:
			return fs.SkipDir
		case d.Name() == generator.LockName && d.Type().IsRegular():
			found = append(found, filepath.Dir(name))
		}
		return nil
	})
	slices.Sort(found)
	return found, err
}

func skipped(name string) bool {
	return name[0] == '.' || name == "vendor" || name == "node_modules" || name == "testdata"
}

func depth(dir, name string) int {
	n := 0
	for ; name != dir && name != filepath.Dir(name); name = filepath.Dir(name) {
		n++
	}
	return n
}

// OwnsContract says whether the project in dir has its contract to itself. Others may be wired to a project beside them,
// and have to wait until that one is up to date. A lock that cannot be read is left to New.
func OwnsContract(dir string) bool {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return true
	}
	defer func() { _ = root.Close() }() // it only holds a place in the file system
	content, _, err := tree.Read(root, generator.LockName)
	if err != nil || content == nil {
		return true
	}
	l, err := lock.Parse(content.Data)
	return err != nil || l.Contract == ""
}

// ConflictError lists the conflicts that an update leaves to people. errors.Is finds tree.ErrConflict.
type ConflictError struct{ Changes []Change }

// Error names each file, with the line of its first mark, and says what to do.
func (e *ConflictError) Error() string {
	text := "1 file needs your decision:"
	if n := len(e.Changes); n > 1 {
		text = fmt.Sprintf("%d files need your decision:", n)
	}
	for _, c := range e.Changes {
		text += "\n\t" + c.Place()
	}
	return text
}

// Unwrap returns tree.ErrConflict.
func (e *ConflictError) Unwrap() error { return tree.ErrConflict }

// Place is where to look: the file, the line of its first mark, and the reason.
func (c Change) Place() string {
	text := c.Path
	if c.Line > 0 {
		text += fmt.Sprintf(":%d", c.Line)
	}
	switch {
	case c.Marked == 1:
		text += ": 1 conflict is marked"
	case c.Marked > 1:
		text += fmt.Sprintf(": %d conflicts are marked", c.Marked)
	}
	if c.Reason != "" {
		text += ": " + c.Reason
	}
	return text
}

// Err is the *ConflictError for the update's conflicts, nil without any.
func (u *Update) Err() error {
	if conflicts := u.Conflicts(); len(conflicts) > 0 {
		return &ConflictError{Changes: conflicts}
	}
	return nil
}
