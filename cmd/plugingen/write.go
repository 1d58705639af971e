package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/plugingen/plugingen/generator"
	"github.com/plugingen/plugingen/generator/model"
	"github.com/plugingen/plugingen/generator/tree"
)

// writeOptions say what the last step of a command does with its plan. Without any of them it commits.
type writeOptions struct {
	dryRun, diff, check, force, json bool
}

func (o *writeOptions) register(cmd *cobra.Command) {
	f := cmd.Flags()
	f.BoolVar(&o.dryRun, "dry-run", false, "print what would be done to which file, and write nothing")
	f.BoolVar(&o.diff, "diff", false, "print a unified diff of what would change, and write nothing")
	f.BoolVar(&o.check, "check", false, "exit with 1 when something would change, and write nothing")
	f.BoolVar(&o.force, "force", false, "overwrite files that are there already and differ")
	f.BoolVar(&o.json, "json", false, "print the result as JSON")
}

func (o writeOptions) validate() error {
	if o.dryRun && (o.diff || o.check) {
		return usagef("--dry-run goes with neither --diff nor --check")
	}
	return nil
}

func (o writeOptions) readsOnly() bool { return o.dryRun || o.diff || o.check }

// work is what a command made: files for a folder, and what there is to say about them.
type work struct {
	dir      string
	tree     *tree.Tree
	warnings model.Diagnostics
	done     string   // what was made, for people
	quiet    bool     // say nothing when there was nothing to do
	next     []string // commands to type next
	// project is what was made of templates; nil when none were used.
	project *generator.Project
	repeat  string       // the command that does it again without asking; may be empty
	after   func() error // runs once something was written; may be nil
}

// finish is the last step of every command that writes: it plans, and then shows, checks or commits.
func finish(s streams, o writeOptions, w work) error {
	noteWarnings(s, w.warnings)
	plan, err := w.tree.Plan(w.dir)
	if err != nil {
		return err
	}
	outcome := o.carryOut(plan)
	if outcome == nil && w.after != nil && !o.readsOnly() && plan.Differs() {
		outcome = w.after()
	}
	if o.json {
		if err := printJSON(s, o, w, plan, outcome); err != nil {
			return err
		}
		if outcome != nil {
			return &reportedError{outcome}
		}
		return nil
	}
	o.show(s, plan)
	if outcome == nil && !o.readsOnly() {
		showDone(s, w, plan)
	}
	if outcome == nil && w.repeat != "" {
		s.note("\nTo do the same again:\n  %s", w.repeat)
	}
	return outcome
}

func noteWarnings(s streams, warnings model.Diagnostics) {
	for _, d := range warnings {
		s.note("warning: %s", d)
	}
}

// carryOut commits the plan, or finds out what a commit would do.
func (o writeOptions) carryOut(plan *tree.Plan) error {
	commit := tree.CommitOptions{Force: o.force}
	switch {
	case o.check && plan.Differs():
		return fmt.Errorf("%s is %w: %s", plan.Dir(), errDiffers, tally(plan))
	case o.check, o.diff:
		return nil
	case o.dryRun:
		return plan.Conflicts(commit)
	default:
		return plan.Commit(commit)
	}
}

// show prints what the options ask for.
func (o writeOptions) show(s streams, plan *tree.Plan) {
	switch {
	case o.diff:
		_ = plan.Diff(s.out) // a closed pipe is the reader's wish
	case o.dryRun, o.check:
		for _, c := range plan.Changes() {
			if c.Action != tree.Same {
				fmt.Fprintln(s.out, describe(c))
			}
		}
	}
}

func describe(c tree.Change) string {
	text := fmt.Sprintf("%-8s %s", verb(c.Action), c.Path)
	if c.Reason != "" {
		text += ": " + c.Reason
	}
	return text
}

// verb is what a commit does.
func verb(a tree.Action) string {
	if a == tree.Orphan {
		return "remove"
	}
	return a.String()
}

func tally(plan *tree.Plan) string {
	var parts []string
	for _, a := range []tree.Action{tree.Create, tree.Update, tree.Conflict, tree.Orphan} {
		if n := plan.Count(a); n > 0 {
			parts = append(parts, fmt.Sprintf("%d to %s", n, verb(a)))
		}
	}
	return strings.Replace(strings.Join(parts, ", "), "to conflict", "in conflict", 1)
}

func showDone(s streams, w work, plan *tree.Plan) {
	if !plan.Differs() {
		if !w.quiet {
			fmt.Fprintf(s.out, "%s is up to date\n", plan.Dir())
		}
		return
	}
	fmt.Fprintln(s.out, w.done)
	for _, c := range plan.Changes() {
		if c.Action == tree.Update || c.Action == tree.Orphan || c.Action == tree.Conflict {
			fmt.Fprintln(s.out, "  "+describe(tree.Change{Path: c.Path, Action: replaced(c.Action)}))
		}
	}
	if len(w.next) > 0 {
		fmt.Fprintln(s.out, "\nNext:")
		for _, line := range w.next {
			fmt.Fprintln(s.out, "  "+line)
		}
	}
}

// replaced: a conflict that was committed was forced.
func replaced(a tree.Action) tree.Action {
	if a == tree.Conflict {
		return tree.Update
	}
	return a
}

// jsonResult is what --json prints: one object, whatever happens.
type jsonResult struct {
	Dir      string           `json:"dir,omitempty"`
	Written  bool             `json:"written"`
	ExitCode int              `json:"exitCode"`
	Error    string           `json:"error,omitempty"`
	Changes  []jsonChange     `json:"changes,omitempty"`
	Diff     string           `json:"diff,omitempty"`
	Next     []string         `json:"next,omitempty"`
	Template *jsonTemplate    `json:"template,omitempty"`
	Warnings []jsonDiagnostic `json:"warnings,omitempty"`
	Faults   []jsonDiagnostic `json:"faults,omitempty"`
}

// jsonTemplate is the set that a project was made of, and its variables; secret ones are left out.
type jsonTemplate struct {
	Origin  string         `json:"origin"`
	Version string         `json:"version,omitempty"`
	Hash    string         `json:"hash"`
	Answers map[string]any `json:"answers,omitempty"`
}

func describeTemplate(p *generator.Project) *jsonTemplate {
	if p == nil || p.Template.IsBuiltin() {
		return nil
	}
	j := &jsonTemplate{Origin: p.Template.Origin, Version: p.Template.Version, Hash: p.Template.Hash, Answers: map[string]any{}}
	for name, a := range p.Answers {
		if !a.Secret {
			j.Answers[name] = a.Value
		}
	}
	return j
}

type jsonChange struct {
	Path   string `json:"path"`
	Action string `json:"action"`
	Owner  string `json:"owner"`
	Reason string `json:"reason,omitempty"`
}

type jsonDiagnostic struct {
	Code   string `json:"code"`
	File   string `json:"file,omitempty"`
	Line   int    `json:"line,omitempty"`
	Column int    `json:"column,omitempty"`
	Where  string `json:"where,omitempty"`
	Why    string `json:"why"`
	Hint   string `json:"hint,omitempty"`
}

func printJSON(s streams, o writeOptions, w work, plan *tree.Plan, outcome error) error {
	r := jsonResult{
		Dir: plan.Dir(), Written: outcome == nil && !o.readsOnly() && plan.Differs(), ExitCode: exitCode(outcome),
		Warnings: jsonDiagnostics(w.warnings), Template: describeTemplate(w.project),
	}
	for _, c := range plan.Changes() {
		r.Changes = append(r.Changes, jsonChange{c.Path, c.Action.String(), c.Owner.String(), c.Reason})
	}
	if outcome != nil {
		r.Error = outcome.Error()
	} else if !o.readsOnly() {
		r.Next = w.next
	}
	if o.diff {
		var b strings.Builder
		_ = plan.Diff(&b) // a strings.Builder takes everything
		r.Diff = b.String()
	}
	return writeJSON(s, r)
}

// failJSON reports, as JSON where that is asked for, an error from before there was a plan.
func (o writeOptions) failJSON(s streams, err error) error {
	if err == nil || !o.json || isA[*reportedError](err) {
		return err
	}
	r := jsonResult{ExitCode: exitCode(err), Error: err.Error()}
	var faults model.Diagnostics
	if errors.As(err, &faults) {
		r.Faults = jsonDiagnostics(faults)
	}
	if printed := writeJSON(s, r); printed != nil {
		return printed
	}
	return &reportedError{err}
}

func jsonDiagnostics(ds model.Diagnostics) []jsonDiagnostic {
	var list []jsonDiagnostic
	for _, d := range ds {
		list = append(list, jsonDiagnostic{d.Code, d.File, d.Line, d.Column, d.Where, d.Why, d.Hint})
	}
	return list
}

func writeJSON(s streams, v any) error {
	e := json.NewEncoder(s.out)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(v)
}
