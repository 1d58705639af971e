package object

import (
	"context"
	"sync"
)

// calling is a call of ours whose results are the peer's objects.
type calling struct {
	session *session
	number  uint64

	mu   sync.Mutex
	live int // results that have not been given back
	stop func() bool
}

// watch tells the peer when ctx ends, for as long as a result lives.
func (c *calling) watch(ctx context.Context) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.live == 0 || ctx.Done() == nil {
		return
	}
	s, number := c.session, c.number
	c.stop = context.AfterFunc(ctx, func() { s.endCall(number, false) })
}

func (c *calling) gain() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.live++
}

func (c *calling) lose() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.live--; c.live == 0 && c.stop != nil {
		c.stop()
	}
}

// served is a call of the peer's whose results are our objects. Its context lasts as long as they do.
type served struct {
	session *session
	number  uint64
	cancel  context.CancelCauseFunc
	live    int // guarded by the session's table

	mu      sync.Mutex
	results []uint64
}

// add makes a result of the entry; called with the table's lock.
func (c *served) add(e *entry) {
	e.kept++
	e.calls = append(e.calls, c)
	c.live++
	c.results = append(c.results, e.id)
}

// dropAll gives the results up: the response has not arrived, or never left.
func (c *served) dropAll() {
	c.mu.Lock()
	results := c.results
	c.results = nil
	c.mu.Unlock()
	for _, id := range results {
		c.session.dropKept(id, 1)
	}
	c.finish()
}

// finish ends the call for good.
func (c *served) finish() {
	c.cancel(context.Canceled)
	s := c.session
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.calls[c.number] == c {
		delete(s.calls, c.number)
	}
}
