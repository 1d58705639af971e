package lane

import "sync"

// budget is what one side of a connection is willing to hold of messages that exceed their call's window. Claims are
// served in the order in which they came, so that a large one is not starved by small ones.
type budget struct {
	whole int64
	mu    sync.Mutex
	free  int64
	queue []*claim
}

// claim is a part of a budget, had or waited for.
type claim struct {
	n       int64
	ready   func()
	granted bool
	dropped bool
}

func newBudget(n int) *budget { return &budget{whole: int64(n), free: int64(n)} }

// submit asks for c. Its ready is called once, without locks, as soon as the bytes are the caller's: perhaps before
// submit returns, and by any goroutine. A claim for more than the whole budget gets the whole.
func (b *budget) submit(c *claim) {
	b.mu.Lock()
	c.n = min(c.n, b.whole)
	b.queue = append(b.queue, c)
	b.serve()
}

// try is submit that does not wait, and that leaves half of the budget to those that do; nil means no.
func (b *budget) try(n int64) *claim {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.queue) > 0 || b.free-n < b.whole/2 {
		return nil
	}
	b.free -= n
	return &claim{n: n, granted: true}
}

// drop gives c back, or stops waiting for it. nil is none.
func (b *budget) drop(c *claim) {
	if c == nil {
		return
	}
	b.mu.Lock()
	if !c.dropped {
		c.dropped = true
		if c.granted {
			b.free += c.n
		}
	}
	b.serve()
}

// serve grants what can be granted. Called with the lock, which it releases.
func (b *budget) serve() {
	var granted []*claim
	for len(b.queue) > 0 {
		c := b.queue[0]
		if !c.dropped {
			if c.n > b.free {
				break
			}
			b.free -= c.n
			c.granted = true
			granted = append(granted, c)
		}
		b.queue[0] = nil
		b.queue = b.queue[1:]
	}
	b.mu.Unlock()
	for _, c := range granted {
		c.ready()
	}
}
