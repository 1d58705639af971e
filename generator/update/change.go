package update

import (
	"bytes"
	"fmt"
	"io"
	"io/fs"
	"runtime"
	"slices"
	"strings"

	"github.com/rogpeppe/go-internal/diff"

	"github.com/plugingen/plugingen/generator"
	"github.com/plugingen/plugingen/generator/tree"
)

// Action is what an update does to a file.
type Action string

// What an update does to files.
const (
	Same     Action = "same"     // nothing
	Create   Action = "create"   // the template has it anew
	Replace  Action = "update"   // its owner left it alone, the template did not
	Merge    Action = "merge"    // both changed it, in different places
	Rename   Action = "rename"   // the template calls it by another name now
	Remove   Action = "remove"   // the template no longer has it, and its owner left it alone
	Keep     Action = "keep"     // it stays as it is, or stays away, whatever the template says
	Conflict Action = "conflict" // somebody has to look at it
)

// Change is what an update does to one file.
type Change struct {
	Path   string
	From   string // its name so far, when that changes; else empty
	Action Action
	Owner  tree.Owner
	// Reason says why it is kept or in conflict, and what else there is to know.
	Reason string
	// Marked is how many conflicts are marked in the file, and Line where the first one will be.
	Marked, Line int
}

// Differs says whether a commit would do something to the file, or ask somebody to.
func (c Change) Differs() bool { return c.Action != Same && c.Action != Keep }

// Tally counts changes, such as "1 to create, 2 in conflict".
func Tally(changes []Change) string {
	var parts []string
	for _, a := range []Action{Create, Replace, Merge, Rename, Remove, Conflict} {
		n := 0
		for _, c := range changes {
			if c.Action == a {
				n++
			}
		}
		switch {
		case n > 0 && a == Conflict:
			parts = append(parts, fmt.Sprintf("%d in conflict", n))
		case n > 0:
			parts = append(parts, fmt.Sprintf("%d to %s", n, a))
		}
	}
	return strings.Join(parts, ", ")
}

// onDisk is a file as it is. Both are empty when there is none.
type onDisk struct {
	content *tree.Content
	reason  string // why it can be neither read nor replaced
}

func (d *onDisk) missing() bool { return d.content == nil && d.reason == "" }

func (d *onDisk) data() []byte {
	if d.content == nil {
		return nil
	}
	return d.content.Data
}

// disk reads the file, once.
func (p *planner) disk(name string) (*onDisk, error) {
	if d, found := p.contents[name]; found {
		return d, nil
	}
	content, reason, err := tree.Read(p.root, name)
	if err != nil {
		return nil, err
	}
	d := &onDisk{content: content, reason: reason}
	p.contents[name] = d
	return d, nil
}

// decision is a change with the contents that it is about.
type decision struct {
	Change
	old *onDisk
	// new is what will be there; nil means nothing. It counts for changes that Differs alone.
	new *tree.Content
	// made is what the generator makes of a generated file, whatever becomes of it.
	made []byte
}

// edits are what a commit does for the decision.
func (d *decision) edits() []tree.Edit {
	switch {
	case !d.Differs(), d.unchanged():
		return nil
	case d.From != "":
		return []tree.Edit{
			{Path: d.From, Old: d.old.content},
			{Path: d.Path, New: d.new, Draft: d.Action == Conflict},
		}
	}
	return []tree.Edit{{Path: d.Path, Old: d.old.content, New: d.new, Draft: d.Action == Conflict}}
}

func (d *decision) unchanged() bool {
	old := d.old.content
	if old == nil || d.new == nil {
		return old == d.new
	}
	return d.From == "" && bytes.Equal(old.Data, d.new.Data) && old.Mode == d.new.Mode
}

// mergedMode gives ours the right to execute that the template gave or took. Otherwise permissions are the owner's.
func mergedMode(base, ours, theirs fs.FileMode) fs.FileMode {
	const execute = 0o111
	if runtime.GOOS == "windows" || (base&execute == 0) == (theirs&execute == 0) || (ours&execute == 0) != (base&execute == 0) {
		return ours
	}
	if theirs&execute == 0 {
		return ours &^ execute
	}
	return ours | ours&0o444>>2 // who may read may execute
}

// Diff writes what the update would change as a unified diff that patch and git apply take. The lock is left out.
func (u *Update) Diff(w io.Writer) error {
	for _, e := range u.edits {
		if e.Path == generator.LockName {
			continue
		}
		from, to := "a/"+e.Path, "b/"+e.Path
		var before, after []byte
		if e.Old == nil {
			from = "/dev/null"
		} else {
			before = e.Old.Data
		}
		if e.New == nil {
			to = "/dev/null"
		} else {
			after = e.New.Data
		}
		if _, err := w.Write(diff.Diff(from, before, to, after)); err != nil {
			return err
		}
	}
	return nil
}

// sortedPaths are the paths of both lists of files, sorted, each once.
func sortedPaths(lists ...[]string) []string {
	all := slices.Concat(lists...)
	slices.Sort(all)
	return slices.Compact(all)
}
