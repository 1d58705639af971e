package lane

import (
	"sync/atomic"
	"time"
)

// A stream's receiver that is alone on its connection reads itself, too, and keeps the reading in mind when its message
// has come: it is likely to be back soon. Until then nobody reads, although a call is in flight. So the background looks
// after it every streamTick while that goes on, and reads when the receiver has stayed away. Whoever waits for something
// else than a message, as a sender for credit, asks for the background at once.

const (
	// streamTick is how long a receiver that reads itself may stay away, at the most twice.
	streamTick = time.Millisecond
	// mostRests is the most often that the pause of a receiver that stayed away is doubled.
	mostRests = 6
)

// streamWatch is what the background and receivers that read themselves know of each other.
type streamWatch struct {
	dozing atomic.Bool   // the background looks after nobody until kicked
	kick   chan struct{} // holds one

	stayed int // receivers that stayed away, lately; the reader's
	rest   int // messages that the background hands over before a receiver may read again; the reader's
}

// next returns the next message, waiting for it; not ok: none will come.
func (s *clientStream) next() (m message, ok bool) {
	for {
		m, ok, ended := s.in.pop()
		if ok || ended {
			return m, ok
		}
		s.in.want()
		s.waited.Store(true)
		if !s.readOwn() {
			<-s.in.wake
		}
	}
}

// readOwn reads until there is something for s, if nobody else reads.
func (s *clientStream) readOwn() bool {
	c := s.c
	if c.interrupter == nil || s.o.quiet || !c.table.takeReading() {
		return false
	}
	c.alone.Store(s) // before the look at the inbox: who ends s looks here afterwards
	for s.in.idle() {
		if err := c.readSome(); err != nil {
			c.alone.Store(nil)
			c.lost(err)
			return true
		}
	}
	c.alone.Store(nil)
	c.watch.stayed = 0
	if !c.leaveTo(s) {
		c.handOver()
	}
	return true
}

// leaveTo ends the caller's reading in favour of the receiver of s; false: others are in flight.
func (c *Client) leaveTo(s *clientStream) bool {
	if !c.table.leaveTo(s) {
		return false
	}
	c.watch.wake()
	if s.send.window.isStarved() { // who waits for credit looks for a reader afterwards
		c.needReader()
	}
	return true
}

// interrupt makes the receiver of s look at its inbox, if it is reading itself.
func (c *Client) interrupt(s *clientStream) {
	if c.alone.Load() == s {
		c.interrupter.Interrupt()
	}
}

// needReaderSoon has the background read if no receiver does before long.
func (c *Client) needReaderSoon() {
	if c.interrupter == nil {
		c.needReader()
		return
	}
	c.watch.wake()
}

// wake has the background look after what nobody reads.
func (w *streamWatch) wake() {
	if w.dozing.Load() && w.dozing.CompareAndSwap(true, false) {
		poke(w.kick)
	}
}

// leaveTo is Client's.
func (t *table) leaveTo(s *clientStream) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if n := t.loud(); n > 1 || n == 1 && (int64(s.id) >= int64(len(t.slots)) || t.slots[s.id].stream != s) {
		return false
	}
	t.reading = false
	t.added++
	return true
}

// backgroundLeaves tells whether the background has left the reading.
func (c *Client) backgroundLeaves() bool {
	s := c.fed
	c.fed = nil
	if s != nil && c.interrupter != nil && s.in.isAwaited() {
		if c.watch.rest > 0 {
			c.watch.rest--
		} else if c.leaveTo(s) {
			poke(s.in.wake) // it may be back already, and wait for a reader
			return true
		}
	}
	if c.callers.Load() > 1 {
		return false
	}
	left, _ := c.table.leaveReading()
	return left
}

// awaitReading returns when the background has become the reader; false when the connection has ended.
func (c *Client) awaitReading(timer *time.Timer) bool {
	tick, idle, seen := streamTick, 0, uint64(0)
	if c.doze() {
		tick = idleWatch
	}
	for {
		timer.Reset(tick)
		select {
		case <-c.token:
			return true
		case <-c.done:
			return false
		case <-c.watch.kick:
			tick, idle = streamTick, 0
			continue
		case <-timer.C:
		}
		now, taken := c.table.takeIfQuiet(seen, tick == streamTick)
		if taken {
			c.stayedAway()
			return true
		}
		if idle++; now != seen {
			idle = 0
		}
		if seen = now; idle >= idleTicks && c.doze() {
			tick = idleWatch
		}
	}
}

// doze has the background look after nobody, unless there is somebody.
func (c *Client) doze() bool {
	c.watch.dozing.Store(true)
	return !c.table.isUnread() || !c.watch.dozing.CompareAndSwap(true, false)
}

// stayedAway is called when the background has taken the reading, perhaps from a receiver that did not come back.
func (c *Client) stayedAway() {
	if c.table.many.Load() > 0 {
		c.watch.stayed = min(c.watch.stayed+1, mostRests)
		c.watch.rest = 1 << c.watch.stayed
	}
}

// isUnread tells whether a call is in flight and nobody reads.
func (t *table) isUnread() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.live > 0 && !t.reading
}

// takeIfQuiet makes the caller the reader when nothing happened since the table had counted before. With inFlight it does
// so only while a call is.
func (t *table) takeIfQuiet(before uint64, inFlight bool) (now uint64, taken bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.reading || t.added != before || inFlight && t.live == 0 {
		return t.added, false
	}
	t.reading = true
	return t.added, true
}
