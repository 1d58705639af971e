package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/plugingen/plugingen/generator"
)

func newNewCommand(s streams) *cobra.Command {
	var o projectOptions
	cmd := &cobra.Command{
		Use:   "new NAME",
		Short: "Write the project of a plugin",
		Long: `Write the project of a plugin, complete with tests, which builds at once.

NAME is ` + generator.ProjectNameRule + `.
Without --interface and --contract the project gets a small contract to start from.`,
		Example: `  plugingen new my-plugin
  plugingen new keys --interface github.com/99designs/keyring.Keyring
  plugingen new other-plugin --contract ./my-plugin/greeter`,
		Args: usageArgs(oneName),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.name = args[0]
			return o.failJSON(s, runNew(cmd.Context(), s, o))
		},
	}
	o.register(cmd)
	return cmd
}

// oneName asks for what is missing in the words of the command.
func oneName(_ *cobra.Command, args []string) error {
	switch {
	case len(args) == 0:
		return errors.New("what is the plugin's name? For example: plugingen new my-plugin")
	case len(args) > 1:
		return fmt.Errorf("one name is enough, and these are %d: %q", len(args), args)
	}
	return nil
}

func runNew(ctx context.Context, s streams, o projectOptions) error {
	req, err := o.request(s)
	if err != nil {
		return err
	}
	p, err := generator.Plugin(ctx, req)
	if err != nil {
		return err
	}
	return finish(s, o.writeOptions, work{
		dir: req.Dir, tree: p.Tree, warnings: p.Warnings,
		done: fmt.Sprintf("%s: the plugin %s, %d files, for the contract %s", shownDir(req.Dir), p.Name, p.Tree.Len(), p.Contract.Package.Path),
		next: append(enter(req.Dir),
			"go test ./...            # in the test's process, and as a process of its own",
			"go build -o bin/ .       # the plugin",
			"plugingen host           # writes a program that starts it and calls it",
		),
	})
}
