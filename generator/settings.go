package generator

import (
	"context"
	"errors"
	"io"
	"path/filepath"

	"github.com/plugingen/plugingen/generator/internal/manifest"
	"github.com/plugingen/plugingen/generator/internal/sets"
	"github.com/plugingen/plugingen/generator/internal/source"
)

// SettingsName is the name of the file with the defaults of a repository, a team or a user.
const SettingsName = manifest.SettingsName

// SettingsRequest says where defaults may be.
type SettingsRequest struct {
	// Dir is the project's folder, which need not exist.
	Dir string
	// UserDir is the user's configuration folder; empty means that the user has no defaults.
	UserDir string
	// Approve, Progress and Env are as in ProjectRequest: a file of settings may extend one in a module or repository.
	Approve  func(TemplateReview) error
	Progress io.Writer
	Env      []string
}

// Settings are defaults for a ProjectRequest.
type Settings struct {
	// Template and Overrides are for the fields of the same names; empty when no file says anything.
	Template, Overrides string
	// Answers are for ProjectRequest.Suggested.
	Answers map[string]any
	// From is the file that names the template.
	From string
}

// FindSettings reads plugingen.yaml in the project's folder, in the folders above it up to the root of the git repository that
// it lies in, and in the user's configuration folder, together with those that they extend. What a nearer one says goes before
// what a farther one does. No file is no error; faults of files are *TemplateError.
func FindSettings(ctx context.Context, req SettingsRequest) (Settings, error) {
	dir, err := filepath.Abs(req.Dir)
	if err != nil {
		return Settings{}, err
	}
	loader := sets.Loader{Fetch: source.Fetcher{Env: req.Env, Progress: req.Progress}, Approve: approver(req.Approve)}
	found, err := loader.Settings(ctx, dir, req.UserDir)
	if err != nil {
		return Settings{}, settingsFault(ctx, err)
	}
	return Settings{Template: found.Template, Overrides: found.Overrides, Answers: found.Answers, From: found.From}, nil
}

func settingsFault(ctx context.Context, err error) error {
	switch {
	case errors.Is(err, sets.ErrUnapproved):
		return untrusted(err)
	case errors.Is(err, ErrUntrusted) || ctx.Err() != nil:
		return err
	}
	return &TemplateError{err}
}

// ParseAnswers reads a file of answers, a YAML mapping of variables to values, that goes by name in errors.
func ParseAnswers(name string, data []byte) (map[string]any, error) {
	answers, err := manifest.ParseAnswers(name, data)
	if err != nil {
		return nil, &TemplateError{err}
	}
	return answers, nil
}
