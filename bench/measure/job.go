package measure

import (
	"context"
	"fmt"
	"time"

	"github.com/plugingen/plugingen/bench/contestant"
)

// Job is a piece of work. It travels from the driver to the host process.
type Job struct {
	Kind     Kind
	Callers  int           // of Echo: calls in flight at once
	Deadline bool          // of Echo: each call has a deadline of its own
	Size     int           // of Put and Get, bytes
	Format   string        // of Relay: load's
	Filtered bool          // of Relay: the host's logger takes errors alone
	Lines    int           // of Relay
	Plugins  int           // of Fleet
	Time     time.Duration // how long to go on, where a job is made of calls
}

// Kind chooses what is done.
type Kind string

// Kinds.
const (
	Start Kind = "start" // a plugin of its own: exec, first reply, close
	Echo  Kind = "echo"
	Put   Kind = "put"
	Get   Kind = "get"
	Chat  Kind = "chat"  // one message there and back at a time
	Pipe  Kind = "pipe"  // messages go on while answers come
	Relay Kind = "relay" // a plugin of its own prints on stderr
	Fleet Kind = "fleet" // plugins of their own, all at once
)

// OwnPlugins says whether the job starts plugins instead of using the one that is there.
func (j Job) OwnPlugins() bool { return j.Kind == Start || j.Kind == Relay || j.Kind == Fleet }

// Bench does jobs for one contestant.
type Bench struct {
	Contestant contestant.Contestant
	Path       string // of the plugin's program

	session contestant.Session // opened by the first job that needs it
}

// Do does the job; errors.ErrUnsupported when the contestant cannot.
func (b *Bench) Do(ctx context.Context, job Job) (Sample, error) {
	switch job.Kind {
	case Start:
		return b.start(ctx)
	case Relay:
		return b.relay(ctx, job)
	case Fleet:
		return b.fleet(ctx, job)
	}
	if b.session == nil {
		s, err := b.open(ctx)
		if err != nil {
			return nil, err
		}
		b.session = s
	}
	switch job.Kind {
	case Echo:
		return b.echo(ctx, job)
	case Put, Get:
		return b.bulk(ctx, job)
	case Chat, Pipe:
		return b.chat(ctx, job)
	default:
		return nil, fmt.Errorf("measure: there is no job %q", job.Kind)
	}
}

// Close ends the plugin that calls went to.
func (b *Bench) Close() error {
	if b.session == nil {
		return nil
	}
	return b.session.Close()
}

func (b *Bench) open(ctx context.Context) (contestant.Session, error) {
	return b.Contestant.Open(ctx, contestant.Options{Path: b.Path})
}
