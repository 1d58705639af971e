// Package generator turns wishes into trees of files: a plugin project, a host project, the generated half of a contract.
//
// It writes nothing itself; package tree compares what it returns with a folder, and commits it.
package generator

import (
	"errors"
	"fmt"
	"path"

	"golang.org/x/mod/modfile"

	"github.com/plugingen/plugingen"
)

// ErrInput is what every error wraps that is about a name or a value which the caller gave.
var ErrInput = errors.New("bad input")

// InputError says which value is refused and why. errors.Is finds ErrInput.
type InputError struct {
	What   string // such as "project name"
	Value  string
	Reason string
	Hint   string // what to do; may be empty
}

// Error quotes the value, so that control characters in it do no harm.
func (e *InputError) Error() string {
	text := fmt.Sprintf("%s %+q: %s", e.What, e.Value, e.Reason)
	if e.Hint != "" {
		text += "; " + e.Hint
	}
	return text
}

// Unwrap returns ErrInput.
func (e *InputError) Unwrap() error { return ErrInput }

// self is this module: what its own go.mod and go.sum say, and its name, which a fork changes.
type self struct {
	mod  *modfile.File
	data []byte   // go.mod
	sums []sumRow // go.sum
}

func readSelf() (*self, error) {
	data, err := plugingen.Source.ReadFile("go.mod")
	if err != nil {
		return nil, err
	}
	mod, err := modfile.ParseLax("go.mod", data, nil)
	if err != nil {
		return nil, err
	}
	sum, err := plugingen.Source.ReadFile("go.sum")
	if err != nil {
		return nil, err
	}
	return &self{mod: mod, data: data, sums: parseSums(sum)}, nil
}

// path is the module's path.
func (s *self) path() string { return s.mod.Module.Mod.Path }

// tool is the package of the command.
func (s *self) tool() string { return path.Join(s.path(), "cmd", "plugingen") }

// version is what this module requires of another one; empty when it does not.
func (s *self) version(module string) string {
	for _, r := range s.mod.Require {
		if r.Mod.Path == module {
			return r.Mod.Version
		}
	}
	return ""
}
