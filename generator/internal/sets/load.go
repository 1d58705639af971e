// Package sets puts template sets together: each with its manifest, on top of those that it extends.
package sets

import (
	"context"
	"errors"
	"fmt"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/plugingen/plugingen/generator/internal/manifest"
	"github.com/plugingen/plugingen/generator/internal/source"
)

// maxLayers bounds a chain of sets that extend each other.
const maxLayers = 8

// Set is one template set.
type Set struct {
	Manifest *manifest.Manifest
	// Files are the manifest and what is in the folders of the kinds, by path in the set.
	Files map[string][]byte
	// Extras are all other files: documents, and the cases of tests.
	Extras    map[string][]byte
	Reference source.Reference // pinned
	Hash      string           // of Files
	Shown     string           // stands before paths in errors
}

// Stack is a set with those that it extends, the lowest first. The built-in one, below all, is not in it.
type Stack struct {
	Sets []Set
	Hash string
}

// Top is the set that was asked for.
func (s *Stack) Top() *Set { return &s.Sets[len(s.Sets)-1] }

// Loader brings sets.
type Loader struct {
	Fetch source.Fetcher
	// Approve is asked about every module and repository before it is read: its error ends the load. Nil refuses all.
	Approve func(Review) error
	// Extras says whether folders are read whole; else only what a rendering needs.
	Extras bool

	chain []string // origins, the topmost first
}

// ErrUnapproved says that a set comes from a module or repository, and nobody was there to approve it.
var ErrUnapproved = errors.New("the template set is not trusted")

// Load brings the set and all that it extends.
func (l Loader) Load(ctx context.Context, r source.Reference) (*Stack, error) {
	var stack Stack
	from := origin{}
	for {
		if err := l.enter(r, from); err != nil {
			return nil, err
		}
		l.chain = append(l.chain, key(r))
		set, err := l.one(ctx, r)
		if err != nil {
			return nil, err
		}
		stack.Sets = append(stack.Sets, *set)
		extends := set.Manifest.Extends
		if extends.Text == manifest.Builtin {
			break
		}
		from = origin{file: set.Manifest.File, text: extends, set: set.Reference}
		if r, err = from.next(); err != nil {
			return nil, err
		}
	}
	slices.Reverse(stack.Sets)
	var err error
	stack.Hash, err = stack.hash()
	return &stack, err
}

// origin is where a reference stands: in the manifest of a set.
type origin struct {
	file string
	text manifest.Text
	set  source.Reference
}

func (o origin) fault(format string, args ...any) error {
	return &manifest.Error{File: o.file, Line: o.text.Line, Column: o.text.Column, Why: fmt.Sprintf(format, args...)}
}

// enter refuses circles, and chains that are too long.
func (l Loader) enter(r source.Reference, from origin) error {
	switch {
	case slices.Contains(l.chain, key(r)):
		return from.fault("extends goes in a circle: %s", strings.Join(append(l.chain, key(r)), ", which extends "))
	case len(l.chain) == maxLayers:
		return from.fault("more than %d sets extend each other", maxLayers)
	}
	return nil
}

// key is the same for all ways to write a reference, whatever its version.
func key(r source.Reference) string {
	if r.Kind == source.Folder {
		return filepath.Clean(r.Path)
	}
	return r.Origin()
}

// next is the reference that a set extends.
func (o origin) next() (source.Reference, error) {
	r, err := Resolve(o.text.Text, o.set)
	if err != nil {
		return r, o.fault("extends: %v", err)
	}
	return r, nil
}

// Resolve reads a reference that stands in a file of base. Relative folders belong to base's module or repository, which they
// do not leave; a folder of this machine counts in a folder alone.
func Resolve(text string, base source.Reference) (source.Reference, error) {
	if text != "." && !strings.HasPrefix(text, "./") && !strings.HasPrefix(text, "../") {
		r, err := source.Parse(text)
		switch {
		case err != nil:
			return r, err
		case r.Kind == source.Folder && base.Kind != source.Folder:
			return r, fmt.Errorf("%+q is a folder of this machine, and this comes from %s", text, base.Origin())
		case r.Kind == source.Folder && !filepath.IsAbs(r.Path):
			return r, fmt.Errorf("%+q: a folder is ./DIR or ../DIR", text)
		}
		return r, nil
	}
	if strings.ContainsAny(text, `\:%`) {
		return source.Reference{}, fmt.Errorf("%+q has a character that such paths do not have", text)
	}
	if base.Kind == source.Folder {
		base.Path = filepath.Join(base.Path, filepath.FromSlash(text))
		return base, nil
	}
	sub := path.Join(base.Sub, text)
	if sub == ".." || strings.HasPrefix(sub, "../") {
		return base, fmt.Errorf("%+q leads out of %s", text, base.Path)
	}
	if base.Sub = sub; sub == "." {
		base.Sub = ""
	}
	return base, nil
}

// one brings one set.
func (l Loader) one(ctx context.Context, r source.Reference) (set *Set, err error) {
	only := append([]string{manifest.Name}, manifest.Kinds()...)
	if l.Extras {
		only = nil
	}
	fetched, err := l.Fetch.Fetch(ctx, r, only)
	if err != nil {
		return nil, err
	}
	root := fetched
	fetched = fetched.In(r.Sub)
	set = &Set{Reference: fetched.Reference, Shown: shown(fetched.Reference)}
	set.Files, set.Extras = split(fetched.Files)
	if set.Hash, err = source.Hash(set.Files); err != nil {
		return nil, err
	}
	data, found := set.Files[manifest.Name]
	if !found {
		return nil, &manifest.Error{File: set.Shown + manifest.Name, Why: "there is none: the folder is no template set; plugingen template init makes one"}
	}
	if err := l.approve(root); err != nil {
		return nil, err
	}
	set.Manifest, err = manifest.Parse(set.Shown+manifest.Name, data)
	return set, err
}

// approve asks about the whole module or repository: a set in it may extend another one in it.
func (l Loader) approve(root source.Fetched) error {
	if root.Kind == source.Folder {
		return nil
	}
	hash, err := source.Hash(root.Files)
	if err != nil {
		return err
	}
	review := review(root, hash)
	if l.Approve == nil {
		return fmt.Errorf("%w: %s", ErrUnapproved, review.Origin)
	}
	return l.Approve(review)
}

// shown is what stands before paths: the folder as it was named, or where the set came from.
func shown(r source.Reference) string {
	if r.Kind == source.Folder {
		return strings.TrimSuffix(filepath.ToSlash(filepath.Clean(r.Path)), "/") + "/"
	}
	if r.Kind == source.Git && len(r.Version) > 12 {
		r.Version = r.Version[:12]
	}
	return r.String() + "/"
}

// split sets apart what a rendering needs.
func split(all map[string][]byte) (files, extras map[string][]byte) {
	files, extras = map[string][]byte{}, map[string][]byte{}
	for name, data := range all {
		first, _, deep := strings.Cut(name, "/")
		if name == manifest.Name || deep && slices.Contains(manifest.Kinds(), first) {
			files[name] = data
		} else {
			extras[name] = data
		}
	}
	return files, extras
}

// hash is the set's own, or one over all layers.
func (s *Stack) hash() (string, error) {
	if len(s.Sets) == 1 {
		return s.Sets[0].Hash, nil
	}
	all := map[string][]byte{}
	for i, set := range s.Sets {
		for name, data := range set.Files {
			all[fmt.Sprintf("%d/%s", i, name)] = data
		}
	}
	return source.Hash(all)
}
