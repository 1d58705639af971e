package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"

	"github.com/plugingen/plugingen/generator"
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
