package host

import (
	"context"
	"fmt"
	"runtime"
	"sync"
	"time"
)

const (
	// startsAtOnce, for each processor, keeps many starts from slowing each other down until they all come too late. Fewer would leave a busy
	// machine to whoever else wants it.
	startsAtOnce = 8
	// turnTime is how long a start counts: one that takes longer waits for something, and others must not wait with it.
	turnTime = 500 * time.Millisecond
)

// fleet is what this process runs of plugins. There is one, as a process has one set of children: whoever ends the process has to
// end them all, whichever package has opened them. A plugin leaves it when nothing is left of it.
type fleet struct {
	mu      sync.Mutex
	members map[*member]struct{}
	turns   chan struct{} // holds a token for each start that may run
}

//nolint:gochecknoglobals // see fleet
var ours = newFleet(startsAtOnce * runtime.GOMAXPROCS(0))

func newFleet(starts int) *fleet {
	return &fleet{members: map[*member]struct{}{}, turns: make(chan struct{}, starts)}
}

// member is a plugin, or what is going to be one.
type member struct {
	cancel  context.CancelCauseFunc // ends the start
	settled chan struct{}           // closed when the start has ended, either way
	plugin  *Plugin                 // valid once settled; nil when the start failed
}

// launch is Open and Attach as seen by CloseAll: a plugin that is being opened is closed as well.
func (f *fleet) launch(ctx context.Context, open func(context.Context, *member) (*Plugin, error)) (*Plugin, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	m := &member{cancel: cancel, settled: make(chan struct{})}
	f.add(m)
	p, err := open(ctx, m)
	m.plugin = p
	close(m.settled)
	cancel(nil)
	if p == nil {
		f.remove(m) // otherwise the plugin does so when it ends
	}
	return p, err
}

func (f *fleet) add(m *member) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.members[m] = struct{}{}
}

func (f *fleet) remove(m *member) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.members, m)
}

func (f *fleet) all() []*member {
	f.mu.Lock()
	defer f.mu.Unlock()
	all := make([]*member, 0, len(f.members))
	for m := range f.members {
		all = append(all, m)
	}
	return all
}

// turn waits until a start may run. done may be called more than once.
func (f *fleet) turn(ctx context.Context) (done func(), err error) {
	select {
	case f.turns <- struct{}{}:
	default:
		select {
		case f.turns <- struct{}{}:
		case <-ctx.Done():
			return nil, fmt.Errorf("%w: other plugins are being started", stopped(ctx))
		}
	}
	end := sync.OnceFunc(func() { <-f.turns })
	timer := time.AfterFunc(turnTime, end)
	return func() { timer.Stop(); end() }, nil
}
