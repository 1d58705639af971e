// Package lock reads and writes plugingen.lock: what plugingen wrote into a project, so that an update can tell its changes from
// those of the project's owner.
package lock

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"io/fs"
	"unicode/utf8"

	"github.com/plugingen/plugingen/generator/tree"
)

// Version is the version of the format. A reader refuses every other one.
const Version = "1"

// Name is the file's name.
const Name = "plugingen.lock"

// Lock is what a plugingen.lock says.
type Lock struct {
	Generator string // the version of plugingen that wrote it
	// What the project was made from. Empty texts are left out of the file.
	Kind, Name, Module  string
	Interface, Contract string
	Runtime             string // "copy", a folder, or empty
	Template            Template
	Answers             []Answer // sorted by name
	Files               []File   // sorted by path
}

// Template is a set of templates, pinned. The zero value is the built-in set.
type Template struct{ Origin, Version, Hash string }

// Answer is the value of one of the template's variables: a string, a bool, an int or a []string; nil for a secret, which is
// not recorded.
type Answer struct {
	Name  string
	Value any
}

// File is a file of the project as plugingen wrote it.
type File struct {
	Path  string
	Owner tree.Owner
	Mode  fs.FileMode
	Hash  string // see Sum
	// From is the template that it was made from, when its own name does not tell: by it a renamed file is known again.
	From string
	// Text is the content, which a merge needs; nil when only the hash is recorded.
	Text []byte
	// Secret says that the content has a secret in it, and so is not recorded.
	Secret bool
}

// Sum is the hash of a file's content, as sha256sum prints it.
func Sum(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

// Find returns the file at path.
func (l *Lock) Find(path string) (File, bool) {
	for _, f := range l.Files {
		if f.Path == path {
			return f, true
		}
	}
	return File{}, false
}

// isPlain says whether text can be written line by line: no editor and no git setting may change a byte of it.
func isPlain(text []byte) bool {
	return utf8.Valid(text) && bytes.IndexByte(text, '\r') < 0 && bytes.IndexByte(text, 0) < 0
}
