package lane

import (
	"errors"
	"sync/atomic"
)

// The reader lends the reading to the handler of a stream that is alone on its connection and waits for a message: the
// handler reads itself then, without a hand-over, and keeps the reading while it handles the message. The inliner's turn
// is even while it reads and odd while it handles, and the watch takes the reading from a handler that stays away, as
// from one that the reader runs.

// mostCorked is how many bytes of answers wait for those to the messages that are here already.
const mostCorked = 8 << 10

// errOthers ends a handler's reading because of a call that others should serve.
var errOthers = errors.New("lane: another call begins")

// lender is what lending needs to know.
type lender struct {
	interrupter interrupter                // the carrier's; nil: nothing is lent
	reads       atomic.Pointer[serverCall] // whose handler reads
	fed         *serverCall                // whom the last message was for; the reader's
	corked      atomic.Bool                // a handler has left messages to a flush before the next wait for frames
	stayed      int                        // how often handlers stayed away, lately; the reader's
	rest        int                        // messages to hand over before the reading is lent again; the reader's
}

func (l *lender) stayedAway() {
	l.stayed = min(l.stayed+1, mostRests)
	l.rest = 1 << l.stayed
}

// lend gives the reading to the handler for which a message has just come; false: it stays the caller's.
func (c *serverConn) lend(r *frameReader) bool {
	l := &c.lender
	k := l.fed
	l.fed = nil
	if k == nil || l.interrupter == nil || r.buffered() || !k.deadline.IsZero() || c.asking.Load() != 1 || !k.in.isAwaited() {
		return false
	}
	if l.rest > 0 {
		l.rest--
		return false
	}
	if !c.lendTo(k, r) {
		return false
	}
	poke(k.in.wake) // it may be back already, and wait for a reader
	return true
}

// lendTo moves the turn from reading to handling; false: k needs a reader at once.
func (c *serverConn) lendTo(k *serverCall, r *frameReader) bool {
	in := &c.inliner
	in.reader = r
	in.current.Store(k)
	turn := in.turn.Add(1)
	in.wakeWatch()
	k.lent.Store(turn)
	// Who waits for credit looks at the turn afterwards.
	return !k.isStarved() || !in.turn.CompareAndSwap(turn, turn+1)
}

// takeLent makes the caller the reader again if k has been lent the reading and nobody has taken it since.
func (k *serverCall) takeLent() *frameReader {
	in := &k.conn.inliner
	turn := k.lent.Swap(0)
	if turn == 0 || !in.turn.CompareAndSwap(turn, turn+1) {
		return nil
	}
	return in.reader
}

// returnReading is called when k's handler is about to wait for something else than a message.
func (k *serverCall) returnReading() {
	if r := k.takeLent(); r != nil {
		go k.conn.read(r)
	}
}

func (k *serverCall) isStarved() bool {
	k.mu.Lock()
	w := k.window
	k.mu.Unlock()
	return w != nil && w.isStarved()
}

// next returns the next message, waiting for it; not ok: none will come.
func (k *serverCall) next() (m message, ok bool) {
	for {
		m, ok, ended := k.in.pop()
		if ok || ended {
			return m, ok
		}
		k.in.want()
		k.waited.Store(true)
		if r := k.takeLent(); r != nil {
			k.readOwn(r)
		} else if !k.in.await(k.Done()) {
			return message{}, false
		}
	}
}

// readOwn reads until there is something for k, or for others.
func (k *serverCall) readOwn(r *frameReader) {
	c := k.conn
	c.lender.reads.Store(k) // before the look at the inbox: who ends k looks here afterwards
	err := c.readFor(k, r)
	c.lender.reads.Store(nil)
	switch {
	case errors.Is(err, errOthers):
		c.lender.stayedAway()
		go c.read(r)
	case err != nil:
		c.fail(err)
	default:
		c.lender.stayed = 0
		if c.asking.Load() > 1 || !c.lendTo(k, r) {
			go c.read(r)
		}
	}
}

func (c *serverConn) readFor(k *serverCall, r *frameReader) error {
	for k.in.idle() || r.buffered() {
		if err := c.settle(r); err != nil {
			return err
		}
		h, err := r.peek()
		if err == nil && h.kind == kindCall {
			return errOthers
		}
		if err == nil {
			h, err = r.next()
		}
		if err == nil {
			_, err = c.handle(h, r)
		}
		if err != nil && !errors.Is(err, errInterrupted) {
			return err
		}
	}
	return nil
}

// interrupt makes the handler of k look at its inbox, if it is reading itself.
func (c *serverConn) interrupt(k *serverCall) {
	if c.lender.reads.Load() == k {
		c.lender.interrupter.Interrupt()
	}
}

// cork tells whether k's handler has messages to answer before it waits, and the reading. Called with the writer's lock: who
// takes the reading flushes, and either finds what is appended now, or is seen here.
func (k *serverCall) cork() bool {
	turn := k.lent.Load()
	if turn == 0 || k.in == nil || k.in.idle() {
		return false
	}
	k.conn.lender.corked.Store(true)
	return k.conn.inliner.turn.Load() == turn
}
