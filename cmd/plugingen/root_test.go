package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"testing"

	"github.com/plugingen/plugingen/generator"
	"github.com/plugingen/plugingen/generator/model"
	"github.com/plugingen/plugingen/generator/tree"
)

func TestLongFlags(t *testing.T) {
	got := longFlags([]string{"generate", "-type", "A", "-type=B", "--type", "C", "-typ", "--", "-type"})
	want := []string{"generate", "--type", "A", "--type=B", "--type", "C", "-typ", "--", "-type"}
	if !slices.Equal(got, want) {
		t.Errorf("longFlags = %q, want %q", got, want)
	}
}

func TestExitCodes(t *testing.T) {
	cases := map[int]error{
		exitDone:        nil,
		exitDiffers:     fmt.Errorf("x: %w", errDiffers),
		exitUsage:       usagef("x"),
		exitInput:       &generator.InputError{},
		exitConflict:    &tree.ConflictError{},
		exitIO:          &fs.PathError{Err: fs.ErrPermission},
		exitInterrupted: fmt.Errorf("x: %w", context.Canceled),
	}
	for want, err := range cases {
		if got := exitCode(err); got != want {
			t.Errorf("exitCode(%v) = %d, want %d", err, got, want)
		}
	}
	for _, err := range []error{model.Diagnostics{{Why: "x"}}, &tree.NameError{}, &generator.GoError{Err: errors.New("x")}, &reportedError{&generator.InputError{}}} {
		if got := exitCode(err); got != exitInput {
			t.Errorf("exitCode(%v) = %d, want %d", err, got, exitInput)
		}
	}
}

func TestInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var out, errs bytes.Buffer
	code := run(ctx, []string{"new", "a", "--dir", filepath.Join(t.TempDir(), "a"), "--interface", "example.invalid/x.Y"}, streams{out: &out, err: &errs})
	if code != exitInterrupted || out.Len() != 0 {
		t.Errorf("exit code %d, want %d; printed %q", code, exitInterrupted, out.String())
	}
}

// BenchmarkNew is the command itself, in a process that runs already.
func BenchmarkNew(b *testing.B) {
	dir := b.TempDir()
	for i := 0; b.Loop(); i++ {
		var out, errs bytes.Buffer
		if code := run(b.Context(), []string{"new", "my-plugin", "--dir", filepath.Join(dir, fmt.Sprint(i))}, streams{out: &out, err: &errs}); code != exitDone {
			b.Fatal(errs.String())
		}
	}
}
