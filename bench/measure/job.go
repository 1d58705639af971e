package measure

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"time"

	"github.com/plugingen/plugingen/bench/busy"
	"github.com/plugingen/plugingen/bench/contestant"
)

// Job is a piece of work. It travels from the driver to the host process.
type Job struct {
	Kind     Kind
	Callers  int           // of Echo and Hold: calls in flight at once
	Deadline bool          // of Echo: each call has a deadline of its own
	Busy     bool          // every core computes something else meanwhile, in processes of their own
	Micros   int64         // of Hold: how long the handler takes
	Size     int           // of Put and Get, bytes
	Count    int           // of Upload, Download and CallBack: messages, or calls back, in a call
	Format   string        // of Relay: load's
	Filtered bool          // of Relay: the host's logger takes errors alone
	Lines    int           // of Relay
	Plugins  int           // of Fleet
	Least    int           // of Put and Get: calls of the warm-up, and of the measurement, at the least
	Time     time.Duration // how long to go on, where a job is made of calls
}

// Kind chooses what is done.
type Kind string

// Kinds.
const (
	Start    Kind = "start" // a plugin of its own: exec, first reply, close
	Echo     Kind = "echo"
	Hold     Kind = "hold"
	Put      Kind = "put"
	Get      Kind = "get"
	Chat     Kind = "chat"     // one message there and back at a time
	Pipe     Kind = "pipe"     // messages go on while answers come
	Upload   Kind = "upload"   // a client stream
	Download Kind = "download" // a server stream
	CallBack Kind = "callback" // the plugin calls the host within a call
	Relay    Kind = "relay"    // a plugin of its own prints on stderr
	Fleet    Kind = "fleet"    // plugins of their own, all at once
	Crash    Kind = "crash"    // a plugin of its own is killed while it is called
)

// Bench does jobs for one contestant.
type Bench struct {
	Contestant contestant.Contestant
	Path       string // of the plugin's program

	session contestant.Session // opened by the first job that needs it
	caller  contestant.Session // the same for callbacks, where they have a program of their own
}

// Do does the job; errors.ErrUnsupported when the contestant cannot, a *RefusedError when it may not.
func (b *Bench) Do(ctx context.Context, job Job) (Sample, error) {
	switch job.Kind {
	case Start:
		return b.start(ctx)
	case Relay:
		return b.relay(ctx, job)
	case Fleet:
		return b.fleet(ctx, job)
	case Crash:
		return b.crash(ctx)
	case CallBack:
		return b.callBack(ctx, job)
	default:
		return b.call(ctx, job)
	}
}

// call does what is made of calls to the plugin that is there. After an error the next job gets a new one: some libraries' connections
// end with a message that is too large.
func (b *Bench) call(ctx context.Context, job Job) (s Sample, err error) {
	defer func() {
		if err != nil && b.session != nil {
			_ = b.session.Close()
			b.session = nil
		}
	}()
	if b.session == nil {
		if b.session, err = b.open(ctx); err != nil {
			return nil, err
		}
	}
	if job.Busy {
		others, err := busy.Start(ctx, runtime.NumCPU())
		if err != nil {
			return nil, err
		}
		defer func() { err = errors.Join(err, others.Stop()) }()
	}
	switch job.Kind {
	case Echo:
		return b.echo(ctx, job)
	case Hold:
		return b.repeat(ctx, job, func(ctx context.Context) error { return b.session.Hold(ctx, job.Micros) })
	case Put, Get:
		return b.bulk(ctx, job)
	case Chat, Pipe:
		return b.chat(ctx, job)
	case Upload, Download:
		return b.flow(ctx, job)
	default:
		return nil, fmt.Errorf("measure: there is no job %q", job.Kind)
	}
}

// Close ends the plugins that calls went to.
func (b *Bench) Close() error {
	var errs []error
	for _, s := range []contestant.Session{b.session, b.caller} {
		if s != nil {
			errs = append(errs, s.Close())
		}
	}
	return errors.Join(errs...)
}

func (b *Bench) open(ctx context.Context) (contestant.Session, error) {
	return b.Contestant.Open(ctx, contestant.Options{Path: b.Path})
}
