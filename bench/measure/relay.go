package measure

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/plugingen/plugingen/bench/contestant"
	"github.com/plugingen/plugingen/bench/load"
)

// relay measures how fast what a plugin prints on stderr gets through the host's logger.
func (b *Bench) relay(ctx context.Context, job Job) (Sample, error) {
	sink := &sink{last: make(chan struct{})}
	o := contestant.Options{Path: b.Path, Log: sink, Min: slog.LevelDebug - 4}
	if job.Filtered {
		o.Min = slog.LevelError
	}
	session, err := b.Contestant.Open(ctx, o)
	if err != nil {
		return nil, err
	}
	sample, err := relayed(ctx, job, session, sink)
	return sample, errors.Join(err, session.Close())
}

func relayed(ctx context.Context, job Job, session contestant.Session, sink *sink) (Sample, error) {
	begun := time.Now()
	if err := session.Print(ctx, job.Format, int64(job.Lines)); err != nil {
		return nil, err
	}
	select {
	case <-sink.last:
	case <-ctx.Done():
		return nil, errors.Join(errors.New("relay: the last line never came"), ctx.Err())
	}
	took := time.Since(begun)
	sample := Sample{Throughput: float64(job.Lines*load.LineLength(job.Format)) / micros(took)}
	if !job.Filtered {
		lost := max(0, job.Lines-sink.lines())
		sample[Lost] = 100 * float64(lost) / float64(job.Lines)
	}
	return sample, nil
}

// sink counts the records that a logger writes, one Write each, and sees the last.
type sink struct {
	last chan struct{} // closed by the last line

	mu    sync.Mutex
	count int
	done  bool
}

// Write is io.Writer's.
func (s *sink) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.count++
	if !s.done && bytes.Contains(p, []byte(load.LastLine)) {
		s.done = true
		close(s.last)
	}
	return len(p), nil
}

// lines is how many came before the last.
func (s *sink) lines() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.count - 1
}
