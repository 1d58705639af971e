package lane

import (
	"errors"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/status"
)

// serverConn is one connection of a server.
type serverConn struct {
	s       *Server
	carrier Carrier
	peer    peer.Peer
	w       writer
	budget  *budget
	theirs  settings
	bound   []*binding // methods by number - 1; the reader's
	done    chan struct{}
	inliner inliner
	crowd   atomic.Int32 // running, to be looked at without mu
	asking  atomic.Int32 // calls whose requests have not all come
	lender  lender

	mu      sync.Mutex
	calls   []*serverCall // by id; nil where the id is free
	running int           // handlers that have goroutines
	open    int           // calls whose end has not been appended
	last    bool          // the client calls no more
	err     error         // why done is closed
}

// binding is what a method's number stands for.
type binding struct {
	method  *method
	unknown *status.Status
}

func newServerConn(s *Server, carrier Carrier) *serverConn {
	c := &serverConn{
		s: s, carrier: carrier, budget: newBudget(s.cfg.MaxBuffered), done: make(chan struct{}),
		peer: peer.Peer{Addr: carrier.RemoteAddr(), LocalAddr: carrier.LocalAddr(), AuthInfo: authOf(carrier, s.cfg.AuthInfo)},
	}
	c.w = writer{out: carrier, failed: func(error) { time.AfterFunc(lastRead, func() { _ = carrier.Close() }) }}
	c.w.buf = s.cfg.settings().preface()
	c.inliner.kick = make(chan struct{}, 1)
	c.lender.interrupter, _ = carrier.(interrupter)
	return c
}

// serve reads until the connection ends.
func (c *serverConn) serve() error {
	r := newFrameReader(c.carrier)
	r.spin, r.rest = newSpinner(c.carrier), newSpinner(c.carrier)
	if err := c.preface(r); err != nil {
		c.fail(err)
		return err
	}
	var watch sync.WaitGroup
	watch.Go(c.watch)
	go c.read(r) // a handler on the reader may end its goroutine: not this one
	<-c.done
	watch.Wait()
	return c.result()
}

func (c *serverConn) preface(r *frameReader) (err error) {
	timer := time.AfterFunc(c.s.cfg.PrefaceTimeout, func() { _ = c.carrier.Close() })
	c.theirs, err = readPreface(r)
	if !timer.Stop() {
		return fmt.Errorf("lane: no preface within %v", c.s.cfg.PrefaceTimeout)
	}
	if err != nil && !errors.Is(err, ErrProtocol) {
		return fmt.Errorf("lane: reading the preface: %w", err)
	}
	return err
}

// read serves what comes. When it returns the connection has ended, or another goroutine reads.
func (c *serverConn) read(r *frameReader) {
	for {
		if err := c.settle(r); err != nil {
			c.fail(err)
			return
		}
		if c.lend(r) {
			return
		}
		h, err := r.next()
		if errors.Is(err, errInterrupted) {
			continue
		}
		mine := true
		if err == nil {
			mine, err = c.handle(h, r)
		}
		if err != nil {
			c.fail(err)
			return
		}
		if !mine {
			return
		}
	}
}

// settle sends what was held back, unless more to do is here already. A client that reads no replies is not read either.
func (c *serverConn) settle(r *frameReader) error {
	in := &c.inliner
	if in.held > 0 && in.held < mostHeld && r.buffered() {
		return nil
	}
	if in.held > 0 || c.lender.corked.CompareAndSwap(true, false) {
		in.held = 0
		if err := c.w.begin(); err != nil {
			return err
		}
		c.w.flush()
	}
	return c.w.waitRoom(c.done)
}

// result is what Serve returns.
func (c *serverConn) result() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.last && c.open == 0, errors.Is(c.err, io.EOF):
		return nil
	case errors.Is(c.err, ErrProtocol), errors.Is(c.err, ErrServerStopped):
		return c.err
	}
	return fmt.Errorf("lane: connection lost: %w", c.err)
}

// fail ends the connection and cancels its calls; the first reason stays.
func (c *serverConn) fail(err error) {
	c.mu.Lock()
	if c.err != nil {
		c.mu.Unlock()
		return
	}
	c.err = err
	close(c.done)
	calls := c.calls
	c.calls = nil
	c.mu.Unlock()
	c.w.fail(err)
	_ = c.carrier.Close()
	for _, k := range calls {
		if k != nil {
			k.cut()
		}
	}
	c.cutCurrent()
}

// drain asks the client for no more calls.
func (c *serverConn) drain() {
	if c.w.begin() != nil {
		return
	}
	c.w.buf = appendFrame(c.w.buf, header{kind: kindDrain})
	c.w.flush()
}

// add enters k under its id.
func (c *serverConn) add(k *serverCall) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err != nil {
		return c.err
	}
	if int64(k.id) < int64(len(c.calls)) && c.calls[k.id] != nil {
		return protocolError("call %d begins twice", k.id)
	}
	c.enter(k)
	return nil
}

// enter is add for an id that is free. Called with mu.
func (c *serverConn) enter(k *serverCall) {
	for int(k.id) >= len(c.calls) {
		c.calls = append(c.calls, nil)
	}
	c.calls[k.id] = k
	c.open++
}

// get returns the call in flight with this id, or nil.
func (c *serverConn) get(id uint32) *serverCall {
	c.mu.Lock()
	defer c.mu.Unlock()
	if int64(id) >= int64(len(c.calls)) {
		return nil
	}
	return c.calls[id]
}

// take removes k; who gets true must send its end, once, and then call ended.
func (c *serverConn) take(k *serverCall) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if int64(k.id) >= int64(len(c.calls)) || c.calls[k.id] != k {
		return false
	}
	c.calls[k.id] = nil
	return true
}

// ended is called after a call's end has been appended.
func (c *serverConn) ended() {
	c.mu.Lock()
	c.open--
	over := c.last && c.open == 0
	c.mu.Unlock()
	if over {
		c.w.closeWhenWritten()
	}
}

// lastCall notes that the client calls no more.
func (c *serverConn) lastCall() {
	c.mu.Lock()
	c.last = true
	c.open++
	c.mu.Unlock()
	c.ended()
}

// start counts a handler in; false: there are too many that ignore that their calls were cancelled.
func (c *serverConn) start() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err != nil || c.running >= 2*c.s.cfg.MaxCalls {
		return false
	}
	c.count(1)
	c.s.handlers.Add(1)
	return true
}

func (c *serverConn) finished() {
	c.mu.Lock()
	c.count(-1)
	c.mu.Unlock()
	c.s.handlers.Done()
}

// count counts handlers that have goroutines. Called with mu.
func (c *serverConn) count(n int) {
	c.running += n
	c.crowd.Store(int32(c.running))
}

// many tells whether so many handlers are running that their frames should share writes.
func (c *serverConn) many() bool { return c.crowd.Load() > fewCalls }

// tooMany ends a call for which start has returned false.
func tooMany() *status.Status {
	return status.New(codes.ResourceExhausted, "lane: too many cancelled calls of this connection are still running")
}
