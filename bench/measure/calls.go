package measure

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/plugingen/plugingen/bench/contestant"
	"github.com/plugingen/plugingen/bench/load"
	"github.com/plugingen/plugingen/bench/machine"
	"github.com/plugingen/plugingen/bench/stats"
)

// callDeadline is far away: what is measured is having one.
const callDeadline = 10 * time.Second

func (b *Bench) echo(ctx context.Context, job Job) (Sample, error) {
	note := load.SmallNote()
	call := func(ctx context.Context) error {
		_, _, _, err := b.session.Echo(ctx, note.ID, note.Name, note.Value)
		return err
	}
	if job.Deadline {
		plain := call
		call = func(ctx context.Context) error {
			ctx, cancel := context.WithTimeout(ctx, callDeadline)
			defer cancel()
			return plain(ctx)
		}
	}
	return b.repeat(ctx, job, call)
}

func (b *Bench) bulk(ctx context.Context, job Job) (Sample, error) {
	job.Callers = 1
	payload := load.Payload(job.Size)
	call := func(ctx context.Context) error {
		_, err := b.session.Put(ctx, payload)
		return err
	}
	if job.Kind == Get {
		call = func(ctx context.Context) error {
			_, err := b.session.Get(ctx, int64(job.Size))
			return err
		}
	}
	if err := refused(ctx, call); err != nil {
		return nil, err
	}
	s, err := b.repeat(ctx, job, call)
	if err != nil {
		return nil, err
	}
	return Sample{
		P50: s[P50], Throughput: float64(job.Size) / s[P50], HostAllocs: s[HostAllocs], HostBytes: s[HostBytes],
		HostCPU: s[HostCPU], PluginCPU: s[PluginCPU],
	}, nil
}

// repeat calls for the job's time by its callers, after a short warm-up, and says what a call cost on both sides.
func (b *Bench) repeat(ctx context.Context, job Job, call func(context.Context) error) (Sample, error) {
	return repeat(ctx, job, b.session, call)
}

func repeat(ctx context.Context, job Job, session contestant.Session, call func(context.Context) error) (Sample, error) {
	watches := newStopwatches(job.Callers)
	if _, err := callFor(ctx, watches, job.Time/10, job.Least, call); err != nil {
		return nil, err
	}
	plugin, err := pluginUsage(ctx, session)
	if err != nil {
		return nil, err
	}
	host, files := load.MeasureUsage(), machine.FileCalls()
	took, err := callFor(ctx, watches, job.Time, job.Least, call)
	if err != nil {
		return nil, err
	}
	files = machine.FileCalls() - files
	host = load.MeasureUsage().Since(host)
	after, err := pluginUsage(ctx, session)
	if err != nil {
		return nil, err
	}
	times := slices.Concat(watches...)
	n := float64(len(times))
	sample := Sample{
		P50:        stats.Quantile(times, 0.5),
		P99:        stats.Quantile(times, 0.99),
		Rate:       n / took.Seconds(),
		HostAllocs: float64(host.Mallocs) / n,
		HostBytes:  float64(host.Bytes) / n,
		HostCPU:    micros(host.CPU) / n,
		PluginCPU:  micros(after.Since(plugin).CPU) / n,
	}
	if files > 0 {
		sample[HostReadsWrites] = float64(files) / n
	}
	return sample, nil
}

func pluginUsage(ctx context.Context, session contestant.Session) (load.Usage, error) {
	fields, err := session.Usage(ctx)
	if err != nil {
		return load.Usage{}, err
	}
	return load.ParseUsage(fields)
}

// stopwatches hold the time that each call took, in microseconds, for each caller. They are made before the measurement,
// and large enough: what the bench allocates is not what a call allocates.
type stopwatches [][]float64

func newStopwatches(callers int) stopwatches {
	w := make(stopwatches, callers)
	for i := range w {
		w[i] = make([]float64, 0, 1<<15)
	}
	return w
}

// callFor calls at least once by each caller, and least times, and goes on for d. What the stopwatches held is forgotten.
func callFor(ctx context.Context, watches stopwatches, d time.Duration, least int, call func(context.Context) error) (time.Duration, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	start := time.Now()
	var wg sync.WaitGroup
	for i := range watches {
		wg.Go(func() {
			all := watches[i][:0]
			for begun := start; begun.Sub(start) < d || len(all) < max(least, 1); {
				if err := call(ctx); err != nil {
					cancel(err)
					return
				}
				now := time.Now()
				all = append(all, micros(now.Sub(begun)))
				begun = now
			}
			watches[i] = all
		})
	}
	wg.Wait()
	return time.Since(start), context.Cause(ctx)
}

func micros(d time.Duration) float64 { return float64(d) / float64(time.Microsecond) }

func millis(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
