package run

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/plugingen/plugingen/bench/contestant"
	"github.com/plugingen/plugingen/bench/hostproc"
	"github.com/plugingen/plugingen/bench/measure"
)

// Record is one sample.
type Record struct {
	Contestant, Work string
	Round            int
	Sample           measure.Sample
	Others           float64 // cores that others kept busy meanwhile
	Failure          string  // why there is no sample
	Refused          string  // what limit of the contestant's there is no sample for
}

// Runner takes the samples of a plan.
type Runner struct {
	Plan        Plan
	Contestants []contestant.Contestant
	Dir         string    // gets the plugins' programs
	Root        string    // of the bench's module
	Progress    io.Writer // gets a line a round
}

// Run builds the plugins, starts a host process for each contestant and goes through the rounds. A contestant that
// cannot do a piece of work has no records of it; one that fails at it ends the run.
func (r Runner) Run(ctx context.Context) (records []Record, err error) {
	if err := contestant.Build(ctx, r.Root, r.Dir, r.Contestants); err != nil {
		return nil, err
	}
	hosts := map[string]*hostproc.Host{}
	defer func() { err = errors.Join(err, closeHosts(hosts)) }()
	for _, c := range r.Contestants {
		host, err := hostproc.Start(ctx, c, contestant.Path(r.Dir, c))
		if err != nil {
			return nil, fmt.Errorf("the host of %s: %w", c.Name(), err)
		}
		hosts[c.Name()] = host
	}
	records, err = r.programs(ctx)
	for round := 0; err == nil && round < r.Plan.Rounds; round++ {
		begun := time.Now()
		var got []Record
		got, err = r.round(ctx, round, hosts)
		records = append(records, got...)
		fmt.Fprintf(r.Progress, "round %d of %d: %d samples in %.1f s\n", round+1, r.Plan.Rounds, len(got), time.Since(begun).Seconds())
	}
	return records, err
}

type cell struct {
	contestant contestant.Contestant
	work       Work
}

// round visits all contestants with all work that is due, in random order.
func (r Runner) round(ctx context.Context, round int, hosts map[string]*hostproc.Host) ([]Record, error) {
	cells := r.due(round)
	rand.Shuffle(len(cells), func(i, j int) { cells[i], cells[j] = cells[j], cells[i] })
	var records []Record
	for _, c := range cells {
		reply, err := hosts[c.contestant.Name()].Do(c.work.Job)
		if errors.Is(err, errors.ErrUnsupported) {
			continue
		}
		record := Record{
			Contestant: c.contestant.Name(), Work: c.work.Name, Round: round,
			Sample: reply.Sample, Others: reply.Others, Refused: reply.Refused,
		}
		if err != nil {
			record.Failure = err.Error()
		}
		records = append(records, record)
	}
	return records, ctx.Err()
}

func (r Runner) due(round int) []cell {
	var cells []cell
	for _, c := range r.Contestants {
		for _, w := range r.Plan.Works {
			if w.due(round, c) && (w.Job.Kind == measure.Start || !contestant.OnlyStarts(c)) {
				cells = append(cells, cell{c, w})
			}
		}
	}
	return cells
}

func closeHosts(hosts map[string]*hostproc.Host) error {
	var errs []error
	for _, name := range slices.Sorted(maps.Keys(hosts)) {
		if err := hosts[name].Close(); err != nil {
			errs = append(errs, fmt.Errorf("the host of %s: %w", name, err))
		}
	}
	return errors.Join(errs...)
}
