package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/plugingen/plugingen/generator"
	"github.com/plugingen/plugingen/generator/tree"
)

type generateOptions struct {
	writeOptions
	types string
	dir   string
}

func newGenerateCommand(s streams) *cobra.Command {
	var o generateOptions
	cmd := &cobra.Command{
		Use:   "generate --type TYPE[,TYPE] [DIR]",
		Short: "Write what carries the interfaces of a contract",
		Long: `Write what carries the interfaces of a contract between processes: .proto, .pb.go and the code that ties them to the
interfaces. DIR is the folder of the contract's package, by default the current one, as in a directive:

  //go:generate go tool -modfile=../go.tool.mod plugingen generate -type Greeter

One directive names all interfaces of a package. Field numbers of the .proto that is there are kept.`,
		Args: usageArgs(cobra.MaximumNArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.dir = "."
			if len(args) == 1 {
				o.dir = args[0]
			}
			return o.failJSON(s, runGenerate(cmd.Context(), s, o))
		},
	}
	cmd.Flags().StringVar(&o.types, "type", "", "the interfaces, separated by commas (default those of the last run)")
	o.register(cmd)
	return cmd
}

func runGenerate(ctx context.Context, s streams, o generateOptions) error {
	if err := o.validate(); err != nil {
		return err
	}
	if warnings, ok := generator.Unchanged(generator.ContractRequest{Dir: o.dir, Types: o.named()}); ok && !o.json {
		noteWarnings(s, warnings)
		return nil
	}
	types, err := o.typeNames()
	if err != nil {
		return err
	}
	result, err := generator.Contract(ctx, generator.ContractRequest{Dir: o.dir, Types: types, Remember: true})
	if err != nil {
		return err
	}
	t := new(tree.Tree)
	for _, f := range result.Files {
		if err := t.Add(tree.File{Path: f.Name, Data: f.Data, Owner: tree.Generated}); err != nil {
			return err
		}
	}
	w := work{
		dir: o.dir, tree: t, warnings: result.Warnings, quiet: true,
		done: fmt.Sprintf("%s: generated for %s", result.Contract.Package.Path, strings.Join(types, ", ")),
	}
	err = finish(s, o.writeOptions, w)
	if err == nil && o.isSettled(w) {
		result.Remember()
	}
	return err
}

// isSettled says whether the files lie there now.
func (o generateOptions) isSettled(w work) bool {
	if !o.readsOnly() {
		return true
	}
	plan, err := w.tree.Plan(w.dir)
	return err == nil && !plan.Differs()
}

func (o generateOptions) typeNames() ([]string, error) {
	if o.types == "" {
		types, err := generator.ServicesIn(o.dir)
		if err == nil && len(types) == 0 {
			err = usagef("name the interfaces with --type: %s has not been generated yet", generator.GluedName)
		}
		return types, err
	}
	return o.named(), nil
}

// named are the interfaces that --type names; none without it.
func (o generateOptions) named() []string {
	if o.types == "" {
		return nil
	}
	types := strings.Split(o.types, ",")
	for i, t := range types {
		types[i] = strings.TrimSpace(t)
	}
	return types
}
