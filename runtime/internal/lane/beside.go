package lane

import (
	"net"
	"sync"
	"time"
)

// Beside shares a listener between a lane server and a gRPC server: connections that begin with the lane's preface are
// the former's, all others come out of Accept, for the latter. [Server.Beside] makes it; its methods may be used concurrently.
type Beside struct {
	net.Listener
	server *Server
	begin  sync.Once
	come   sync.WaitGroup // the accepting, and each connection that is not the gRPC server's

	others chan accepted
	over   chan struct{} // closed when nothing more is accepted, for the reason err
	err    error
}

type accepted struct {
	conn net.Conn
	err  error // it will pass
}

// Beside has s serve the connections of l that speak the lane. Those that say nothing within ServerConfig.PrefaceTimeout are
// the others' too. l's connections are told apart by their first byte, so a TLS connection is never the lane's.
func (s *Server) Beside(l net.Listener) *Beside {
	return &Beside{Listener: l, server: s, others: make(chan accepted), over: make(chan struct{})}
}

// Accept waits for the next connection that does not speak the lane.
func (b *Beside) Accept() (net.Conn, error) {
	b.begin.Do(func() { b.come.Go(b.accept) })
	select {
	case a := <-b.others:
		return a.conn, a.err
	case <-b.over:
		return nil, b.err
	}
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
			b.others <- accepted{err: err} // who accepts waits a little, and accepts again
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
	_ = conn.SetReadDeadline(time.Now().Add(b.server.cfg.PrefaceTimeout))
	first, whole := peek(conn)
	_ = conn.SetReadDeadline(time.Time{})
	if first == magic[0] {
		_ = b.server.Serve(NewCarrier(whole)) // what a peer did wrong is the peer's to know
		return
	}
	select {
	case b.others <- accepted{conn: whole}:
	case <-b.over:
		_ = conn.Close()
	}
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
