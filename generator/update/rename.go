package update

import (
	"io/fs"
	"os"
	"strings"

	"github.com/plugingen/plugingen/generator/internal/lock"
	"github.com/plugingen/plugingen/generator/internal/merge"
	"github.com/plugingen/plugingen/generator/internal/render"
	"github.com/plugingen/plugingen/generator/tree"
)

// similarEnough is how much of a file has to be the same for it to be a renamed one.
const similarEnough = 0.6

// renames finds the files that the template calls by another name now, so that what their owner changed moves along.
func (p *planner) renames() error {
	came := p.newcomers()
	for _, base := range p.base.Files {
		if _, stays := p.file(base.Path); stays || base.Owner != tree.Scaffolded || base.Hash == lock.Sum(nil) {
			continue
		}
		i := p.bestMatch(base, came)
		if i < 0 {
			continue
		}
		done, err := p.rename(base, came[i])
		if err != nil {
			return err
		}
		if done {
			came = append(came[:i], came[i+1:]...)
		}
	}
	return nil
}

// newcomers are the files that the template did not have.
func (p *planner) newcomers() []tree.File {
	var came []tree.File
	for _, f := range p.theirs.Tree.Files() {
		if _, known := p.base.Find(f.Path); !known && f.Owner == tree.Scaffolded {
			came = append(came, f)
		}
	}
	return came
}

// bestMatch is the index of the file that base became; -1 for none. That they are made from one template counts most, then a
// name that differs in case alone, then the same content, then content that is mostly the same.
func (p *planner) bestMatch(base lock.File, came []tree.File) int {
	best, score := -1, 0.0
	for i, f := range came {
		s := 0.0
		next, _ := p.next.Find(f.Path)
		switch {
		case fromOne(base, next):
			s = 4
		case strings.EqualFold(f.Path, base.Path):
			s = 3
		case lock.Sum(f.Data) == base.Hash:
			s = 2
		case base.Text != nil && !merge.IsBinary(f.Data):
			s = merge.Similar(base.Text, f.Data)
		}
		if s >= similarEnough && s > score {
			best, score = i, s
		}
	}
	return best
}

// fromOne says whether one template made both files, under two names.
func fromOne(a, b lock.File) bool {
	made := func(f lock.File) string {
		_, name, _ := strings.Cut(render.PlainName(f.From), "/")
		return name
	}
	switch {
	case a.From != "" && b.From != "":
		return a.From == b.From
	case a.From != "":
		return made(a) == b.Path
	}
	return b.From != "" && made(b) == a.Path
}

// rename decides about a renamed file. It is not done when something else has the new name.
func (p *planner) rename(base lock.File, theirs tree.File) (done bool, err error) {
	ours, err := p.disk(base.Path)
	if err != nil {
		return false, err
	}
	there, err := p.disk(theirs.Path)
	if err != nil || ours.reason != "" {
		return false, err
	}
	inTheWay := !there.missing() && !strings.HasPrefix(theirs.Path, base.Path+"/") && !p.sameFile(base.Path, theirs.Path)
	if inTheWay {
		return false, nil
	}
	d := &decision{Change: Change{Path: theirs.Path, From: base.Path, Owner: tree.Scaffolded}, old: ours}
	p.decisions[theirs.Path] = d
	p.decisions[base.Path] = &decision{Change: Change{Path: base.Path, Action: Same, Owner: tree.Scaffolded}, old: &onDisk{}}
	if ours.missing() {
		d.From, d.Action, d.Reason = "", Keep, "you removed it, as "+base.Path
		return true, nil
	}
	p.merge(d, base, theirs)
	if d.Action != Conflict {
		d.Action = Rename
	}
	return true, nil
}

// sameFile says whether two names are one file, as they are where case does not count.
func (p *planner) sameFile(a, b string) bool {
	infoA, errA := p.root.Lstat(a)
	infoB, errB := p.root.Lstat(b)
	return errA == nil && errB == nil && os.SameFile(infoA, infoB) && strings.EqualFold(a, b)
}

// filesBelow are the plain files below a folder of the project; what is not plain counts as one that stays.
func filesBelow(root *os.Root, dir string) ([]string, error) {
	info, err := root.Lstat(dir)
	if err != nil || !info.IsDir() {
		return nil, nil // a link, or nothing
	}
	var files []string
	err = fs.WalkDir(root.FS(), dir, func(name string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			files = append(files, name)
		}
		return err
	})
	return files, err
}
