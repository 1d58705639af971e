package lane

import (
	"net"
	"sync"
	"time"
)

// Beside shares a listener between a lane server and a gRPC server: connections that begin with the lane's preface are
// the former's, as are side connections of its calls; all others come out of Accept, for the latter. [Server.Beside] makes it, Close ends it; its methods may be used concurrently.
type Beside struct {
	net.Listener
	server *Server
	taken  func(net.Conn)
	come   sync.WaitGroup // the accepting, and each connection that is not the gRPC server's

	others chan accepted
	over   chan struct{} // closed when nothing more is accepted, for the reason err
	err    error

	closeOnce sync.Once
	closed    chan struct{}
}

type accepted struct {
	conn net.Conn
	err  error // it will pass
}

// Beside has s serve the connections of l that speak the lane, each after taken was called with it; nil means that nothing is. Those that say nothing within ServerConfig.PrefaceTimeout are
// the others' too. l's connections are told apart by their first byte. Of a [Secured] that is the first one in TLS, of which the handshake
// is made here; where it fails the others get the connection, and meet the same.
func (s *Server) Beside(l net.Listener, taken func(net.Conn)) *Beside {
	if taken == nil {
		taken = func(net.Conn) {}
	}
	b := &Beside{Listener: l, server: s, taken: taken, others: make(chan accepted), over: make(chan struct{}), closed: make(chan struct{})}
	s.sides.open(1)
	b.come.Go(b.accept)
	return b
}

// Accept waits for the next connection that does not speak the lane.
func (b *Beside) Accept() (net.Conn, error) {
	select {
	case a := <-b.others:
		return a.conn, a.err
	case <-b.over:
		return nil, b.err
	}
}

// Close closes the listener. Connections that Accept has not returned yet are closed with it, the lane's go on.
func (b *Beside) Close() error {
	b.closeOnce.Do(func() {
		b.server.sides.open(-1)
		close(b.closed)
	})
	return b.Listener.Close()
}

// Wait waits until the listener is closed, and the connections that Accept did not return have ended.
func (b *Beside) Wait() { b.come.Wait() }

func (b *Beside) accept() {
	for {
		conn, err := b.Listener.Accept()
		switch {
		case err == nil:
			b.come.Go(func() { b.sort(conn) })
		case willPass(err):
			b.give(accepted{err: err}) // who accepts waits a little, and accepts again
		default:
			b.err = err
			close(b.over)
			return
		}
	}
}

// willPass tells errors such as too many open files, after which gRPC's server accepts again.
func willPass(err error) bool {
	t, ok := err.(interface{ Temporary() bool })
	return ok && t.Temporary()
}

// sort gives conn to whom it belongs.
func (b *Beside) sort(conn net.Conn) {
	_ = conn.SetDeadline(time.Now().Add(b.server.cfg.PrefaceTimeout)) // in TLS one shakes hands first, and writes for that
	first, whole := peekFirst(conn)
	_ = conn.SetDeadline(time.Time{})
	switch first {
	case magic[0]:
		b.taken(conn)
		_ = b.server.Serve(NewCarrier(whole)) // what a peer did wrong is the peer's to know
		return
	case sideMagic[0]:
		b.taken(conn)
		if b.server.sides.admit(whole, b.server.cfg.PrefaceTimeout) != nil {
			_ = conn.Close()
		}
		return
	}
	if !b.give(accepted{conn: whole}) {
		_ = conn.Close()
	}
}

// give returns false when nobody accepts any more.
func (b *Beside) give(a accepted) bool {
	select {
	case b.others <- a:
		return true
	case <-b.over:
	case <-b.closed:
	}
	return false
}

// peekFirst is peek that looks into TLS.
func peekFirst(conn net.Conn) (first byte, whole net.Conn) {
	if s := SecuredBelow(conn); s != nil {
		return s.first(), conn
	}
	return peek(conn)
}

// readPeek is peek for a connection whose bytes can only be read.
func readPeek(conn net.Conn) (first byte, whole net.Conn) {
	var b [1]byte
	if n, err := conn.Read(b[:]); n == 0 || err != nil {
		return 0, conn // whoever reads next meets the same
	}
	return b[0], &replayed{Conn: conn, unread: b[:]}
}

// replayed is a connection of which the beginning was read.
type replayed struct {
	net.Conn
	unread []byte
}

// Read is net.Conn's.
func (r *replayed) Read(p []byte) (int, error) {
	if len(r.unread) == 0 {
		return r.Conn.Read(p)
	}
	n := copy(p, r.unread)
	r.unread = r.unread[n:]
	return n, nil
}
