package lane

import "net"

// Carrier moves bytes between the two sides, in order and without loss. One goroutine reads and one writes at a time;
// Close may be called by any, also more than once, and unblocks both.
type Carrier interface {
	// Read waits for at least one byte. io.EOF means that the peer closed.
	Read(p []byte) (int, error)
	// Write writes all of p, waiting as long as that takes.
	Write(p []byte) (int, error)
	// TryWrite writes the beginning of p that can go without waiting, perhaps nothing. A carrier that cannot tell returns 0.
	TryWrite(p []byte) (int, error)
	Close() error
	LocalAddr() net.Addr
	RemoteAddr() net.Addr
}

// plainCarrier is any net.Conn: its writes are done by a goroutine that may wait.
type plainCarrier struct{ net.Conn }

func (plainCarrier) TryWrite([]byte) (int, error) { return 0, nil }

// NewCarrier makes a carrier of conn, which it owns from now on.
func NewCarrier(conn net.Conn) Carrier { return plainCarrier{conn} }
