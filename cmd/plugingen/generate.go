package main

import (
	"context"
	"errors"
	"fmt"
	"path"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/plugingen/plugingen/generator"
	"github.com/plugingen/plugingen/generator/model"
	"github.com/plugingen/plugingen/generator/tree"
)

type generateOptions struct {
	writeOptions
	types string
	proto string
	dir   string // empty when no argument says it
}

func newGenerateCommand(s streams) *cobra.Command {
	var o generateOptions
	cmd := &cobra.Command{
		Use:   "generate --type TYPE[,TYPE] | --proto FILE[,FILE] [DIR|DIR/...]",
		Short: "Write what carries the interfaces of a contract",
		Long: `Write what carries the interfaces of a contract between processes: .proto, .pb.go and the code that ties them to the
interfaces. DIR is the folder of the contract's package, by default the current one, as in a directive:

  //go:generate go tool -modfile=../go.tool.mod plugingen generate -type Greeter

One directive names all interfaces of a package. Field numbers of the .proto that is there are kept. DIR/... stands for all
packages in DIR and below that have such a directive, or were generated before: one process for what go generate does in many.

With --proto it is the other way round: the services of .proto files become Go interfaces, with the .pb.go of the messages; plugins and
hosts speak that .proto's plain gRPC. DIR is by default the folder of the file. No protoc is needed.

In the folder of a project, it is for all contracts of the project, and for the one of another module that it is wired to.
Where a type of the project is passed to Implement and lacks methods of its contract, stubs are added at the end of its file, and tests
of them in a file beside it; nothing that is there changes. A host's table of methods, command/zz_plugingen_calls.go, follows.`,
		Example: `  plugingen generate --type Greeter greeter        Go first: the interface in greeter/greeter.go
  plugingen generate --proto greeter/greeter.proto Proto first: greeter/zz_plugingen.go, greeter.pb.go and, once, handshake.go
  plugingen new my-plugin --contract greeter       a plugin of either
  plugingen generate --check ./...                 in CI: all that was generated is up to date`,
		Args: usageArgs(cobra.MaximumNArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.dir = o.defaultDir()
			if len(args) == 1 {
				o.dir = args[0]
			}
			return o.failJSON(s, runGenerate(cmd.Context(), s, o))
		},
	}
	cmd.Flags().StringVar(&o.types, "type", "", "the interfaces, separated by commas (default those of the last run)")
	cmd.Flags().StringVar(&o.proto, "proto", "", "the .proto files whose services are the contract, separated by commas")
	_ = cmd.MarkFlagFilename("proto", "proto") // fails only for a flag that is not there
	o.register(cmd)
	return cmd
}

func runGenerate(ctx context.Context, s streams, o generateOptions) error {
	if err := o.validate(); err != nil {
		return err
	}
	dir, places, err := o.places()
	if err != nil {
		return err
	}
	g := &generation{dir: dir, work: work{dir: dir, tree: new(tree.Tree), quiet: true}}
	for _, p := range places {
		if err := g.contract(ctx, o, p); err != nil {
			return err
		}
	}
	if err := g.faults.Err(); err != nil {
		return err
	}
	if err := g.addStubs(ctx, o); err != nil {
		return err
	}
	if len(g.results) == 0 && g.work.tree.Len() == 0 {
		noteWarnings(s, g.work.warnings)
		return nil
	}
	g.work.done = strings.Join(g.done, "\n")
	err = finish(s, o.writeOptions, g.work)
	if err == nil && o.isSettled(g.work) {
		g.remember()
	}
	return err
}

// places are the folder that all files are relative to, and the contracts in it.
func (o generateOptions) places() (dir string, places []generator.ContractPlace, err error) {
	dir, all := cutAll(o.dir)
	protos, err := o.protos(dir)
	if err != nil {
		return "", nil, err
	}
	if !all && o.isProject() {
		places, err = generator.FindGenerated(dir)
		return dir, places, err
	}
	if !all {
		return dir, []generator.ContractPlace{{Dir: ".", Types: o.named(), Protos: protos}}, nil
	}
	if o.types != "" {
		return "", nil, usagef("--type goes with one package, not with %s", o.dir)
	}
	if o.proto != "" {
		return "", nil, usagef("--proto goes with one package, not with %s", o.dir)
	}
	places, err = generator.FindGenerated(dir)
	if err == nil && len(places) == 0 {
		err = usagef("no package in %s has a directive with plugingen generate", dir)
	}
	return dir, places, err
}

// generation is what one run makes, of one contract or many.
type generation struct {
	dir     string
	work    work
	done    []string
	results []*generator.ContractResult
	dirs    []string // of the results
	read    []string // files with implementations
	unsure  bool     // somebody has to look at an implementation
	faults  model.Diagnostics
}

// contract adds what carries one contract, unless it lies there already.
func (g *generation) contract(ctx context.Context, o generateOptions, p generator.ContractPlace) error {
	req := generator.ContractRequest{Dir: filepath.Join(g.dir, filepath.FromSlash(p.Dir)), Types: p.Types, Protos: p.Protos, Remember: true}
	if warnings, ok := generator.Unchanged(req); ok && !o.json {
		g.work.warnings = append(g.work.warnings, within(p.Dir, warnings)...)
		return nil
	}
	if len(req.Types) == 0 && len(req.Protos) == 0 {
		types, err := lastTypes(req.Dir)
		if err != nil {
			return err
		}
		req.Types = types
	}
	result, err := generator.Contract(ctx, req)
	var faults model.Diagnostics
	if errors.As(err, &faults) {
		g.faults = append(g.faults, within(p.Dir, faults)...)
		return nil
	}
	if err != nil {
		return err
	}
	g.results, g.dirs = append(g.results, result), append(g.dirs, req.Dir)
	g.work.warnings = append(g.work.warnings, within(p.Dir, result.Warnings)...)
	return g.add(p.Dir, result, fmt.Sprintf("%s: generated for %s", result.Contract.Package.Path, serviceNames(result.Contract)))
}

func serviceNames(c *model.Contract) string {
	var names []string
	for _, s := range c.Services {
		names = append(names, s.Name)
	}
	return strings.Join(names, ", ")
}

// add puts files into the tree; done is said of those that differ from what lies there. Files outside the folder of the work make
// the module's root its folder.
func (g *generation) add(dir string, result *generator.ContractResult, done string) error {
	contract := filepath.Join(g.dir, filepath.FromSlash(dir))
	below, err := relativeTo(g.work.dir, contract)
	if err != nil {
		return err
	}
	for _, f := range result.Files {
		if !strings.HasPrefix(path.Join(below, f.Name), "../") {
			continue
		}
		root, err := generator.ModuleRoot(contract)
		if err == nil {
			err = g.move(root)
		}
		if err != nil {
			return err
		}
		if below, err = relativeTo(root, contract); err != nil {
			return err
		}
		break
	}
	own := new(tree.Tree)
	for _, f := range result.Files {
		file := tree.File{Path: path.Join(below, f.Name), Data: f.Data, Owner: tree.Generated}
		if f.Once {
			file.Owner = tree.Scaffolded
		}
		if err := errors.Join(own.Add(file), g.work.tree.Add(file)); err != nil {
			return err
		}
	}
	plan, err := own.Plan(g.work.dir)
	if err == nil && plan.Differs() {
		g.done = append(g.done, done)
	}
	return err
}

// within tells positions from where the command was pointed at.
func within(dir string, list model.Diagnostics) model.Diagnostics {
	moved := make(model.Diagnostics, len(list))
	for i, d := range list {
		if d.File != "" && !path.IsAbs(d.File) && !filepath.IsAbs(d.File) {
			d.File = path.Join(dir, d.File)
		}
		moved[i] = d
	}
	return moved
}

// isSettled says whether the files lie there now.
func (o generateOptions) isSettled(w work) bool {
	if !o.readsOnly() {
		return true
	}
	plan, err := w.tree.Plan(w.dir)
	return err == nil && !plan.Differs()
}

func lastTypes(dir string) ([]string, error) {
	types, err := generator.ServicesIn(dir)
	if err == nil && len(types) == 0 {
		err = usagef("name the interfaces with --type: %s has not been generated yet", generator.GluedName)
	}
	return types, err
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
