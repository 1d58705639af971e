package sets

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"github.com/plugingen/plugingen/generator/internal/manifest"
	"github.com/plugingen/plugingen/generator/internal/source"
)

// Settings are what the files say together: what a nearer one says goes before what a farther one does.
type Settings struct {
	Template  string // empty when no file names one
	Overrides string // a folder; empty when no file names one
	Answers   map[string]any
	// Files are those that were read, the nearest first; From is the one that names the template.
	Files []string
	From  string
}

// Settings reads the plugingen.yaml of the project's folder, of the repository that it lies in, and of the user's configuration
// folder, and those that they extend.
func (l Loader) Settings(ctx context.Context, project, userDir string) (Settings, error) {
	s := Settings{Answers: map[string]any{}}
	for _, dir := range settingsFolders(project, userDir) {
		if err := l.gather(ctx, &s, source.Reference{Path: dir}); err != nil {
			return s, err
		}
	}
	return s, nil
}

// settingsFolders are where the files may lie. Above the project only a repository counts: a file in a folder that everybody
// writes to is nobody's wish.
func settingsFolders(project, userDir string) []string {
	folders := []string{project}
	var above []string
	for dir := project; ; dir = filepath.Dir(dir) {
		if dir != project {
			above = append(above, dir)
		}
		if _, err := os.Lstat(filepath.Join(dir, ".git")); err == nil {
			folders = append(folders, above...)
			break
		}
		if dir == filepath.Dir(dir) {
			break
		}
	}
	if userDir != "" && !slices.Contains(folders, userDir) {
		folders = append(folders, userDir)
	}
	return folders
}

// gather reads one file and those that it extends.
func (l Loader) gather(ctx context.Context, s *Settings, at source.Reference) error {
	for first := true; ; first = false {
		if slices.Contains(l.chain, key(at)) {
			return fmt.Errorf("extends goes in a circle: %s", strings.Join(append(l.chain, key(at)), ", which extends "))
		}
		if len(l.chain) == maxLayers {
			return fmt.Errorf("more than %d files of settings extend each other", maxLayers)
		}
		l.chain = append(l.chain, key(at))
		parsed, pinned, err := l.readSettings(ctx, at, first)
		if err != nil || parsed == nil {
			return err
		}
		if err := s.take(parsed, pinned); err != nil || parsed.Extends.Text == "" {
			return err
		}
		if at, err = Resolve(parsed.Extends.Text, pinned); err != nil {
			return faultAt(parsed, parsed.Extends, "extends: %v", err)
		}
	}
}

// readSettings returns nil when the file is not there and need not be.
func (l Loader) readSettings(ctx context.Context, at source.Reference, optional bool) (*manifest.Settings, source.Reference, error) {
	if optional {
		_, err := os.Lstat(filepath.Join(at.Path, manifest.SettingsName))
		if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) {
			return nil, at, nil
		}
	}
	fetched, err := l.Fetch.Fetch(ctx, at, []string{manifest.SettingsName})
	if err != nil {
		return nil, at, err
	}
	if err := l.approve(fetched); err != nil {
		return nil, at, err
	}
	pinned := fetched.Reference
	fetched = fetched.In(at.Sub)
	file := shown(nearby(pinned, "")) + manifest.SettingsName
	data, found := fetched.Files[manifest.SettingsName]
	if !found {
		return nil, pinned, &manifest.Error{File: file, Why: "there is none"}
	}
	parsed, err := manifest.ParseSettings(file, data)
	return parsed, pinned, err
}

// take adds what a farther file says.
func (s *Settings) take(m *manifest.Settings, at source.Reference) error {
	s.Files = append(s.Files, m.File)
	farther := maps.Clone(m.Answers)
	maps.Copy(farther, s.Answers)
	if farther != nil {
		s.Answers = farther
	}
	if s.Template == "" && m.Template.Text != "" {
		s.Template, s.From = m.Template.Text, m.File
		if s.Template != manifest.Builtin {
			r, err := Resolve(m.Template.Text, at)
			if err != nil {
				return faultAt(m, m.Template, "template: %v", err)
			}
			s.Template = nearby(r, m.Template.Text).String()
		}
	}
	if s.Overrides != "" || m.Overrides.Text == "" {
		return nil
	}
	sub := strings.TrimPrefix(m.Overrides.Text, "./")
	if at.Kind != source.Folder || !fs.ValidPath(sub) || strings.ContainsAny(sub, `\:`) {
		return faultAt(m, m.Overrides, "overrides is a folder beside the file, such as ./templates, in a folder of this machine")
	}
	s.Overrides = filepath.Join(at.Path, filepath.FromSlash(sub))
	return nil
}

// nearby makes a folder that was named relatively relative again, to where plugingen runs: it will be recorded.
func nearby(r source.Reference, text string) source.Reference {
	if r.Kind != source.Folder || filepath.IsAbs(text) {
		return r
	}
	here, err := os.Getwd()
	if err != nil {
		return r
	}
	if rel, err := filepath.Rel(here, r.Path); err == nil {
		r.Path = rel
		if !strings.HasPrefix(rel, ".") {
			r.Path = "." + string(filepath.Separator) + rel
		}
	}
	return r
}

func faultAt(m *manifest.Settings, t manifest.Text, format string, args ...any) error {
	return &manifest.Error{File: m.File, Line: t.Line, Column: t.Column, Why: fmt.Sprintf(format, args...)}
}
