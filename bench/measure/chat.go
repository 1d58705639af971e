package measure

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/plugingen/plugingen/bench/contestant"
	"github.com/plugingen/plugingen/bench/load"
)

// chat measures messages on one open stream.
func (b *Bench) chat(ctx context.Context, job Job) (Sample, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	c, err := b.session.Chat(ctx)
	if err != nil {
		return nil, err
	}
	s, err := b.talk(ctx, job, c)
	return s, errors.Join(err, c.Close())
}

func (b *Bench) talk(ctx context.Context, job Job, c contestant.Chat) (Sample, error) {
	if job.Kind == Pipe {
		return pipe(job, c)
	}
	job.Callers = 1
	note := load.SmallNote()
	return b.repeat(ctx, job, func(context.Context) error {
		if err := c.Say(1, note.Name, note.Value); err != nil {
			return err
		}
		_, err := c.Hear()
		return err
	})
}

// pipe says in batches and hears while it says: many messages are under way, and never so many that a side has to stop for
// the other's window.
func pipe(job Job, c contestant.Chat) (Sample, error) {
	const batch = 256
	note := load.SmallNote()
	start, n := time.Now(), 0
	for n == 0 || time.Since(start) < job.Time {
		heard := make(chan error, 1)
		go func() { heard <- hear(c, batch) }()
		for i := range int64(batch) {
			if err := c.Say(i, note.Name, note.Value); err != nil {
				return nil, errors.Join(err, <-heard)
			}
		}
		if err := <-heard; err != nil {
			return nil, err
		}
		n += batch
	}
	return Sample{Messages: float64(n) / time.Since(start).Seconds()}, nil
}

// flow measures streams of one direction: each call is one with job.Count messages.
func (b *Bench) flow(ctx context.Context, job Job) (Sample, error) {
	transfer := b.session.Upload
	if job.Kind == Download {
		transfer = b.session.Download
	}
	job.Callers = 1
	s, err := b.repeat(ctx, job, func(ctx context.Context) error {
		n, err := transfer(ctx, job.Count)
		if err == nil && n != int64(job.Count) {
			err = fmt.Errorf("%s: %d of %d messages arrived", job.Kind, n, job.Count)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	n := float64(job.Count)
	return Sample{Messages: s[Rate] * n, MessageAllocs: s[HostAllocs] / n, HostCPU: s[HostCPU], PluginCPU: s[PluginCPU]}, nil
}

func hear(c contestant.Chat, n int) error {
	for range n {
		if _, err := c.Hear(); err != nil {
			return err
		}
	}
	return nil
}
