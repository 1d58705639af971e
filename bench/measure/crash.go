package measure

import (
	"context"
	"errors"
	"os"
	"time"

	"github.com/plugingen/plugingen/bench/contestant"
)

// pending is how long the call would take during which the plugin is killed.
const pending = 30 * time.Second

// crash kills a plugin that is called, and says when the host knows.
func (b *Bench) crash(ctx context.Context) (Sample, error) {
	session, err := b.open(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { _ = session.Close() }() // it is dead: what Close says of that is the library's affair
	failed := make(chan error, 1)
	go func() {
		if session.Hold(ctx, pending.Microseconds()) == nil {
			failed <- errors.New("crash: a call to a dead plugin succeeded")
			return
		}
		failed <- context.Cause(ctx) // nil, unless it is the deadline that ended the call
	}()
	if err := echoTwice(ctx, session); err != nil {
		return nil, err
	}
	return kill(ctx, session, failed)
}

// echoTwice lets the call that began before reach the plugin.
func echoTwice(ctx context.Context, session contestant.Session) error {
	return errors.Join(firstCall(ctx, session), firstCall(ctx, session))
}

func kill(ctx context.Context, session contestant.Session, failed <-chan error) (Sample, error) {
	process, err := os.FindProcess(session.PID())
	if err != nil {
		return nil, err
	}
	killed := time.Now()
	if err := process.Kill(); err != nil {
		return nil, err
	}
	dead := make(chan Sample, 1)
	go func() { dead <- noticed(ctx, session, killed) }()
	err = <-failed
	s := Sample{CallFails: millis(time.Since(killed))}
	return s.with(<-dead), err
}

// noticed is empty where the library does not notice by itself.
func noticed(ctx context.Context, session contestant.Session, killed time.Time) Sample {
	m, can := session.(contestant.Mortal)
	if !can || m.Dead(ctx) != nil {
		return Sample{}
	}
	return Sample{SaysDead: millis(time.Since(killed))}
}
