package tree

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"regexp"
	"slices"
	"strings"
	"syscall"
)

// Action is what becomes of a file in the folder.
type Action uint8

// What a plan does with files.
const (
	Same     Action = iota // it is there already, byte for byte
	Create                 // it is missing
	Update                 // it is generated and differs
	Conflict               // it cannot be replaced, or not without force
	Orphan                 // it was generated once, and no longer is
)

// String is one word for a list of changes.
func (a Action) String() string {
	return [...]string{"same", "create", "update", "conflict", "orphan"}[a]
}

// Change is what a plan does to one file.
type Change struct {
	Path   string
	Action Action
	Owner  Owner
	Reason string // of a conflict
	// Blocked says that not even force resolves the conflict: something other than a plain file is in the way.
	Blocked bool

	old  []byte // what is there; nil when nothing is
	file File   // what is wanted
}

// Plan is the difference between a tree and a folder.
type Plan struct {
	dir     string
	changes []Change
}

// Plan compares the tree with the folder dir, which need not exist. It only reads.
func (t *Tree) Plan(dir string) (*Plan, error) {
	p := &Plan{dir: dir}
	root, err := os.OpenRoot(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		for _, f := range t.Files() {
			p.changes = append(p.changes, Change{Path: f.Path, Action: Create, Owner: f.Owner, file: f})
		}
		return p, nil
	case err != nil:
		return nil, fmt.Errorf("open the target folder: %w", err)
	}
	defer func() { _ = root.Close() }() // it only holds a place in the file system
	if err := p.compare(root, t); err != nil {
		return nil, fmt.Errorf("compare with %s: %w", dir, err)
	}
	return p, nil
}

func (p *Plan) compare(root *os.Root, t *Tree) error {
	for _, f := range t.Files() {
		c, err := compareFile(root, f)
		if err != nil {
			return err
		}
		p.changes = append(p.changes, c)
	}
	for _, folder := range t.generatedFolders() {
		orphans, err := findOrphans(root, folder, t)
		if err != nil {
			return err
		}
		p.changes = append(p.changes, orphans...)
	}
	slices.SortStableFunc(p.changes, func(a, b Change) int { return strings.Compare(a.Path, b.Path) })
	return nil
}

func compareFile(root *os.Root, f File) (Change, error) {
	c := Change{Path: f.Path, Owner: f.Owner, file: f}
	old, reason, err := readPlain(root, f.Path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		c.Action = Create
	case err != nil:
		return c, err
	case reason != "":
		c.Action, c.Reason, c.Blocked = Conflict, reason, true
	case bytes.Equal(old, f.Data):
		c.Action, c.old = Same, old
	case f.Owner == Amended, f.Owner != Scaffolded && IsGenerated(old):
		c.Action, c.old = Update, old
	case f.Owner != Scaffolded:
		c.Action, c.old, c.Reason = Conflict, old, "it does not say that it is generated: somebody wrote it by hand"
	default:
		c.Action, c.old, c.Reason = Conflict, old, "it is there already and differs"
	}
	return c, nil
}

// readPlain returns the bytes of a plain file, or the reason why name can be neither read nor replaced.
// It opens nothing but plain files: opening a named pipe would hang.
func readPlain(root *os.Root, name string) (data []byte, reason string, err error) {
	for dir := range parents(name) {
		info, err := root.Stat(dir)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			if _, err := root.Lstat(dir); err == nil {
				return nil, dir + " is a symbolic link to nowhere", nil
			}
			return nil, "", fs.ErrNotExist
		case isEscape(err):
			return nil, dir + " is a symbolic link that leaves the folder", nil
		case errors.Is(err, syscall.ELOOP):
			return nil, dir + " is a symbolic link that leads in a circle", nil
		case err != nil:
			return nil, "", err
		case !info.IsDir():
			return nil, dir + " is not a folder", nil
		}
	}
	info, err := root.Lstat(name)
	if err != nil {
		return nil, "", err
	}
	if !info.Mode().IsRegular() {
		return nil, "in its place is " + describe(info.Mode()), nil
	}
	data, err = root.ReadFile(name)
	return data, "", err
}

// parents yields the folders above name, outermost first.
func parents(name string) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		for i, r := range name {
			if r == '/' && !yield(name[:i]) {
				return
			}
		}
	}
}

// isEscape recognises os.Root's refusal, which has no exported error: neither a system error nor a missing file.
func isEscape(err error) bool {
	var pathErr *fs.PathError
	if !errors.As(err, &pathErr) {
		return false
	}
	var errno syscall.Errno
	return !errors.As(pathErr.Err, &errno) && !errors.Is(err, fs.ErrNotExist)
}

func describe(mode fs.FileMode) string {
	switch {
	case mode.IsDir():
		return "a folder"
	case mode&fs.ModeSymlink != 0:
		return "a symbolic link"
	default:
		return "something that is not a plain file"
	}
}

func findOrphans(root *os.Root, folder string, t *Tree) ([]Change, error) {
	entries, err := fs.ReadDir(root.FS(), folder)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) || errors.Is(err, syscall.ELOOP) || isEscape(err) {
		return nil, nil // compareFile reported what there is to report
	}
	if err != nil {
		return nil, err
	}
	var orphans []Change
	for _, e := range entries {
		name := path.Join(folder, e.Name())
		if _, wanted := t.File(name); wanted || !e.Type().IsRegular() {
			continue
		}
		data, err := root.ReadFile(name)
		if err != nil {
			return nil, err
		}
		if isOurs(data) {
			orphans = append(orphans, Change{Path: name, Action: Orphan, Owner: Generated, old: data})
		}
	}
	return orphans, nil
}

// Header is the line, after the comment sign, by which generated files are known.
const Header = "Code generated by plugingen. DO NOT EDIT."

var (
	anyHeader = regexp.MustCompile(`^(//|#) Code generated .* DO NOT EDIT\.$`)
	ourHeader = regexp.MustCompile(`^(//|#) ` + regexp.QuoteMeta(Header) + `$`)
)

// IsGenerated says whether data starts with a comment that says, in Go's convention, that a tool wrote it.
func IsGenerated(data []byte) bool { return hasHeader(data, anyHeader) }

func isOurs(data []byte) bool { return hasHeader(data, ourHeader) }

// hasHeader looks at the comments at the top of the file: further down the words are a quotation.
func hasHeader(data []byte, header *regexp.Regexp) bool {
	for line := range bytes.Lines(data) {
		line = bytes.TrimRight(line, "\r\n")
		switch {
		case header.Match(line):
			return true
		case len(line) > 0 && !bytes.HasPrefix(line, []byte("//")) && !bytes.HasPrefix(line, []byte("#")):
			return false
		}
	}
	return false
}

// Dir is the folder that the plan is for.
func (p *Plan) Dir() string { return p.dir }

// Changes lists what the plan does, sorted by path; files that stay the same included.
func (p *Plan) Changes() []Change { return slices.Clone(p.changes) }

// Count is the number of changes with the given action.
func (p *Plan) Count(a Action) int {
	n := 0
	for _, c := range p.changes {
		if c.Action == a {
			n++
		}
	}
	return n
}

// Differs says whether a commit would change anything.
func (p *Plan) Differs() bool { return p.Count(Same) != len(p.changes) }
