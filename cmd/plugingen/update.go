package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/plugingen/plugingen/generator"
	"github.com/plugingen/plugingen/generator/tree"
	"github.com/plugingen/plugingen/generator/update"
)

type updateOptions struct {
	writeOptions
	dir, to, all string
	runtimeFrom  string
	abort        bool
	templates    templateOptions
}

func newUpdateCommand(s streams) *cobra.Command {
	var o updateOptions
	cmd := &cobra.Command{
		Use:   "update",
		Short: "Bring a project to a newer version of its templates",
		Long: `Bring a project to a newer version of its templates, and keep what you changed.

` + generator.LockName + ` holds what plugingen wrote. Files that you left alone are replaced, files that you changed are merged, files that
you removed stay away. Where you and the template changed the same lines both versions are marked in the file, and the exit code is 4:
resolve them and go on, or take everything back with --abort.`,
		Example: `  plugingen update --diff
  plugingen update --to v1.4.0
  plugingen update --all ~/plugins --check`,
		Args: usageArgs(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return o.failJSON(s, runUpdate(cmd.Context(), s, o))
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.dir, "dir", "", "folder of the project (default the one that this folder is in)")
	f.StringVar(&o.to, "to", "", "version of the template (default the newest one)")
	f.StringVar(&o.all, "all", "", "update every project in this folder and below it")
	f.BoolVar(&o.abort, "abort", false, "take back the last update, when it had conflicts or was interrupted")
	f.StringVar(&o.runtimeFrom, "runtime", "", `where the project finds the runtime, as for "plugingen new" (default as it was made)`)
	o.register(cmd)
	o.templates.register(cmd)
	f.Lookup("template").Usage = "another template set, from now on"
	f.Lookup("force").Usage = "replace generated files that were edited by hand, and files that cannot be merged"
	return cmd
}

func runUpdate(ctx context.Context, s streams, o updateOptions) error {
	if err := o.validateUpdate(); err != nil {
		return err
	}
	if o.all != "" {
		return updateAll(ctx, s, o)
	}
	root, err := update.Root(o.dir)
	if err != nil {
		return err
	}
	dir := shownDir(relative(root))
	if o.abort {
		return abortUpdate(s, o, root)
	}
	u, err := o.plan(ctx, s, root)
	if err != nil {
		return explainUpdate(err, dir)
	}
	return o.finishUpdate(ctx, s, u)
}

func (o updateOptions) validateUpdate() error {
	switch {
	case o.abort && (o.readsOnly() || o.to != "" || o.all != ""):
		return usagef("--abort goes with --dir, --force and --json alone")
	case o.to != "" && o.templates.template != "":
		return usagef("--template names the version, too: leave out --to")
	case o.all != "" && o.dir != "":
		return usagef("--all and --dir exclude each other")
	}
	return o.validate()
}

// plan works out the update of one project.
func (o updateOptions) plan(ctx context.Context, s streams, dir string) (*update.Update, error) {
	req := update.Request{Dir: dir, To: o.to, Force: o.force, Project: generator.ProjectRequest{Dir: dir, Progress: s.err}}
	var err error
	if req.Project.Runtime, err = runtimeFrom(o.runtimeFrom); err != nil {
		return nil, err
	}
	o.templates.recorded = true
	if err := o.templates.apply(ctx, s, &req.Project, o.json); err != nil {
		return nil, err
	}
	return update.New(ctx, req)
}

// explainUpdate adds what to do about a project that has no lock.
func explainUpdate(err error, dir string) error {
	if !errors.Is(err, update.ErrNoLock) {
		return err
	}
	return fmt.Errorf(`%w; "plugingen new NAME --dir %s --adopt" (or "plugingen host") records the project as what this plugingen would make, and changes nothing else`, err, dir)
}

// finishUpdate shows, checks or commits.
func (o updateOptions) finishUpdate(ctx context.Context, s streams, u *update.Update) error {
	for _, d := range u.Warnings {
		s.note("warning: %s", d)
	}
	if !o.readsOnly() {
		noteUncommitted(ctx, s, u)
	}
	outcome := o.carryOutUpdate(u)
	if o.json {
		if err := writeJSON(s, updateJSON(o, u, outcome)); err != nil {
			return err
		}
		if outcome != nil {
			return &reportedError{outcome}
		}
		return nil
	}
	o.showUpdate(s, u, outcome)
	return outcome
}

// carryOutUpdate commits the update, or finds out what a commit would do.
func (o updateOptions) carryOutUpdate(u *update.Update) error {
	switch {
	case o.check && u.Differs():
		return fmt.Errorf("%s is %w: %s", u.Name, errDiffers, update.Tally(u.Changes))
	case o.check, o.diff:
		return nil
	case o.dryRun:
		return u.Err()
	}
	if err := u.Commit(); err != nil {
		return err
	}
	return u.Err()
}

// showUpdate prints what the options ask for, and what was done.
func (o updateOptions) showUpdate(s streams, u *update.Update, outcome error) {
	if o.diff {
		_ = u.Diff(s.out) // a closed pipe is the reader's wish
		return
	}
	done := !o.readsOnly() && (outcome == nil || errors.Is(outcome, tree.ErrConflict))
	switch {
	case done && !u.Differs():
		fmt.Fprintf(s.out, "%s is up to date\n", u.Name)
	case done:
		fmt.Fprintf(s.out, "%s: updated%s\n", u.Name, fromTo(u))
	}
	for _, c := range u.Changes {
		if c.Differs() || c.Action == update.Keep && (done || u.Differs()) {
			fmt.Fprintln(s.out, indent(done)+describeUpdate(c))
		}
	}
	for _, note := range u.Notes {
		s.note("note: %s", note)
	}
}

func indent(yes bool) string {
	if yes {
		return "  "
	}
	return ""
}

func fromTo(u *update.Update) string {
	if u.From == u.To {
		return ""
	}
	return " from " + u.From + " to " + u.To
}

func describeUpdate(c update.Change) string {
	text := fmt.Sprintf("%-8s ", c.Action)
	if c.From != "" {
		text += c.From + " -> "
	}
	return text + c.Place()
}

// abortUpdate takes the last update back.
func abortUpdate(s streams, o updateOptions, dir string) error {
	paths, err := update.Abort(dir, o.force)
	var edited *tree.EditedError
	switch {
	case errors.Is(err, tree.ErrNothingToRestore):
		return &generator.InputError{What: "project", Value: relative(dir), Reason: "no update of it is under way", Hint: "an update without conflicts is done when it ends"}
	case errors.As(err, &edited):
		return fmt.Errorf("%w: %w; --abort --force takes these files back, too", tree.ErrConflict, err)
	case err != nil:
		return err
	}
	if o.json {
		return writeJSON(s, jsonUpdate{Dir: relative(dir), Written: true, Restored: paths})
	}
	fmt.Fprintf(s.out, "%s: as it was before the update: %s\n", relative(dir), strings.Join(paths, ", "))
	return nil
}

// jsonUpdate is what --json prints for a project.
type jsonUpdate struct {
	Dir      string             `json:"dir"`
	From     string             `json:"from,omitempty"`
	To       string             `json:"to,omitempty"`
	Written  bool               `json:"written"`
	ExitCode int                `json:"exitCode"`
	Error    string             `json:"error,omitempty"`
	Changes  []jsonUpdateChange `json:"changes,omitempty"`
	Restored []string           `json:"restored,omitempty"`
	Notes    []string           `json:"notes,omitempty"`
	Diff     string             `json:"diff,omitempty"`
	Warnings []jsonDiagnostic   `json:"warnings,omitempty"`
}

type jsonUpdateChange struct {
	Path      string `json:"path"`
	From      string `json:"from,omitempty"`
	Action    string `json:"action"`
	Owner     string `json:"owner"`
	Reason    string `json:"reason,omitempty"`
	Line      int    `json:"line,omitempty"`
	Conflicts int    `json:"conflicts,omitempty"`
}

func updateJSON(o updateOptions, u *update.Update, outcome error) jsonUpdate {
	r := jsonUpdate{
		Dir: filepath.ToSlash(relative(u.Dir)), From: u.From, To: u.To, ExitCode: exitCode(outcome), Notes: u.Notes, Warnings: jsonDiagnostics(u.Warnings),
		Written: !o.readsOnly() && u.Differs() && (outcome == nil || isA[*update.ConflictError](outcome)),
	}
	for _, c := range u.Changes {
		r.Changes = append(r.Changes, jsonUpdateChange{c.Path, c.From, string(c.Action), c.Owner.String(), c.Reason, c.Line, c.Marked})
	}
	if outcome != nil {
		r.Error = outcome.Error()
	}
	if o.diff {
		var b strings.Builder
		_ = u.Diff(&b) // a strings.Builder takes everything
		r.Diff = b.String()
	}
	return r
}
