package measure

import (
	"context"
	"errors"
	"time"

	"github.com/plugingen/plugingen/bench/contestant"
	"github.com/plugingen/plugingen/bench/load"
)

// start measures a plugin from before its exec to its first reply, and its end.
func (b *Bench) start(ctx context.Context) (Sample, error) {
	begun := time.Now()
	session, err := b.open(ctx)
	if err != nil {
		return nil, err
	}
	opened := time.Now()
	if err := firstCall(ctx, session); err != nil {
		return nil, errors.Join(err, session.Close())
	}
	replied := time.Now()
	usage, err := session.Usage(ctx)
	if err != nil {
		return nil, errors.Join(err, session.Close())
	}
	closing := time.Now()
	if err := session.Close(); err != nil {
		return nil, err
	}
	closed := time.Now()
	plugin, err := load.ParseUsage(usage)
	return Sample{
		FirstReply: millis(replied.Sub(begun)),
		ToMain:     millis(plugin.MainAt.Sub(begun)),
		ToOpen:     millis(opened.Sub(plugin.MainAt)),
		ToReply:    millis(replied.Sub(opened)),
		StartCPU:   millis(plugin.CPU),
		Closing:    millis(closed.Sub(closing)),
	}, err
}

func firstCall(ctx context.Context, s contestant.Session) error {
	note := load.SmallNote()
	_, _, _, err := s.Echo(ctx, note.ID, note.Name, note.Value)
	return err
}
