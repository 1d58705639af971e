package lane

import (
	"encoding/binary"
	"sync/atomic"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

const (
	// shortHandler is how long a handler may take on average to be run by the reader while others wait behind it.
	shortHandler = 20 * time.Microsecond
	// loneHandler is the same when nothing waits behind it.
	loneHandler = 100 * time.Microsecond
	// rescueAfter is how long a handler may keep the reader, at the most twice.
	rescueAfter = time.Millisecond
	// mostHeld is how many bytes of replies wait for the end of a batch of calls.
	mostHeld = 32 << 10
	// mostInline is the largest reply that the reader sends itself: most sockets take it at once.
	mostInline = 256 << 10
	// idleTicks is how long the watch goes on when nothing happens.
	idleTicks = 20
	// longestMeasure bounds what one call adds to a method's average, so that it can come down again.
	longestMeasure = 2 * time.Millisecond
)

// pace is how long a method's handler takes.
type pace struct {
	average atomic.Int64 // nanoseconds, moving
	calls   atomic.Uint32
}

// sampled tells whether this call is to be measured: all that are not very short, and every eighth of those.
func (p *pace) sampled() bool {
	return p.calls.Add(1)&7 == 1 || p.average.Load() > int64(shortHandler/4)
}

func (p *pace) add(d time.Duration) {
	old := p.average.Load()
	p.average.Store(old + (int64(min(d, longestMeasure))-old)/8)
}

// inliner lets a connection's reader run short handlers itself: no hand-over, no goroutine. A handler that takes long
// keeps its goroutine, and a watch makes another one that reads on.
type inliner struct {
	// turn is even while the reader reads and odd while it runs a handler. Who moves it from odd to even owns the reading:
	// the reader when its handler returns, or the watch.
	turn    atomic.Uint64
	current atomic.Pointer[serverCall] // what runs while turn is odd
	reader  *frameReader               // who reads; written before turn is moved
	parked  atomic.Bool                // the watch sleeps until kicked
	kick    chan struct{}
	held    int // bytes of replies that were appended and not flushed; the reader's
}

// fits tells whether the reader should run k itself.
func (c *serverConn) fits(k *serverCall, r *frameReader) bool {
	if k.method.apart {
		return false
	}
	limit := shortHandler
	if !r.buffered() {
		limit = loneHandler
	}
	return k.method.pace.average.Load() < int64(limit)
}

// runInline runs k's handler in the reader's goroutine. False means that another goroutine reads by now.
func (c *serverConn) runInline(k *serverCall, b begun, r *frameReader) (mine bool) {
	in := &c.inliner
	in.reader = r
	in.current.Store(k)
	turn := in.turn.Add(1)
	in.wakeWatch()
	select {
	case <-c.done: // whoever ended the connection has not seen k, or is about to
		k.cut()
	default:
	}
	returned := false
	defer func() {
		if !returned { // the handler ended this goroutine
			c.afterGoexit(k, turn, r)
		}
	}()
	reply, err := k.measured(b.decode)
	returned = true
	if !in.turn.CompareAndSwap(turn, turn+1) {
		k.finishUnary(reply, err)
		c.finished()
		return false
	}
	c.replyInline(k, reply, err)
	return true
}

func (c *serverConn) afterGoexit(k *serverCall, turn uint64, r *frameReader) {
	if k.crashing {
		return
	}
	if !c.inliner.turn.CompareAndSwap(turn, turn+1) {
		k.end(k.goexitStatus()) // guard may have come before the rescue
		c.finished()
		return
	}
	_ = k.sendEnd(k.goexitStatus(), nil, true)
	go c.read(r)
}

// replyInline ends a call that only the reader knows.
func (c *serverConn) replyInline(k *serverCall, reply any, err error) {
	var m sized
	if err == nil {
		m, err = measure(reply, k.sendLimit())
	}
	if err == nil && m.size > maxSingle {
		if !c.replyWhole(k, m) {
			c.replyApart(k, m)
		}
		return
	}
	if err == nil {
		err = k.sendEnd(nil, &m, false)
	}
	if err != nil {
		_ = k.sendEnd(statusOf(err), nil, false)
	}
	c.inliner.held += headerSize + m.size
	k.cut()
}

// replyWhole sends a reply that one data frame holds, without waiting: what the client does not take soon is copied, and written by another
// goroutine. False: the reply would have to wait, and nothing was sent.
func (c *serverConn) replyWhole(k *serverCall, m sized) bool {
	if m.size > mostInline || m.size+messageCost > c.theirs.window || !c.carrier.CanTry() {
		return false
	}
	w := &c.w
	if w.begin() != nil {
		k.cut() // nobody to tell
		return true
	}
	if w.busy {
		w.hold()
		return false
	}
	b, at := reserveHeader(k.appendPendingHeader(w.buf))
	b = binary.LittleEndian.AppendUint32(b, uint32(m.size))
	b, rest, err := m.appendHeadTo(b, &c.s.buffers)
	if err != nil {
		w.buf = b[:at] // the header stays
		w.hold()
	} else {
		sealFrameWith(b, at, header{kind: kindResData, id: k.id, flags: flagFirst}, len(rest.b))
		w.buf = b
		w.flushWith(rest.b, closedChannel())
	}
	c.s.buffers.put(rest.from)
	_ = k.sendEnd(statusOf(err), nil, true)
	k.cut()
	return true
}

// replyApart sends a large reply from a goroutine that may wait for the client.
func (c *serverConn) replyApart(k *serverCall, m sized) {
	if c.add(k) != nil || !c.start() {
		return // the connection has ended
	}
	go func() {
		defer c.finished()
		k.finishSized(m)
	}()
}

// watch rescues the reader from handlers that take long, until the connection ends.
func (c *serverConn) watch() {
	timer := time.NewTimer(rescueAfter)
	defer timer.Stop()
	for c.waitKick() {
		for idle, last := 0, c.inliner.turn.Load(); idle < idleTicks; idle++ {
			timer.Reset(rescueAfter)
			select {
			case <-timer.C:
			case <-c.done:
				return
			}
			now := c.inliner.turn.Load()
			if now != last {
				idle = 0
			} else if now&1 == 1 {
				c.rescue(now)
			}
			last = now
		}
	}
}

// wakeWatch is called when turn has become odd.
func (in *inliner) wakeWatch() {
	if in.parked.Load() && in.parked.CompareAndSwap(true, false) {
		in.kick <- struct{}{}
	}
}

// waitKick parks the watch until the reader runs a handler; false when the connection has ended.
func (c *serverConn) waitKick() bool {
	in := &c.inliner
	in.parked.Store(true)
	// The reader looks at parked after it has moved turn: one of the two sees the other.
	if in.turn.Load()&1 == 1 && in.parked.CompareAndSwap(true, false) {
		return true
	}
	select {
	case <-in.kick:
		return true
	case <-c.done:
		return false
	}
}

// rescue takes the reading from the reader that has been running a handler since turn. The call becomes one like those
// that have goroutines, so that a cancel finds it.
func (c *serverConn) rescue(turn uint64) {
	r, ok := c.takeReading(turn)
	if !ok {
		return
	}
	if c.w.begin() == nil {
		c.w.flush() // what the reader held back
	}
	go c.read(r)
}

// takeReading does the part of rescue that must be seen as one by the handler when it returns.
func (c *serverConn) takeReading(turn uint64) (*frameReader, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	in := &c.inliner
	if c.err != nil || !in.turn.CompareAndSwap(turn, turn+1) {
		return nil, false
	}
	k := in.current.Load()
	if k.in != nil { // a stream's
		c.lender.stayedAway()
		return in.reader, true
	}
	c.enter(k)
	c.count(1)
	c.s.handlers.Add(1)
	in.held = 0
	return in.reader.split(), true
}

// cutCurrent ends the call that only the reader knows. Called after done was closed: a call that begins later looks there.
func (c *serverConn) cutCurrent() {
	if c.inliner.turn.Load()&1 == 1 {
		c.inliner.current.Load().cut()
	}
}

// goexitStatus is the end of a call whose handler has ended its goroutine.
func (k *serverCall) goexitStatus() *status.Status {
	return status.Newf(codes.Internal, "lane: the handler of %s ended its goroutine", k.method.name)
}
