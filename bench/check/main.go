// Command check samples little and compares it with what bounds.json promises: allocations per call, and ratios with wide margins.
// It exits with 1 when a promise is broken. Less than a minute; for continuous integration.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"time"

	"github.com/plugingen/plugingen/bench/contestant"
	"github.com/plugingen/plugingen/bench/hostproc"
	"github.com/plugingen/plugingen/bench/load"
	"github.com/plugingen/plugingen/bench/measure"
	"github.com/plugingen/plugingen/bench/programs"
	"github.com/plugingen/plugingen/bench/run"
	"github.com/plugingen/plugingen/bench/samples"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := start(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "bench/check:", err)
		os.Exit(1)
	}
}

func start(ctx context.Context, args []string) error {
	if is, err := hostproc.Main(ctx, args); is {
		return err
	}
	bounds, err := loadBounds()
	if err != nil {
		return err
	}
	set, err := sample(ctx, bounds)
	if err != nil {
		return err
	}
	return report(set, bounds)
}

func sample(ctx context.Context, bounds []bound) (*samples.Set, error) {
	root, err := programs.Root(ctx)
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "bench")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	r := run.Runner{Plan: plan(), Contestants: needed(bounds), Dir: dir, Root: root, Progress: os.Stderr}
	records, err := r.Run(ctx)
	return samples.Collect(records), err
}

// plan has what bounds.json names.
func plan() run.Plan {
	const d = 80 * time.Millisecond
	return run.Plan{Rounds: 9, Works: []run.Work{
		{Name: "call", Job: measure.Job{Kind: measure.Echo, Callers: 1, Time: d}, Every: 1},
		{Name: "call with a deadline", Job: measure.Job{Kind: measure.Echo, Callers: 1, Deadline: true, Time: d}, Every: 1},
		{Name: "64 callers", Job: measure.Job{Kind: measure.Echo, Callers: 64, Time: d}, Every: 1},
		{Name: "64 KiB up", Job: measure.Job{Kind: measure.Put, Size: 64 << 10, Time: d}, Every: 1},
		{Name: "stream", Job: measure.Job{Kind: measure.Chat, Time: d}, Every: 1},
		{Name: "start", Job: measure.Job{Kind: measure.Start}, Every: 1},
		{Name: "idle", Job: measure.Job{Kind: measure.Fleet, Plugins: 4}, Every: 3},
		{Name: "stderr filtered out", Job: measure.Job{Kind: measure.Relay, Format: load.HCLog, Lines: 5000, Filtered: true}, Every: 1},
	}}
}

// needed are the contestants that any bound names.
func needed(bounds []bound) []contestant.Contestant {
	named := map[string]bool{}
	for _, b := range bounds {
		named[b.Contestant], named[b.Against] = true, true
	}
	var all []contestant.Contestant
	for _, c := range contestant.All() {
		if named[c.Name()] {
			all = append(all, c)
		}
	}
	return all
}

// report prints every promise, and returns an error when one is broken.
func report(set *samples.Set, bounds []bound) error {
	broken := 0
	for _, b := range bounds {
		line, kept := b.check(set)
		mark := "ok    "
		if !kept {
			mark = "BROKEN"
			broken++
		}
		fmt.Fprintln(os.Stdout, mark, line)
	}
	for _, f := range set.Failures {
		fmt.Fprintln(os.Stdout, "FAILED", f)
	}
	if broken > 0 || len(set.Failures) > 0 {
		return errors.New("promises are broken: make it cheaper again, or change bench/check/bounds.json and say why")
	}
	return nil
}
