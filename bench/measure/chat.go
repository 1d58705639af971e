package measure

import (
	"context"
	"errors"
	"time"

	"github.com/plugingen/plugingen/bench/contestant"
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
	value := echoValue()
	return b.repeat(ctx, job, func(context.Context) error {
		if err := c.Say(1, echoName, value); err != nil {
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
	value := echoValue()
	start, n := time.Now(), 0
	for n == 0 || time.Since(start) < job.Time {
		heard := make(chan error, 1)
		go func() { heard <- hear(c, batch) }()
		for i := range int64(batch) {
			if err := c.Say(i, echoName, value); err != nil {
				return nil, errors.Join(err, <-heard)
			}
		}
		if err := <-heard; err != nil {
			return nil, err
		}
		n += batch
	}
	return Sample{Rate: float64(n) / time.Since(start).Seconds()}, nil
}

func hear(c contestant.Chat, n int) error {
	for range n {
		if _, err := c.Hear(); err != nil {
			return err
		}
	}
	return nil
}
