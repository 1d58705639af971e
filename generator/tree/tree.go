// Package tree holds the files of a project in memory, compares them with a folder and writes them there.
//
// Nothing reaches the disk before [Plan.Commit], and nothing ever reaches a place outside the folder.
package tree

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
)

// Owner says who looks after a file once it exists.
type Owner uint8

const (
	// Scaffolded files belong to the user after their creation: they are never overwritten unless forced.
	Scaffolded Owner = iota
	// Generated files carry a header that says so and are always replaced.
	Generated
	// Record is a generated file that says nothing of its neighbours: no file beside it is left over because it is not in the tree.
	Record
	// Amended is the user's file with something added: it was made from what is on the disk.
	Amended
)

// String is "scaffolded", "generated", "record" or "amended".
func (o Owner) String() string {
	return [...]string{"scaffolded", "generated", "record", "amended"}[o]
}

// File is one file of a tree.
type File struct {
	Path  string      // slash-separated, relative to the root of the tree
	Data  []byte      // not copied; must not change afterwards
	Mode  fs.FileMode // zero means 0644; only permission bits count
	Owner Owner
}

// Tree is a set of files with distinct, safe names. The zero value is an empty tree. It is not safe for concurrent use.
type Tree struct {
	files map[string]File
	names folding
}

// ErrDuplicate says that a file was added twice.
var ErrDuplicate = errors.New("the file is there already")

// Add puts f into the tree. It refuses names that are unsafe on any system, as *NameError, and
// names that are there already, as ErrDuplicate.
func (t *Tree) Add(f File) error {
	if err := CheckName(f.Path); err != nil {
		return err
	}
	if _, found := t.files[f.Path]; found {
		return fmt.Errorf("add %s: %w", f.Path, ErrDuplicate)
	}
	if err := t.names.claim(f.Path); err != nil {
		return err
	}
	if t.files == nil {
		t.files = map[string]File{}
	}
	f.Mode = f.Mode.Perm()
	if f.Mode == 0 {
		f.Mode = 0o644
	}
	t.files[f.Path] = f
	return nil
}

// AddTree adds every file of other below dir; "" means at the root.
func (t *Tree) AddTree(dir string, other *Tree) error {
	for _, f := range other.Files() {
		f.Path = path.Join(dir, f.Path)
		if err := t.Add(f); err != nil {
			return err
		}
	}
	return nil
}

// Files returns the files sorted by path.
func (t *Tree) Files() []File {
	files := make([]File, 0, len(t.files))
	for _, f := range t.files {
		files = append(files, f)
	}
	slices.SortFunc(files, func(a, b File) int { return strings.Compare(a.Path, b.Path) })
	return files
}

// File returns the file at path.
func (t *Tree) File(path string) (File, bool) {
	f, found := t.files[path]
	return f, found
}

// Len is the number of files.
func (t *Tree) Len() int { return len(t.files) }

// generatedFolders are the folders that hold generated files: where an orphan may lie.
func (t *Tree) generatedFolders() []string {
	var folders []string
	for _, f := range t.files {
		if f.Owner == Generated {
			folders = append(folders, path.Dir(f.Path))
		}
	}
	slices.Sort(folders)
	return slices.Compact(folders)
}

// Put replaces the content of a file that is in the tree; it adds nothing.
func (t *Tree) Put(path string, data []byte) {
	if f, found := t.files[path]; found {
		f.Data = data
		t.files[path] = f
	}
}
