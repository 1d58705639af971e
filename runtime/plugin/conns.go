package plugin

import (
	"errors"
	"net"
	"sync"
	"sync/atomic"
	"syscall"
)

const (
	mostConns = 512                                     // that a plugin holds open at once; a host needs one, and one more for objects
	firstWord = len("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n") // every connection begins with it; with TLS, within that
)

// conns is a listener that knows its connections, for two reasons. A connection that never says a word would hold up grpc's
// Stop until its time is up; and many of them must not keep the host out, so the one that has been silent for longest makes
// room for a new one.
type conns struct {
	net.Listener
	most    int
	wrapped bool // what is heard is what comes out of the streams on a connection

	mu     sync.Mutex
	open   map[*conn]struct{}
	opened uint64
}

func newConns(l net.Listener, most int) *conns {
	return &conns{Listener: l, most: most, open: map[*conn]struct{}{}}
}

// conn is one of them.
type conn struct {
	net.Conn
	owner   *conns
	age     uint64       // the lower, the older
	wrapped bool         // in TLS or streams: what is heard is what comes out of that
	heard   atomic.Int64 // bytes read, until there are enough of them
}

// Read notes when the peer has said its first word.
func (c *conn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if !c.wrapped {
		c.hear(n)
	}
	return n, err
}

func (c *conn) hear(n int) {
	if !c.spoke() {
		c.heard.Add(int64(n))
	}
}

func (c *conn) spoke() bool { return c.heard.Load() >= int64(firstWord) }

// Socket is the connection below, for the lane, which reads there. What it reads is not heard here.
func (c *conn) Socket() net.Conn { return c.Conn }

// Close makes the owner forget the connection.
func (c *conn) Close() error {
	c.owner.forget(c)
	return c.Conn.Close()
}

// Accept takes a new connection, also when descriptors have run out, as long as a silent connection can be given up for it.
func (l *conns) Accept() (net.Conn, error) {
	for {
		c, err := l.Listener.Accept()
		switch {
		case err == nil:
			if tracked := l.track(c); tracked != nil {
				return tracked, nil
			}
			_ = c.Close() // everybody has something to say: the newcomer has to wait
		case isOutOfDescriptors(err) && l.dropSilent():
		default:
			return nil, err
		}
	}
}

func isOutOfDescriptors(err error) bool {
	return errors.Is(err, syscall.EMFILE) || errors.Is(err, syscall.ENFILE)
}

// track returns nil when there is no room.
func (l *conns) track(c net.Conn) net.Conn {
	if l.count() >= l.most && !l.dropSilent() {
		return nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.opened++
	tracked := &conn{Conn: c, owner: l, age: l.opened, wrapped: l.wrapped}
	l.open[tracked] = struct{}{}
	return tracked
}

func (l *conns) count() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.open)
}

func (l *conns) forget(c *conn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.open, c)
}

// dropSilent closes the connection that has been silent for longest; false when there is none.
func (l *conns) dropSilent() bool {
	oldest := l.oldestSilent()
	if oldest == nil {
		return false
	}
	_ = oldest.Close() // whoever reads from it gets an error
	return true
}

func (l *conns) oldestSilent() *conn {
	l.mu.Lock()
	defer l.mu.Unlock()
	var oldest *conn
	for c := range l.open {
		if !c.spoke() && (oldest == nil || c.age < oldest.age) {
			oldest = c
		}
	}
	return oldest
}

// Close closes the listener, and every connection that has not said a word: its peer cannot miss an answer.
func (l *conns) Close() error {
	err := l.Listener.Close()
	for l.dropSilent() {
	}
	return err
}

// closeAll cuts all connections.
func (l *conns) closeAll() {
	l.mu.Lock()
	open := make([]*conn, 0, len(l.open))
	for c := range l.open {
		open = append(open, c)
	}
	l.mu.Unlock()
	for _, c := range open {
		_ = c.Close()
	}
}
