package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/plugingen/plugingen/generator"
)

// trustFile is where the modules and repositories are remembered that templates were taken from.
const trustFile = "trusted.json"

// trusted are the origins that somebody approved of, with the hash of each version that was used.
type trusted struct {
	Templates map[string]map[string]string `json:"templates"` // origin, version, hash
}

// configDir is the user's configuration folder for plugingen; empty where there is none.
func configDir() string {
	dir, err := os.UserConfigDir()
	if err != nil {
		return ""
	}
	return filepath.Join(dir, "plugingen")
}

func readTrusted(dir string) (trusted, error) {
	t := trusted{Templates: map[string]map[string]string{}}
	if dir == "" {
		return t, nil
	}
	data, err := os.ReadFile(filepath.Join(dir, trustFile))
	if errors.Is(err, fs.ErrNotExist) {
		return t, nil
	}
	if err != nil {
		return t, err
	}
	if err := json.Unmarshal(data, &t); err != nil || t.Templates == nil {
		return t, fmt.Errorf("%s is damaged; remove it, and templates are shown again before they are used", filepath.Join(dir, trustFile))
	}
	return t, nil
}

func (t trusted) write(dir string) error {
	if dir == "" {
		return nil // there is nowhere to remember it
	}
	data, err := json.MarshalIndent(t, "", "  ")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	temp, err := os.CreateTemp(dir, ".trusted-")
	if err != nil {
		return err
	}
	_, err = temp.Write(append(data, '\n'))
	if err = errors.Join(err, temp.Close()); err == nil {
		err = os.Rename(temp.Name(), filepath.Join(dir, trustFile))
	}
	if err != nil {
		return errors.Join(err, os.Remove(temp.Name()))
	}
	return nil
}

// approver returns what decides about templates of modules and repositories: those of an origin that was approved before are
// used, others are shown first. trust approves of all; term may be nil.
func approver(ctx context.Context, s streams, term *terminal, trust bool) func(generator.TemplateReview) error {
	return func(r generator.TemplateReview) error {
		known, err := readTrusted(configDir())
		if err != nil {
			return err
		}
		versions, found := known.Templates[r.Origin]
		hash, seen := versions[r.Version]
		switch {
		case seen && hash == r.Hash:
			return nil
		case seen:
			return fmt.Errorf("%w: %s at %s has the hash %s, and had %s when it was approved; remove it from %s if that is right",
				generator.ErrUntrusted, r.Origin, r.Version, r.Hash, hash, filepath.Join(configDir(), trustFile))
		case !found:
			if err := approve(ctx, s, term, trust, r); err != nil {
				return err
			}
			versions = map[string]string{}
			known.Templates[r.Origin] = versions
		}
		versions[r.Version] = r.Hash
		return known.write(configDir())
	}
}

// approve shows what is there to know, and asks.
func approve(ctx context.Context, s streams, term *terminal, trust bool, r generator.TemplateReview) error {
	s.note("These templates have not been used here before:")
	s.note("  origin   %s", r.Origin)
	s.note("  version  %s", r.Version)
	s.note("  hash     %s", r.Hash)
	s.note("  files    %d", r.Files)
	if len(r.Runs) > 0 {
		s.note("  writes what other programs run: %s", shown(strings.Join(r.Runs, ", ")))
	} else {
		s.note("  writes no workflows, Makefiles or scripts")
	}
	if trust {
		return nil
	}
	if term == nil {
		return fmt.Errorf("%w: %s; plugingen template show prints what is in it, --trust uses it", generator.ErrUntrusted, r.Origin)
	}
	yes, err := term.confirm(ctx, "Use them?")
	if err == nil && !yes {
		err = fmt.Errorf("%w: %s", generator.ErrUntrusted, r.Origin)
	}
	return err
}
