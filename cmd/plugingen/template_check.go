package main

import (
	"context"
	"fmt"
	"os"
	"regexp"

	"github.com/spf13/cobra"

	"github.com/plugingen/plugingen/generator"
	"github.com/plugingen/plugingen/generator/tree"
)

func newTemplateLintCommand(s streams) *cobra.Command {
	var o setOptions
	cmd := &cobra.Command{
		Use:   "lint SET",
		Short: "Look for what is wrong with a set, without rendering it",
		Long: `Look for what is wrong with a set, without rendering it: variables that nobody declares or uses, files that are never written, changes of
blocks that are not there, functions that are unknown or do not return the same every time, names that some file system does not take.
It exits with 3 when there is something.`,
		Args: usageArgs(oneSet),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.template = args[0]
			return o.failJSON(s, runTemplateLint(cmd.Context(), s, o))
		},
	}
	o.register(cmd)
	return cmd
}

// lintError says how many faults were printed.
type lintError struct{ faults int }

func (e *lintError) Error() string { return fmt.Sprintf("faults: %d", e.faults) }
func (e *lintError) Unwrap() error { return generator.ErrInput }

func runTemplateLint(ctx context.Context, s streams, o setOptions) error {
	faults, err := generator.LintTemplate(ctx, o.looking(s))
	if err != nil {
		return err
	}
	err = nil
	if len(faults) > 0 {
		err = &lintError{len(faults)}
	}
	if o.json {
		r := jsonResult{ExitCode: exitCode(err)}
		for _, f := range faults {
			r.Faults = append(r.Faults, jsonDiagnostic{File: f.File, Line: f.Line, Column: f.Column, Why: f.Why})
		}
		return reportedAs(writeJSON(s, r), err)
	}
	for _, f := range faults {
		fmt.Fprintln(s.out, shown(f.String()))
	}
	return err
}

// reportedAs is the error of printing, else what was printed.
func reportedAs(printing, outcome error) error {
	if printing != nil || outcome == nil {
		return printing
	}
	return &reportedError{outcome}
}

type templateTestOptions struct {
	setOptions
	run, runtimeFrom string
	update, noBuild  bool
}

func newTemplateTestCommand(s streams) *cobra.Command {
	var o templateTestOptions
	cmd := &cobra.Command{
		Use:   "test SET",
		Short: "Render the cases of a set, compare, build and test what comes out",
		Long: `Render the cases of a set, cases/NAME.txtar, and compare what comes out with the files in them. Unless --no-build says otherwise the
projects are built, vetted and tested: this runs what the set says. It exits with 1 when a case fails.`,
		Args: usageArgs(oneSet),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.template = args[0]
			return o.failJSON(s, runTemplateTest(cmd.Context(), s, o))
		},
	}
	o.register(cmd)
	registerTrust(cmd, &o.trust)
	cmd.Flags().StringVar(&o.run, "run", "", "regular expression for the names of the cases to try")
	cmd.Flags().BoolVar(&o.update, "update", false, "write what comes out into the cases; read the diff before you commit it")
	cmd.Flags().BoolVar(&o.noBuild, "no-build", false, "compare alone")
	cmd.Flags().StringVar(&o.runtimeFrom, "runtime", "", `where the projects find the runtime, see plugingen new`)
	return cmd
}

func runTemplateTest(ctx context.Context, s streams, o templateTestOptions) error {
	req := generator.TemplateTestRequest{TemplateRequest: o.using(ctx, s), NoBuild: o.noBuild}
	var err error
	if req.Run, err = regexp.Compile(o.run); err != nil {
		return usagef("--run: %v", err)
	}
	if req.Runtime, err = runtimeFrom(o.runtimeFrom); err != nil {
		return err
	}
	if info, err := os.Stat(o.template); o.update && (err != nil || !info.IsDir()) {
		return usagef("--update writes into a folder, and %q is none", o.template)
	}
	results, err := generator.TestTemplate(ctx, req)
	if err != nil {
		return err
	}
	if o.update {
		if err := writeCases(o.template, results); err != nil {
			return err
		}
	}
	return showCases(s, o, results)
}

// writeCases puts what came out into the set's folder.
func writeCases(dir string, results []generator.TemplateCase) error {
	t := new(tree.Tree)
	for _, r := range results {
		if r.Got != nil {
			if err := t.Add(tree.File{Path: generator.CaseFile(r.Name), Data: r.Got}); err != nil {
				return err
			}
		}
	}
	plan, err := t.Plan(dir)
	if err != nil {
		return err
	}
	return plan.Commit(tree.CommitOptions{Force: true})
}

// caseError says how many cases failed.
type caseError struct{ failed, all int }

func (e *caseError) Error() string { return fmt.Sprintf("%d of %d cases failed", e.failed, e.all) }
func (e *caseError) Unwrap() error { return errDiffers }

// jsonCase is a case as --json prints it.
type jsonCase struct {
	Name  string `json:"name"`
	OK    bool   `json:"ok"`
	Diff  string `json:"diff,omitempty"`
	Error string `json:"error,omitempty"`
}

func showCases(s streams, o templateTestOptions, results []generator.TemplateCase) error {
	var list []jsonCase
	failed := 0
	for _, r := range results {
		c := jsonCase{Name: r.Name, OK: r.Err == nil && (r.Diff == "" || o.update), Diff: r.Diff}
		if r.Err != nil {
			c.Error = r.Err.Error()
		}
		if !c.OK {
			failed++
		}
		list = append(list, c)
	}
	var outcome error
	if failed > 0 {
		outcome = &caseError{failed, len(results)}
	}
	if o.json {
		return reportedAs(writeJSON(s, struct {
			ExitCode int        `json:"exitCode"`
			Cases    []jsonCase `json:"cases"`
		}{exitCode(outcome), list}), outcome)
	}
	for _, c := range list {
		printCase(s, c, o.update)
	}
	return outcome
}

func printCase(s streams, c jsonCase, updated bool) {
	word := "ok    "
	switch {
	case !c.OK:
		word = "FAILED"
	case c.Diff != "" && updated:
		word = "wrote "
	}
	fmt.Fprintf(s.out, "%s %s\n", word, c.Name)
	if !c.OK {
		fmt.Fprint(s.out, c.Diff)
		if c.Error != "" {
			fmt.Fprintln(s.out, c.Error)
		}
	}
}
