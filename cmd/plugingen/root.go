package main

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"
)

// streams are where a command writes: results to out, everything else to err.
// term is where somebody can be asked, nil when nobody is there.
type streams struct {
	out, err io.Writer
	term     *terminal
}

// run is the whole program: it returns the exit code.
func run(ctx context.Context, args []string, s streams) int {
	root := newRootCommand(s)
	root.SetArgs(longFlags(args))
	cmd, err := root.ExecuteContextC(ctx)
	if err != nil {
		report(s, cmd, err)
	}
	return exitCode(err)
}

func newRootCommand(s streams) *cobra.Command {
	root := &cobra.Command{
		Use:   "plugingen",
		Short: "Turn a Go interface into a plugin system",
		Long: `plugingen turns a Go interface into a plugin system: plugins and hosts are programs of their own that talk
through the interface.

Start with:

  plugingen new my-plugin      a plugin that builds and passes its tests at once
  cd my-plugin
  plugingen host               a host that starts it and calls it
  plugingen update             later: follow newer templates, and keep what you changed

Exit codes: 0 done, 1 differs (--check, breaking), 2 used wrongly, 3 bad input, 4 files are in the way,
5 template not trusted, 6 reading or writing failed.`,
		Args:          usageArgs(cobra.NoArgs),
		SilenceErrors: true,
		SilenceUsage:  true,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return cmd.Help()
		},
	}
	root.SetOut(s.out)
	root.SetErr(s.err)
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return &usageError{err} })
	root.AddCommand(
		newNewCommand(s), newHostCommand(s), newGenerateCommand(s), newBreakingCommand(s), newUpdateCommand(s), newTemplateCommand(s), newVersionCommand(s),
	)
	root.InitDefaultCompletionCmd()
	return root
}

// usageArgs makes what a check of arguments refuses a usage error.
func usageArgs(check cobra.PositionalArgs) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if err := check(cmd, args); err != nil {
			return &usageError{err}
		}
		return nil
	}
}

// longFlags lets -type stand for --type, as other generators in go:generate directives have it, and -proto for --proto.
func longFlags(args []string) []string {
	long := make([]string, 0, len(args))
	for i, a := range args {
		if a == "--" {
			return append(long, args[i:]...)
		}
		switch name, _, _ := strings.Cut(a, "="); name {
		case "-type", "-proto":
			a = "-" + a
		}
		long = append(long, a)
	}
	return long
}

// note writes a line for people to err.
func (s streams) note(format string, args ...any) {
	fmt.Fprintf(s.err, format+"\n", args...)
}
