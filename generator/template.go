package generator

import (
	"path/filepath"
	"strings"
)

// Template says which version of which template set made a project. The zero value is the built-in set.
type Template struct {
	// Origin is where the set comes from, without a version: a folder, the path of a module, the URL of a git repository.
	// A folder is relative to the project's, with slashes, unless it was named by an absolute path.
	Origin string
	// Version is a module's version or a repository's commit; empty for a folder, which has none.
	Version string
	// Hash is h1: and the hash of the set's files, those of the sets that it extends included, the built-in ones not.
	Hash string
}

// IsBuiltin says whether no set but the built-in one is used.
func (t Template) IsBuiltin() bool { return t.Origin == "" }

// Reference is the set as ProjectRequest.Template takes it: at version, or at the recorded one when version is empty.
// dir is the project's folder.
func (t Template) Reference(dir, version string) string {
	switch {
	case t.IsBuiltin():
		return ""
	case t.Version == "" && version == "":
		if filepath.IsAbs(t.Origin) {
			return t.Origin
		}
		return asFolder(filepath.Join(dir, filepath.FromSlash(t.Origin)))
	case version == "":
		version = t.Version
	}
	return strings.TrimSuffix(t.Origin, "@") + "@" + version
}

// asFolder writes a folder so that its form alone tells that it is one.
func asFolder(dir string) string {
	if filepath.IsAbs(dir) || strings.HasPrefix(dir, ".") {
		return dir
	}
	return "." + string(filepath.Separator) + dir
}

// Answer is the value of one of a set's variables.
type Answer struct {
	// Value is a string, a bool, an int, or a []string.
	Value any
	// Secret values are for this run alone: they are never recorded.
	Secret bool
}

// Typed is an answer as somebody types it: true, 12 or a,b become what the variable's type makes of them.
type Typed string

// Question asks for the value of one variable.
type Question struct {
	Name    string
	Type    string // string, bool, int, enum or list
	Prompt  string // one line; never empty
	Help    string // may be empty
	Default any    // nil when an answer is required
	Choices []string
	Secret  bool
	// Check turns what somebody typed into a value, or says what is wrong with it.
	Check func(text string) (any, error)
}
