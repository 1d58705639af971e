package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/plugingen/plugingen/generator"
	"github.com/plugingen/plugingen/generator/model"
	"github.com/plugingen/plugingen/generator/tree"
	"github.com/plugingen/plugingen/generator/update"
)

// The exit codes of the program.
const (
	exitDone        = 0
	exitDiffers     = 1
	exitUsage       = 2
	exitInput       = 3
	exitConflict    = 4
	exitUntrusted   = 5
	exitIO          = 6
	exitInterrupted = 130
)

// errDiffers is what --check returns when a plain call would change something.
var errDiffers = errors.New("not up to date")

// usageError says that the program was called wrongly.
type usageError struct{ err error }

func (e *usageError) Error() string { return e.err.Error() }
func (e *usageError) Unwrap() error { return e.err }

// reportedError was told to the user already, as JSON.
type reportedError struct{ error }

func (e *reportedError) Unwrap() error { return e.error }

func exitCode(err error) int {
	switch {
	case err == nil:
		return exitDone
	case isA[*usageError](err):
		return exitUsage
	case errors.Is(err, context.Canceled):
		return exitInterrupted
	case errors.Is(err, errDiffers), errors.Is(err, errBreaks):
		return exitDiffers
	case errors.Is(err, tree.ErrConflict):
		return exitConflict
	case errors.Is(err, generator.ErrUntrusted):
		return exitUntrusted
	case errors.Is(err, errNoAnswer), errors.Is(err, generator.ErrInput), errors.Is(err, tree.ErrName), isA[model.Diagnostics](err):
		return exitInput
	default:
		return exitIO
	}
}

func isA[T error](err error) bool {
	var target T
	return errors.As(err, &target)
}

// report tells people on err what went wrong.
func report(s streams, cmd *cobra.Command, err error) {
	if isA[*reportedError](err) {
		return
	}
	s.note("plugingen: %v", err)
	switch {
	case exitCode(err) == exitUsage:
		s.note("run %s --help to see how it is used", cmd.CommandPath())
	case isA[*update.ConflictError](err):
		s.note("resolve them and go on, or take the whole update back with plugingen update --abort")
	case isA[*tree.ConflictError](err):
		s.note("with --force files that differ are overwritten; --diff shows how they differ")
		noteLock(s, err)
	}
}

// noteLock says that a project which is there already is brought up to date by another command.
func noteLock(s streams, err error) {
	var conflict *tree.ConflictError
	if !errors.As(err, &conflict) {
		return
	}
	if _, err := os.Lstat(filepath.Join(conflict.Dir, generator.LockName)); err == nil {
		s.note("plugingen update --dir %s keeps what you changed", shownDir(relative(conflict.Dir)))
	}
}

func usagef(format string, args ...any) error { return &usageError{fmt.Errorf(format, args...)} }
