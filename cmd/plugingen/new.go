package main

import (
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
  plugingen new other-plugin --contract ./my-plugin/greeter
  plugingen new ours --template corp.example/templates@v1.2.0 --var owner=@corp/tools`,
		Args: usageArgs(oneName),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.name = args[0]
			return o.failJSON(s, runNew(cmd, s, &o))
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

func runNew(cmd *cobra.Command, s streams, o *projectOptions) error {
	ctx := cmd.Context()
	req, err := o.request(ctx, s)
	if err != nil {
		return err
	}
	p, err := generator.Plugin(ctx, req)
	if err != nil {
		return err
	}
	w, err := o.made(ctx, s, cmd, []string{o.name}, req.Dir, p)
	if err != nil {
		return err
	}
	w.done = fmt.Sprintf("%s: the plugin %s, %s, for the contract %s", shownDir(req.Dir), p.Name, countFiles(w.tree), p.Contract.Package.Path)
	w.next = append(enter(req.Dir),
		"go test ./...            # in the test's process, and as a process of its own",
		"go build -o bin/ .       # the plugin",
		"plugingen host           # writes a program that starts it and calls it",
	)
	return finish(s, o.writeOptions, w)
}
