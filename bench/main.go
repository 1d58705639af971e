// Command bench compares plugins made with plugingen with those of its peers: the same work in the same run.
//
//	go run .          all of it, about ten minutes
//	go run . -quick   about a minute
//
// It prints tables and writes them to RESULTS.md, with plots (not with -quick, unless -o says so).
package main

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"

	"github.com/plugingen/plugingen/bench/contestant"
	"github.com/plugingen/plugingen/bench/generators"
	"github.com/plugingen/plugingen/bench/hostproc"
	"github.com/plugingen/plugingen/bench/plots"
	"github.com/plugingen/plugingen/bench/programs"
	"github.com/plugingen/plugingen/bench/report"
	"github.com/plugingen/plugingen/bench/run"
	"github.com/plugingen/plugingen/bench/samples"
	"github.com/plugingen/plugingen/bench/targets"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := start(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func start(ctx context.Context, args []string) error {
	if is, err := hostproc.Main(ctx, args); is {
		return err
	}
	var o options
	if err := o.parse(args); err != nil {
		return err
	}
	return o.run(ctx)
}

type options struct {
	quick  bool
	only   string
	work   string
	rounds int
	output string
}

func (o *options) parse(args []string) error {
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.BoolVar(&o.quick, "quick", false, "about a minute instead of ten")
	flags.StringVar(&o.only, "only", "", "contestants whose name contains one of these, separated by commas; "+contestant.ReferenceName+" and "+contestant.FloorName+" are always there")
	flags.StringVar(&o.work, "work", "", "work whose name contains this, and no generators")
	flags.IntVar(&o.rounds, "rounds", 0, "rounds; 0 means the plan's")
	flags.StringVar(&o.output, "o", "", "file that gets the tables besides stdout, with its plots in a folder beside it (default RESULTS.md of a full run of all)")
	return flags.Parse(args)
}

func (o *options) run(ctx context.Context) error {
	root, err := programs.Root(ctx)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "bench")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	takes := []func(context.Context, string, string) ([]report.Section, error){o.plugins, o.generators}
	if o.work != "" {
		takes = takes[:1]
	}
	var sections []report.Section
	for _, take := range takes {
		more, err := take(ctx, root, dir)
		if err != nil {
			return err
		}
		sections = append(sections, more...)
	}
	return o.publish(root, sections)
}

func (o *options) plugins(ctx context.Context, root, dir string) ([]report.Section, error) {
	r := run.Runner{Plan: o.plan(), Contestants: o.contestants(), Dir: dir, Root: root, Progress: os.Stderr}
	records, err := r.Run(ctx)
	all := report.Section{
		Title: "Plugins", Works: r.Plan.Names(), Contestants: names(r.Contestants),
		Reference: contestant.ReferenceName, Fallback: contestant.FallbackName, Floor: contestant.FloorName,
		Ours: contestant.OursName, ByWork: true, Records: records,
	}
	return append([]report.Section{all}, automaticTLS(all)...), err
}

// automaticTLS compares those with automatic TLS with each other, from the same samples; nothing when they were not all there.
func automaticTLS(all report.Section) []report.Section {
	all.Title, all.Floor, all.ByWork, all.Reference = "Automatic mutual TLS", "", false, contestant.TheirTLSName
	pair := []string{contestant.OursTLSName, contestant.TheirTLSName}
	for _, name := range pair {
		if !slices.Contains(all.Contestants, name) {
			return nil
		}
	}
	all.Contestants = pair
	all.Works = slices.DeleteFunc(slices.Clone(all.Works), func(work string) bool { return !run.IsAboutTLS(work) })
	all.Records = slices.DeleteFunc(slices.Clone(all.Records), func(r run.Record) bool {
		return !slices.Contains(pair, r.Contestant) || !run.IsAboutTLS(r.Work)
	})
	if len(all.Works) == 0 {
		return nil
	}
	return []report.Section{all}
}

func (o *options) generators(ctx context.Context, root, dir string) ([]report.Section, error) {
	r := generators.Runner{Rounds: o.plan().Rounds, Dir: dir, Root: root, Progress: os.Stderr}
	records, err := r.Run(ctx)
	return []report.Section{{
		Title: "Generators", Works: generators.Works(), Contestants: generators.Names(),
		Reference: generators.ReferenceName, Records: records,
	}}, err
}

// publish prints everything, and keeps it with its plots where it is worth keeping.
func (o *options) publish(root string, sections []report.Section) error {
	if o.output == "" && !o.quick && o.only == "" && o.work == "" {
		o.output = filepath.Join(root, "RESULTS.md")
	}
	var records []run.Record
	for _, s := range sections {
		records = append(records, s.Records...)
	}
	set := samples.Collect(records)
	wanted, err := targets.Load()
	if err != nil {
		return err
	}
	text := bytes.NewBufferString("# Results\n\nWritten by `make bench`; README.md says what is measured.\n\n" + targets.Table(wanted, set))
	if o.output != "" {
		links, err := plots.WriteAll(filepath.Dir(o.output), "plots", set, sections[0].Contestants)
		if err != nil {
			return err
		}
		text.WriteString("\n" + strings.TrimSpace(links) + "\n")
	}
	for _, s := range sections {
		if err := s.Write(text); err != nil {
			return err
		}
	}
	if o.output != "" {
		if err := os.WriteFile(o.output, text.Bytes(), 0o644); err != nil {
			return err
		}
	}
	_, err = os.Stdout.Write(text.Bytes())
	return err
}

func (o *options) plan() run.Plan {
	plan := run.Full()
	if o.quick {
		plan = run.Quick()
	}
	if o.work != "" {
		plan.Works = slices.DeleteFunc(plan.Works, func(w run.Work) bool { return !strings.Contains(w.Name, o.work) })
	}
	if o.rounds > 0 {
		plan.Rounds = o.rounds
	}
	return plan
}

func (o *options) contestants() []contestant.Contestant {
	if o.only == "" {
		return contestant.All()
	}
	var chosen []contestant.Contestant
	for _, c := range contestant.All() {
		if o.chooses(c.Name()) {
			chosen = append(chosen, c)
		}
	}
	return chosen
}

func (o *options) chooses(name string) bool {
	if name == contestant.ReferenceName || name == contestant.FloorName {
		return true
	}
	for _, part := range strings.Split(o.only, ",") {
		if strings.Contains(name, part) {
			return true
		}
	}
	return false
}

func names(contestants []contestant.Contestant) []string {
	var all []string
	for _, c := range contestants {
		all = append(all, c.Name())
	}
	return all
}
