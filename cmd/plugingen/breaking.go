package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/plugingen/plugingen/generator"
	"github.com/plugingen/plugingen/generator/model"
)

// errBreaks is what plugingen breaking returns when it found what it looks for.
var errBreaks = errors.New("the contract breaks")

type breakingOptions struct {
	against    string
	wire, json bool
	dir        string
}

func newBreakingCommand(s streams) *cobra.Command {
	var o breakingOptions
	cmd := &cobra.Command{
		Use:   "breaking [--against REF|FILE|DIR] [DIR|DIR/...]",
		Short: "Say which changes of a contract break programs that were built before",
		Long: `Say which changes of a contract break programs that were built before. The .proto and the Go interfaces in DIR, by default
the current folder, are compared with those of a git revision, of a file or of a folder. DIR/... stands for all contracts in
DIR and below. Generate first: what counts is the .proto as it lies there.

Each change is compatible, or breaks the wire (plugins and hosts that are built already), or breaks source alone (what is
compiled against the contract). The exit code is 1 when something breaks, 0 otherwise.`,
		Example: `  plugingen breaking                          what changed since the last commit
  plugingen breaking --against origin/main ./...   in all contracts of a repository, since the branch left main
  plugingen breaking --against old.proto greeter   a published .proto against the contract in greeter`,
		Args: usageArgs(cobra.MaximumNArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.dir = "."
			if len(args) == 1 {
				o.dir = args[0]
			}
			return writeOptions{json: o.json}.failJSON(s, runBreaking(cmd.Context(), s, o))
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.against, "against", "", "what to compare with: a git revision, a .proto file, or a folder (default HEAD)")
	f.BoolVar(&o.wire, "wire", false, "exit with 1 only for what breaks the wire")
	f.BoolVar(&o.json, "json", false, "print the result as JSON")
	return cmd
}

func runBreaking(ctx context.Context, s streams, o breakingOptions) error {
	dir, all := cutAll(o.dir)
	contracts, err := generator.Breaking(ctx, generator.BreakingRequest{Dir: dir, All: all, Against: o.against})
	if err != nil {
		return err
	}
	outcome := o.outcome(contracts)
	if o.json {
		if err := writeJSON(s, breakingResult(contracts, outcome)); err != nil {
			return err
		}
		if outcome != nil {
			return &reportedError{outcome}
		}
		return nil
	}
	for _, c := range contracts {
		if c.Stale != "" {
			s.note("warning: %s is not what the Go interfaces make now: run plugingen generate, then compare again", filepath.ToSlash(filepath.Join(c.Dir, c.Stale)))
		}
		for _, change := range c.Changes {
			fmt.Fprintln(s.out, describeChange(c.Dir, change))
		}
	}
	return outcome
}

// cutAll takes the /... from the end of a pattern.
func cutAll(pattern string) (dir string, all bool) {
	slashed := filepath.ToSlash(pattern)
	if slashed == "..." {
		return ".", true
	}
	if dir, ok := strings.CutSuffix(slashed, "/..."); ok {
		return filepath.FromSlash(cmp.Or(dir, "/")), true
	}
	return pattern, false
}

func (o breakingOptions) outcome(contracts []generator.ContractChanges) error {
	wire, source := 0, 0
	for _, c := range contracts {
		wire += c.Count(generator.ChangeWire)
		source += c.Count(generator.ChangeSource)
	}
	var parts []string
	if wire > 0 {
		parts = append(parts, fmt.Sprintf("%d on the wire", wire))
	}
	if source > 0 && !o.wire {
		parts = append(parts, fmt.Sprintf("%d in source", source))
	}
	if len(parts) == 0 {
		return nil
	}
	return fmt.Errorf("%w: %s", errBreaks, strings.Join(parts, ", "))
}

// describeChange is one line: file:line:col: what it breaks: place: why: what to do [rule].
func describeChange(dir string, c generator.ContractChange) string {
	d := model.Diagnostic{File: c.File, Line: c.Line, Column: c.Column}
	place := filepath.ToSlash(filepath.Join(dir, d.Position()))
	parts := []string{place, levelText(c.Level)}
	for _, p := range []string{c.Where, c.Why, c.Hint} {
		if p != "" {
			parts = append(parts, p)
		}
	}
	return strings.Join(parts, ": ") + " [" + c.Rule + "]"
}

func levelText(l generator.ChangeLevel) string {
	switch l {
	case generator.ChangeWire:
		return "breaks the wire"
	case generator.ChangeSource:
		return "breaks source"
	default:
		return string(l)
	}
}

// jsonBreaking is what plugingen breaking --json prints.
type jsonBreaking struct {
	ExitCode  int                    `json:"exitCode"`
	Error     string                 `json:"error,omitempty"`
	Contracts []jsonContractBreaking `json:"contracts"`
}

type jsonContractBreaking struct {
	Dir     string               `json:"dir"`
	Changes []jsonContractChange `json:"changes"`
	Stale   string               `json:"stale,omitempty"`
}

type jsonContractChange struct {
	Rule   string `json:"rule"`
	Level  string `json:"level"`
	File   string `json:"file,omitempty"`
	Line   int    `json:"line,omitempty"`
	Column int    `json:"column,omitempty"`
	Where  string `json:"where,omitempty"`
	Why    string `json:"why"`
	Hint   string `json:"hint,omitempty"`
}

func breakingResult(contracts []generator.ContractChanges, outcome error) jsonBreaking {
	r := jsonBreaking{ExitCode: exitCode(outcome), Contracts: []jsonContractBreaking{}}
	if outcome != nil {
		r.Error = outcome.Error()
	}
	for _, c := range contracts {
		j := jsonContractBreaking{Dir: filepath.ToSlash(c.Dir), Changes: []jsonContractChange{}}
		if c.Stale != "" {
			j.Stale = filepath.ToSlash(filepath.Join(c.Dir, c.Stale))
		}
		for _, change := range c.Changes {
			file := ""
			if change.File != "" {
				file = filepath.ToSlash(filepath.Join(c.Dir, change.File))
			}
			j.Changes = append(j.Changes, jsonContractChange{
				change.Rule, string(change.Level), file, change.Line, change.Column, change.Where, change.Why, change.Hint,
			})
		}
		r.Contracts = append(r.Contracts, j)
	}
	return r
}
