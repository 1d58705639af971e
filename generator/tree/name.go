package tree

import (
	"errors"
	"fmt"
	"path"
	"path/filepath"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/mod/module"
)

// maxElement is the longest name of one file or folder that common file systems take, in bytes.
const maxElement = 255

// ErrName is what every refused file name wraps.
var ErrName = errors.New("unsafe file name")

// NameError says why a file name is refused. errors.Is finds ErrName.
type NameError struct {
	Name   string // as given
	Reason string
}

// Error quotes the name, so that control characters in it do no harm.
func (e *NameError) Error() string { return fmt.Sprintf("%v %+q: %s", ErrName, e.Name, e.Reason) }

// Unwrap returns ErrName.
func (e *NameError) Unwrap() error { return ErrName }

// CheckName refuses, as *NameError, every name that could leave the root of a tree, that means something special to git or
// an operating system, or that would show as something else than it is.
func CheckName(name string) error {
	for _, check := range []func(string) string{checkForm, checkCharacters, checkElements, checkModule} {
		if reason := check(name); reason != "" {
			return &NameError{Name: name, Reason: reason}
		}
	}
	return nil
}

func checkForm(name string) string {
	switch {
	case name == "":
		return "it is empty"
	case !utf8.ValidString(name):
		return "it is not valid UTF-8"
	case strings.ContainsAny(name, `\:`):
		return `it has a \ or a :, which are separators on Windows`
	case path.IsAbs(name):
		return "it is absolute; it has to be relative to the project"
	case path.Clean(name) != name:
		return "it is not in its shortest form"
	case !filepath.IsLocal(filepath.FromSlash(name)):
		return "it leads out of the project"
	}
	return ""
}

func checkCharacters(name string) string {
	for _, r := range name {
		if unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || unicode.Is(unicode.Zl, r) || unicode.Is(unicode.Zp, r) {
			return fmt.Sprintf("it has the invisible character %U", r)
		}
	}
	return ""
}

func checkElements(name string) string {
	if first, _, _ := strings.Cut(name, "/"); strings.EqualFold(first, JournalDir) {
		return "it is in the folder for what an update needs to be taken back"
	}
	for element := range strings.SplitSeq(name, "/") {
		switch {
		case len(element) > maxElement:
			return fmt.Sprintf("a part of it is longer than %d bytes", maxElement)
		case strings.HasPrefix(element, "-"):
			return "a part of it starts with -, which commands take for an option"
		case strings.HasSuffix(element, ".") || strings.TrimSpace(element) != element:
			return "a part of it starts or ends with a space or ends with a dot, which Windows drops"
		case isGit(element):
			return "it reaches into git's own folder"
		}
	}
	return ""
}

// isGit knows the short name that Windows gives to .git, too.
func isGit(element string) bool {
	return strings.EqualFold(element, ".git") || strings.EqualFold(element, "git~1")
}

// checkModule refuses what a Go module may not hold: device names such as aux.go, odd punctuation, combining characters.
func checkModule(name string) string {
	err := module.CheckFilePath(name)
	var invalid *module.InvalidPathError
	if errors.As(err, &invalid) {
		return invalid.Err.Error()
	}
	if err != nil {
		return err.Error()
	}
	return ""
}

// folding finds names that are one name where case does not count, and files that are folders of other files.
type folding struct {
	seen map[string]claimed
}

type claimed struct {
	name string
	file bool
}

// claim takes name for a file, and every folder above it.
func (f *folding) claim(name string) error {
	if f.seen == nil {
		f.seen = map[string]claimed{}
	}
	if err := f.claimOne(name, true, name); err != nil {
		return err
	}
	for dir := path.Dir(name); dir != "."; dir = path.Dir(dir) {
		if err := f.claimOne(dir, false, name); err != nil {
			return err
		}
	}
	return nil
}

func (f *folding) claimOne(name string, file bool, whole string) error {
	key := foldCase(name)
	old, found := f.seen[key]
	switch {
	case !found:
		f.seen[key] = claimed{name, file}
		return nil
	case old.name != name:
		return &NameError{Name: whole, Reason: fmt.Sprintf("%+q and %+q are one name on systems where case does not count", old.name, name)}
	case old.file || file:
		return &NameError{Name: whole, Reason: fmt.Sprintf("%+q cannot be a file and a folder", name)}
	}
	return nil
}

// foldCase maps every rune to the smallest of those that differ from it in case only.
func foldCase(s string) string {
	return strings.Map(func(r rune) rune {
		smallest := r
		for f := unicode.SimpleFold(r); f != r; f = unicode.SimpleFold(f) {
			smallest = min(smallest, f)
		}
		return smallest
	}, s)
}
