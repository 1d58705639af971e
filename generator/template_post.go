package generator

import (
	"context"
	"slices"

	"github.com/plugingen/plugingen/generator/tree"
)

const stepFormat = "format"

// PostSteps are all that ever happens after the rendering of a project. The first, formatting Go files, is always on; the others a
// template set asks for. Each can be left out. There are no hooks.
func PostSteps() []string { return []string{stepFormat, "tidy", "git-init"} }

// postSteps are those of steps that the set asks for and the request does not leave out.
func (b *builder) postSteps(steps ...string) []string {
	if b.team == nil {
		return nil
	}
	return slices.DeleteFunc(b.team.Post(), func(step string) bool {
		return !slices.Contains(steps, step) || slices.Contains(b.req.SkipPost, step)
	})
}

// tidy has the go command complete the module files where they cannot be written from what is known: for contracts of other
// modules, and for sets that ask for it because their files import such.
func (b *builder) tidy(ctx context.Context, t *tree.Tree) error {
	if b.scratch == nil {
		if len(b.postSteps("tidy")) == 0 {
			return nil
		}
		if err := b.openScratch(); err != nil {
			return err
		}
		if err := b.scratch.take(t); err != nil {
			return err
		}
	}
	return b.scratch.tidy(ctx, t)
}

// take starts from the module files that were rendered.
func (s *scratch) take(t *tree.Tree) error {
	if f, found := t.File("go.mod"); found {
		if err := s.writeMod(f.Data); err != nil {
			return err
		}
	}
	f, found := t.File("go.sum")
	if !found {
		return nil
	}
	return s.write("go.sum", f.Data)
}
