package lane

import (
	"errors"
	"net"
)

// Carrier moves bytes between the two sides, in order and without loss. One goroutine reads and one writes at a time;
// Close may be called by any, also more than once, and unblocks both.
type Carrier interface {
	// Read waits for at least one byte. io.EOF means that the peer closed.
	Read(p []byte) (int, error)
	// TryRead is Read that does not wait: it returns 0 and no error when nothing is there, or when it cannot tell.
	TryRead(p []byte) (int, error)
	// Write writes all of p, waiting as long as that takes.
	Write(p []byte) (int, error)
	// TryWrite writes the beginning of p followed by tail that can go without waiting: perhaps nothing, also when it
	// cannot tell.
	TryWrite(p, tail []byte) (int, error)
	// WriteUntil is Write that returns with a part of p written when done comes first, and perhaps at once.
	WriteUntil(p []byte, done <-chan struct{}) (int, error)
	// CanTry tells whether TryRead is more than a stub.
	CanTry() bool
	Close() error
	LocalAddr() net.Addr
	RemoteAddr() net.Addr
}

// NewCarrier makes a carrier of conn, which it owns from now on. A socket is used by non-blocking system calls, also by a
// [Secured]; anything else by its Read and Write, at the price of a goroutine for each write. A conn that has a method
// Socket() net.Conn is a wrapper: the bytes go over what that returns, the rest is conn's own.
func NewCarrier(conn net.Conn) Carrier {
	if s := SecuredBelow(conn); s != nil {
		return newSecuredCarrier(s, conn)
	}
	below := socketBelow(conn)
	c := socketCarrierOf(below)
	switch {
	case c == nil:
		return plainCarrier{conn}
	case below == conn:
		return c
	default:
		return wrapped{c, conn}
	}
}

// interrupter is a carrier whose Read can be told to return, once, with errInterrupted and without a byte: the one that
// waits or the next.
type interrupter interface{ Interrupt() }

var errInterrupted = errors.New("lane: reading was interrupted")

func socketBelow(conn net.Conn) net.Conn {
	for {
		w, ok := conn.(interface{ Socket() net.Conn })
		if !ok {
			return conn
		}
		conn = w.Socket()
	}
}

// wrapped is a socket whose wrapper has a say in its end and addresses.
type wrapped struct {
	Carrier
	conn net.Conn
}

// Interrupt is the socket's: what is wrapped is always one.
func (w wrapped) Interrupt() {
	if i, ok := w.Carrier.(interrupter); ok {
		i.Interrupt()
	}
}

func (w wrapped) Close() error         { return w.conn.Close() }
func (w wrapped) LocalAddr() net.Addr  { return w.conn.LocalAddr() }
func (w wrapped) RemoteAddr() net.Addr { return w.conn.RemoteAddr() }

// plainCarrier is any net.Conn.
type plainCarrier struct{ net.Conn }

func (plainCarrier) TryRead([]byte) (int, error)                     { return 0, nil }
func (plainCarrier) TryWrite(_, _ []byte) (int, error)               { return 0, nil }
func (plainCarrier) WriteUntil([]byte, <-chan struct{}) (int, error) { return 0, nil }
func (plainCarrier) CanTry() bool                                    { return false }
