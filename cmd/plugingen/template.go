package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"

	"github.com/spf13/cobra"

	"github.com/plugingen/plugingen/generator"
	"github.com/plugingen/plugingen/generator/tree"
)

func newTemplateCommand(s streams) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "template",
		Short: "Look at template sets, write and test them",
		Long: `Look at template sets, write and test them.

A set is a folder with a manifest, template.yaml, and files that are laid over the built-in set. SET is a folder, MODULE@VERSION, or the
URL of a git repository with @REF; builtin is the built-in set.`,
		Args: usageArgs(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(
		newTemplateListCommand(s), newTemplateShowCommand(s), newTemplateInitCommand(s), newTemplateExportCommand(s),
		newTemplateLintCommand(s), newTemplateTestCommand(s), newTemplateSchemaCommand(s),
	)
	return cmd
}

// setOptions are what commands have in common that look at one set.
type setOptions struct {
	template    string
	trust, json bool
}

func (o *setOptions) register(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&o.json, "json", false, "print the result as JSON")
	cmd.ValidArgsFunction = func(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
		if len(args) > 0 {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return knownTemplates(), cobra.ShellCompDirectiveDefault
	}
}

// looking is for commands that read a set and use nothing of it: it is how people find out whether they trust it.
func (o *setOptions) looking(s streams) generator.TemplateRequest {
	return generator.TemplateRequest{Template: o.template, Approve: func(generator.TemplateReview) error { return nil }, Progress: s.err}
}

// using is for commands that run what a set says.
func (o *setOptions) using(ctx context.Context, s streams) generator.TemplateRequest {
	term := s.term
	if o.json {
		term = nil
	}
	return generator.TemplateRequest{Template: o.template, Approve: approver(ctx, s, term, o.trust), Progress: s.err}
}

// oneSet is the argument of these commands.
func oneSet(_ *cobra.Command, args []string) error {
	if len(args) != 1 {
		return errors.New("name one template set: a folder, MODULE@VERSION, or the URL of a git repository with @REF")
	}
	return nil
}

// failJSON reports an error as JSON where that is asked for.
func (o *setOptions) failJSON(s streams, err error) error {
	return writeOptions{json: o.json}.failJSON(s, err)
}

func newTemplateListCommand(s streams) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List the built-in set, the default, and the sets that were used before",
		Args:  usageArgs(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			o := setOptions{json: asJSON}
			return o.failJSON(s, runTemplateList(cmd.Context(), s, asJSON))
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print the result as JSON")
	return cmd
}

// listedTemplate is a set that list knows of.
type listedTemplate struct {
	Template    string   `json:"template"`
	Kinds       []string `json:"kinds,omitempty"`
	Description string   `json:"description,omitempty"`
	Default     string   `json:"default,omitempty"` // the file that makes it the default
	Hash        string   `json:"hash,omitempty"`
}

func runTemplateList(ctx context.Context, s streams, asJSON bool) error {
	builtin, err := generator.DescribeTemplate(ctx, generator.TemplateRequest{})
	if err != nil {
		return err
	}
	list := []listedTemplate{{Template: generator.BuiltinTemplate, Kinds: builtin.Kinds, Description: builtin.Description, Hash: builtin.Hash}}
	settings, err := generator.FindSettings(ctx, generator.SettingsRequest{Dir: ".", UserDir: configDir(), Approve: (&setOptions{}).looking(s).Approve})
	if err != nil {
		return err
	}
	known, err := readTrusted(configDir())
	if err != nil {
		return err
	}
	for _, origin := range slices.Sorted(maps.Keys(known.Templates)) {
		for _, version := range slices.Sorted(maps.Keys(known.Templates[origin])) {
			list = append(list, listedTemplate{Template: origin + "@" + version, Hash: known.Templates[origin][version]})
		}
	}
	if t := settings.Template; t != "" {
		i := slices.IndexFunc(list, func(l listedTemplate) bool { return l.Template == t })
		if i < 0 {
			list, i = append(list, listedTemplate{Template: t}), len(list)
		}
		list[i].Default = relative(settings.From)
	}
	if asJSON {
		return writeJSON(s, list)
	}
	printList(s, list)
	return nil
}

func printList(s streams, list []listedTemplate) {
	for _, l := range list {
		text := l.Template
		if l.Description != "" {
			text += "  " + shown(l.Description)
		}
		if l.Default != "" {
			text += "  (default: " + l.Default + ")"
		}
		fmt.Fprintln(s.out, text)
	}
}

func newTemplateInitCommand(s streams) *cobra.Command {
	var o writeOptions
	var dir string
	var kinds []string
	cmd := &cobra.Command{
		Use:     "init NAME",
		Short:   "Write a new set that is laid over the built-in one",
		Example: "  plugingen template init acme --kind plugin",
		Args:    usageArgs(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			if dir == "" {
				dir = args[0]
			}
			return o.failJSON(s, runTemplateInit(cmd.Context(), s, o, args[0], dir, kinds))
		},
	}
	cmd.Flags().StringVar(&dir, "dir", "", "folder of the set (default NAME)")
	cmd.Flags().StringSliceVar(&kinds, "kind", []string{"plugin", "host"}, "what the set makes: plugin, host")
	o.register(cmd)
	if err := cmd.RegisterFlagCompletionFunc("kind", cobra.FixedCompletions([]string{"plugin", "host"}, cobra.ShellCompDirectiveNoFileComp)); err != nil {
		panic(err) // the flag was registered just before
	}
	return cmd
}

func runTemplateInit(ctx context.Context, s streams, o writeOptions, name, dir string, kinds []string) error {
	if err := o.validate(); err != nil {
		return err
	}
	t, err := generator.NewTemplate(name, kinds)
	if err != nil {
		return err
	}
	return finish(s, o, work{
		dir: dir, tree: t, done: fmt.Sprintf("%s: the template set %s, %d files", shownDir(dir), name, t.Len()),
		next: []string{
			"plugingen template lint " + asFolder(dir),
			"plugingen template test " + asFolder(dir) + "    # renders the cases, builds and tests what comes out",
			"plugingen new try --template " + asFolder(dir),
		},
		after: func() error { return fillCases(ctx, dir) },
	})
}

// asFolder is the folder as commands take it for one.
func asFolder(dir string) string {
	if !filepath.IsAbs(dir) {
		return "./" + filepath.ToSlash(filepath.Clean(dir))
	}
	return shownDir(dir)
}

// fillCases writes what comes out of the cases of a new set.
func fillCases(ctx context.Context, dir string) error {
	req := generator.TemplateTestRequest{TemplateRequest: generator.TemplateRequest{Template: asFolder(dir)}, NoBuild: true}
	results, err := generator.TestTemplate(ctx, req)
	if err != nil {
		return err
	}
	return writeCases(dir, results)
}

func newTemplateExportCommand(s streams) *cobra.Command {
	var o writeOptions
	cmd := &cobra.Command{
		Use:   "export DIR",
		Short: "Write the built-in set as files",
		Args:  usageArgs(cobra.ExactArgs(1)),
		RunE: func(_ *cobra.Command, args []string) error {
			return o.failJSON(s, runTemplateExport(s, o, args[0]))
		},
	}
	o.register(cmd)
	return cmd
}

func runTemplateExport(s streams, o writeOptions, dir string) error {
	if err := o.validate(); err != nil {
		return err
	}
	t, err := generator.ExportTemplates()
	if err != nil {
		return err
	}
	return finish(s, o, work{dir: dir, tree: t, done: fmt.Sprintf("%s: the built-in template set, %d files", shownDir(dir), t.Len())})
}

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

func newTemplateSchemaCommand(s streams) *cobra.Command {
	return &cobra.Command{
		Use:   "schema",
		Short: "Print the JSON schema of template.yaml",
		Args:  usageArgs(cobra.NoArgs),
		RunE: func(*cobra.Command, []string) error {
			_, err := s.out.Write(generator.TemplateSchema())
			return err
		},
	}
}
