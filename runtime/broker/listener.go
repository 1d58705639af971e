package broker

import (
	"net"
	"sync"
)

// mostConns is how many connections a peer may hold to one listener; it needs one.
const mostConns = 64

// listener is what Accept returns, over a socket or over the streams of a session. It knows its connections, so that they
// can end with it.
type listener struct {
	net.Listener
	link *link
	id   uint32
	lane uint32 // the version that it takes beside gRPC; 0 for none

	endOnce  sync.Once
	closeErr error

	mu       sync.Mutex
	conns    map[*brokered]struct{}
	dialed   bool
	orphaned bool  // the link has ended; so the listener does with its last connection
	why      error // it ended, when not by its owner
	ended    bool
}

func newListener(l *link, w wanted, inner net.Listener) *listener {
	return &listener{Listener: inner, link: l, id: w.id, lane: w.lane, conns: map[*brokered]struct{}{}}
}

// Accept waits for the next connection.
func (l *listener) Accept() (net.Conn, error) {
	for {
		c, err := l.Listener.Accept()
		if err != nil {
			return nil, l.reason(err)
		}
		if tracked := l.track(c); tracked != nil {
			return tracked, nil
		}
		_ = c.Close() // came with the end, or is one too many
	}
}

// reason is why the listener was ended, or err when it was not.
func (l *listener) reason(err error) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.why == nil {
		return err
	}
	return failed("accept", l.id, l.why)
}

func (l *listener) track(c net.Conn) *brokered {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.ended || len(l.conns) >= mostConns {
		return nil
	}
	if !l.dialed {
		l.dialed = true
		l.link.undialed.take(l.id)
	}
	tracked := &brokered{Conn: c, owner: l}
	l.conns[tracked] = struct{}{}
	return tracked
}

// Close closes the listener, not its connections. It may be called more than once.
func (l *listener) Close() error {
	l.shut(nil)
	return l.closeErr
}

// end closes the listener and its connections for a reason that its Accept returns.
func (l *listener) end(why error) {
	l.shut(why)
	l.cut()
}

// cut closes the connections.
func (l *listener) cut() {
	l.mu.Lock()
	open := make([]*brokered, 0, len(l.conns))
	for c := range l.conns {
		open = append(open, c)
	}
	l.mu.Unlock()
	for _, c := range open {
		_ = c.Close()
	}
}

func (l *listener) shut(why error) {
	l.mu.Lock()
	if !l.ended {
		l.ended, l.why = true, why
	}
	l.mu.Unlock()
	l.endOnce.Do(func() {
		l.closeErr = l.Listener.Close()
		l.link.leave(l)
	})
}

// orphan ends the listener for a reason once it has no connection: without the link nobody finds it any more.
func (l *listener) orphan(why error) {
	l.mu.Lock()
	l.orphaned = true
	useless := len(l.conns) == 0
	l.mu.Unlock()
	if useless {
		l.shut(why)
	}
}

func (l *listener) forget(c *brokered) {
	l.mu.Lock()
	delete(l.conns, c)
	useless := l.orphaned && len(l.conns) == 0
	l.mu.Unlock()
	if useless {
		l.shut(ErrLost)
	}
}

// brokered is a connection that a listener accepted.
type brokered struct {
	net.Conn
	owner *listener
}

// Socket is the connection below, for the lane.
func (c *brokered) Socket() net.Conn { return c.Conn }

// Close makes the listener forget the connection.
func (c *brokered) Close() error {
	err := c.Conn.Close()
	c.owner.forget(c)
	return err
}

// RemoteAddr also says by whose broker the connection came, so that calls over it reach the same peer's again.
func (c *brokered) RemoteAddr() net.Addr { return &brokeredAddr{c.Conn.RemoteAddr(), c.owner.link} }

type brokeredAddr struct {
	net.Addr
	link *link
}
