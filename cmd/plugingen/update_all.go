package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"text/tabwriter"

	"github.com/plugingen/plugingen/generator"
	"github.com/plugingen/plugingen/generator/update"
)

// updateAll updates every project below a folder, and prints a table. The exit code is the worst of all.
func updateAll(ctx context.Context, s streams, o updateOptions) error {
	dirs, err := update.Find(o.all)
	if err != nil {
		return err
	}
	if len(dirs) == 0 {
		return &generator.InputError{What: "folder", Value: o.all, Reason: "no project in it or below it has a " + generator.LockName}
	}
	results := make([]*projectResult, len(dirs))
	for i, dir := range dirs {
		results[i] = &projectResult{dir: dir}
	}
	updateEach(ctx, s, o, results)
	outcome := worst(results)
	if o.json {
		if err := writeJSON(s, allJSON(o, results, outcome)); err != nil {
			return err
		}
		if outcome != nil {
			return &reportedError{outcome}
		}
		return nil
	}
	showAll(s, o, results)
	return outcome
}

// projectResult is what became of one project.
type projectResult struct {
	dir string
	u   *update.Update // nil when it could not be worked out
	err error
}

// updateEach updates projects side by side. Those that have their contract to themselves come first: others may be
// wired to one of them.
func updateEach(ctx context.Context, s streams, o updateOptions, results []*projectResult) {
	var first, then []*projectResult
	for _, r := range results {
		if update.OwnsContract(r.dir) {
			first = append(first, r)
		} else {
			then = append(then, r)
		}
	}
	for _, group := range [][]*projectResult{first, then} {
		var wg sync.WaitGroup
		slots := make(chan struct{}, runtime.GOMAXPROCS(0))
		for _, r := range group {
			slots <- struct{}{}
			wg.Go(func() {
				defer func() { <-slots }()
				r.run(ctx, s, o)
			})
		}
		wg.Wait()
	}
}

// run updates the project. What it would print goes nowhere, and nobody is asked: the table tells.
func (r *projectResult) run(ctx context.Context, s streams, o updateOptions) {
	s.err, s.term = io.Discard, nil
	r.u, r.err = o.plan(ctx, s, r.dir)
	if r.err == nil {
		r.err = o.carryOutUpdate(r.u)
	}
}

// worst is the error with the highest exit code, as one that counts.
func worst(results []*projectResult) error {
	var found error
	n := 0
	for _, r := range results {
		if r.err == nil {
			continue
		}
		n++
		if found == nil || exitCode(r.err) > exitCode(found) {
			found = r.err
		}
	}
	if found == nil {
		return nil
	}
	return &manyError{failed: n, all: len(results), worst: found}
}

// manyError sums up what the table has in full.
type manyError struct {
	failed, all int
	worst       error
}

func (e *manyError) Error() string {
	return fmt.Sprintf("%d of %d projects are not done, see above", e.failed, e.all)
}

func (e *manyError) Unwrap() error { return e.worst }

// showAll prints the table, and below it the first line of what went wrong where.
func showAll(s streams, o updateOptions, results []*projectResult) {
	if o.diff {
		for _, r := range results {
			if r.u != nil && r.u.Differs() {
				fmt.Fprintf(s.out, "# %s\n", relative(r.dir))
				_ = r.u.Diff(s.out) // a closed pipe is the reader's wish
			}
		}
		return
	}
	w := tabwriter.NewWriter(s.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "PROJECT\tFROM\tTO\tFILES\tCONFLICTS\tRESULT")
	for _, r := range results {
		from, to, files, conflicts := r.numbers()
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", relative(r.dir), from, to, files, conflicts, r.result(o))
	}
	_ = w.Flush() // a closed pipe is the reader's wish
	for _, r := range results {
		if r.err != nil && !errors.Is(r.err, errDiffers) {
			s.note("%s: %v", relative(r.dir), r.err)
		}
	}
}

func (r *projectResult) numbers() (from, to, files, conflicts string) {
	if r.u == nil {
		return "-", "-", "-", "-"
	}
	n := 0
	for _, c := range r.u.Changes {
		if c.Differs() {
			n++
		}
	}
	return r.u.From, r.u.To, fmt.Sprint(n), fmt.Sprint(len(r.u.Conflicts()))
}

// result is one word or two about the project.
func (r *projectResult) result(o updateOptions) string {
	switch {
	case r.u == nil:
		return "failed"
	case isA[*update.ConflictError](r.err):
		return "conflicts"
	case errors.Is(r.err, errDiffers):
		return "differs"
	case r.err != nil:
		return "failed"
	case !r.u.Differs():
		return "up to date"
	case o.readsOnly():
		return "would be updated"
	}
	return "updated"
}

// jsonAll is what --all --json prints.
type jsonAll struct {
	ExitCode int          `json:"exitCode"`
	Projects []jsonUpdate `json:"projects"`
}

func allJSON(o updateOptions, results []*projectResult, outcome error) jsonAll {
	all := jsonAll{ExitCode: exitCode(outcome)}
	for _, r := range results {
		j := jsonUpdate{Dir: filepath.ToSlash(relative(r.dir)), ExitCode: exitCode(r.err)}
		if r.u != nil {
			j = updateJSON(o, r.u, r.err)
		} else if r.err != nil {
			j.Error = strings.TrimSpace(r.err.Error())
		}
		all.Projects = append(all.Projects, j)
	}
	return all
}
