package measure

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"time"

	"github.com/plugingen/plugingen/bench/contestant"
	"github.com/plugingen/plugingen/bench/load"
	"github.com/plugingen/plugingen/bench/machine"
)

// fleet starts plugins all at once and says what they cost the host while they idle.
func (b *Bench) fleet(ctx context.Context, job Job) (Sample, error) {
	if err := machine.RoomFor(job.Plugins); err != nil {
		return nil, &RefusedError{err.Error()}
	}
	before, filesBefore := settled(), machine.OpenFiles()
	begun := time.Now()
	sessions, err := b.openAll(ctx, job.Plugins)
	ready := time.Since(begun)
	sample := Sample{AllReady: millis(ready)}
	if err == nil {
		sample = sample.with(idle(sessions, before, filesBefore))
	}
	closing := time.Now()
	err = errors.Join(err, closeAll(sessions))
	sample[Closing] = millis(time.Since(closing))
	return sample, err
}

// openAll returns those that started, also when others did not.
func (b *Bench) openAll(ctx context.Context, n int) ([]contestant.Session, error) {
	sessions, errs := make([]contestant.Session, n), make([]error, n)
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			if sessions[i], errs[i] = b.open(ctx); errs[i] == nil {
				errs[i] = firstCall(ctx, sessions[i])
			}
		})
	}
	wg.Wait()
	return sessions, errors.Join(errs...)
}

func closeAll(sessions []contestant.Session) error {
	errs := make([]error, len(sessions))
	var wg sync.WaitGroup
	for i, s := range sessions {
		if s != nil {
			wg.Go(func() { errs[i] = s.Close() })
		}
	}
	wg.Wait()
	return errors.Join(errs...)
}

func idle(sessions []contestant.Session, before load.Usage, filesBefore int) Sample {
	after, n := settled(), float64(len(sessions))
	var resident int64
	for _, s := range sessions {
		resident += machine.ResidentMemory(s.PID())
	}
	return Sample{
		Goroutines: float64(after.Goroutines-before.Goroutines) / n,
		HostHeap:   float64(after.Heap-before.Heap) / n / 1024,
		Files:      float64(machine.OpenFiles()-filesBefore) / n,
		Memory:     float64(resident) / n / (1 << 20),
	}
}

// settled is what is held once garbage is gone.
func settled() load.Usage {
	runtime.GC()
	runtime.GC()
	return load.MeasureUsage()
}
