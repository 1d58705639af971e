// Command check samples little and compares it with what bounds.json promises: allocations per call, and ratios with wide margins.
// It exits with 1 when a promise is broken. Less than a minute; for continuous integration.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strings"
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
	broken, err := check(ctx, plan(), bounds)
	if err != nil || len(broken) == 0 {
		return err
	}
	// What a busy machine breaks, it does not break twice as long.
	fmt.Fprintln(os.Stdout, "once more, what is broken, with more rounds:")
	broken, err = check(ctx, again(broken), broken)
	if err == nil && len(broken) > 0 {
		err = errors.New("promises are broken: make it cheaper again, or change bench/check/bounds.json and say why")
	}
	return err
}

// check samples and returns the bounds that are broken.
func check(ctx context.Context, p run.Plan, bounds []bound) ([]bound, error) {
	set, err := sample(ctx, p, bounds)
	if err != nil {
		return nil, err
	}
	return report(set, bounds)
}

func sample(ctx context.Context, p run.Plan, bounds []bound) (*samples.Set, error) {
	root, err := programs.Root(ctx)
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "bench")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	r := run.Runner{Plan: p, Contestants: needed(bounds), Dir: dir, Root: root, Progress: os.Stderr}
	records, err := r.Run(ctx)
	return samples.Collect(records), err
}

// again is the plan for what was broken: that alone, in twice as many rounds.
func again(broken []bound) run.Plan {
	p := plan()
	p.Rounds *= 2
	p.Works = slices.DeleteFunc(p.Works, func(w run.Work) bool {
		return !slices.ContainsFunc(broken, func(b bound) bool { return b.Work == w.Name })
	})
	return p
}

// plan has what bounds.json names.
func plan() run.Plan {
	const d = 80 * time.Millisecond
	return run.Plan{Rounds: 9, Works: []run.Work{
		{Name: "call", Job: measure.Job{Kind: measure.Echo, Callers: 1, Time: d}, Every: 1},
		{Name: "call with a deadline", Job: measure.Job{Kind: measure.Echo, Callers: 1, Deadline: true, Time: d}, Every: 1},
		{Name: "64 callers", Job: measure.Job{Kind: measure.Echo, Callers: 64, Time: d}, Every: 1},
		{Name: "64 KiB up", Job: measure.Job{Kind: measure.Put, Size: 64 << 10, Time: d}, Every: 1},
		{Name: "1 MiB down", Job: measure.Job{Kind: measure.Get, Size: 1 << 20, Time: d}, Every: 3},
		{Name: "callback", Job: measure.Job{Kind: measure.CallBack, Count: 1, Time: d}, Every: 3},
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

// report prints every promise, and returns those that are broken. Work that fails is an error.
func report(set *samples.Set, bounds []bound) ([]bound, error) {
	var broken []bound
	for _, b := range bounds {
		line, kept := b.check(set)
		mark := "ok    "
		if !kept {
			mark = "BROKEN"
			broken = append(broken, b)
		}
		fmt.Fprintln(os.Stdout, mark, line)
	}
	if len(set.Failures) > 0 {
		return broken, fmt.Errorf("work failed: %s", strings.Join(set.Failures, "; "))
	}
	return broken, nil
}
