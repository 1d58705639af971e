package main

import (
	"errors"
	"fmt"
	"go/token"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/plugingen/plugingen/generator"
)

// hostSuffix ends the default name of a host.
const hostSuffix = "-host"

func newHostCommand(s streams) *cobra.Command {
	var o projectOptions
	cmd := &cobra.Command{
		Use:   "host [NAME]",
		Short: "Write the project of a host",
		Long: `Write the project of a host: a program that finds plugins in a folder, starts them, and calls their methods.

Inside the project of a plugin, or in the folder that holds it, the host is wired to that project's contract; elsewhere it gets a
small contract to start from. NAME defaults to the contract's name and ` + hostSuffix + `.`,
		Example: `  plugingen host
  plugingen host my-host --contract ./my-plugin/greeter`,
		Args: usageArgs(cobra.MaximumNArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 1 {
				o.name = args[0]
			}
			return o.failJSON(s, runHost(cmd, s, &o))
		},
	}
	o.register(cmd)
	return cmd
}

func runHost(cmd *cobra.Command, s streams, o *projectOptions) error {
	ctx := cmd.Context()
	if err := o.findContract(s); err != nil {
		return err
	}
	if o.name == "" {
		o.name = defaultHostName(*o)
	}
	req, err := o.request(ctx, s)
	if err != nil {
		return err
	}
	p, err := generator.Host(ctx, req)
	if err != nil {
		return err
	}
	w, err := o.made(ctx, s, cmd, []string{o.name}, req.Dir, p)
	if err != nil {
		return err
	}
	w.done = fmt.Sprintf("%s: the host %s, %s, for the contract %s", shownDir(req.Dir), p.Name, countFiles(w.tree), p.Contract.Package.Path)
	w.next = append(enter(req.Dir),
		"go test ./...            # builds a plugin and calls it",
		"go build -o bin/ .       # the host",
		"bin/"+p.Name+" --plugins DIR list",
	)
	return finish(s, o.writeOptions, w)
}

// findContract takes the contract that is in the neighbourhood, unless the flags name one.
func (o *projectOptions) findContract(s streams) error {
	if o.contract != "" || o.interfaceName != "" {
		return nil
	}
	found, err := generator.FindContracts(".", o.targetOrNothing())
	if err != nil || len(found) == 0 {
		return err
	}
	if len(found) > 1 {
		return &generator.InputError{
			What: "contract", Value: strings.Join(found, ", "), Reason: "there are several", Hint: "choose one with --contract DIR",
		}
	}
	o.contract = found[0]
	s.note("using the contract in %s", relative(found[0]))
	return nil
}

// targetOrNothing is the folder of the host itself, whose own contract is not somebody else's.
func (o *projectOptions) targetOrNothing() string {
	switch {
	case o.dir != "":
		return o.dir
	case o.name != "":
		return o.name
	}
	return "greeter" + hostSuffix
}

func defaultHostName(o projectOptions) string {
	name := "greeter"
	switch {
	case o.contract != "":
		dir := filepath.Clean(strings.SplitN(o.contract, "@", 2)[0])
		if name = filepath.Base(dir); name == "contract" {
			name = filepath.Base(filepath.Dir(dir)) // whose contract it is
		}
	case o.interfaceName != "":
		name = typeOf(o.interfaceName)
	}
	name = strings.ToLower(strings.ReplaceAll(name, "_", "-")) + hostSuffix
	if errors.Is(generator.CheckProjectName(name), generator.ErrInput) {
		return "my" + hostSuffix
	}
	return name
}

// typeOf is the name of the type in PKG.Type@VERSION or PKG@VERSION.Type.
func typeOf(interfaceName string) string {
	name, _, _ := strings.Cut(interfaceName, " ")
	for part := range strings.SplitSeq(name, "@") {
		if typ := part[strings.LastIndex(part, ".")+1:]; token.IsExported(typ) {
			return typ
		}
	}
	return ""
}

func relative(dir string) string {
	abs, err := filepath.Abs(".")
	if err != nil {
		return dir
	}
	rel, err := filepath.Rel(abs, dir)
	if err != nil {
		return dir
	}
	return filepath.ToSlash(rel)
}
