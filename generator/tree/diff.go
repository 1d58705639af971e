package tree

import (
	"io"

	"github.com/rogpeppe/go-internal/diff"
)

// Diff writes what the plan would change as a unified diff that patch and git apply take. Conflicts are shown as if
// they were resolved in favour of the tree.
func (p *Plan) Diff(w io.Writer) error {
	for _, c := range p.changes {
		if _, err := w.Write(c.diff()); err != nil {
			return err
		}
	}
	return nil
}

func (c Change) diff() []byte {
	if c.Blocked {
		return nil
	}
	from, to := "a/"+c.Path, "b/"+c.Path
	switch c.Action {
	case Create:
		from = "/dev/null"
	case Orphan:
		to = "/dev/null"
	}
	return diff.Diff(from, c.old, to, c.file.Data)
}
