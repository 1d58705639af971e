package lane

import (
	"errors"
	"net"
	"os"
	"sync"
	"time"
)

const (
	// readAhead is how much is read from a socket under TLS at once, where little is expected.
	readAhead = 16 << 10
	// securedPiece is how much is encrypted before it is written: some records.
	securedPiece = 64 << 10
	// lastWrite bounds how long a closed connection still writes what it has encrypted.
	lastWrite = time.Second
)

// errWouldWait is what TLS gets when there is nothing to read now. It takes that for a passed deadline, and can go on later.
var errWouldWait = &net.OpError{Op: "read", Err: os.ErrDeadlineExceeded}

// securedCarrier is TLS on a socket. TLS can only be asked to read and to write, so what is below it answers at once where the lane does not
// want to wait, and keeps what TLS writes until the lane has it sent.
type securedCarrier struct {
	*Secured
	conn    net.Conn   // the whole, to be closed
	holds   bool       // TLS may have something that came and was not read
	sending sync.Mutex // held by whoever sends, or has left that to a goroutine

	mu      sync.Mutex
	rested  chan struct{} // closed when the goroutine that sends what was encrypted has; nil while there is none
	closing bool          // and closes
}

// newSecuredCarrier takes conn, whose TLS is s, from now on.
func newSecuredCarrier(s *Secured, conn net.Conn) Carrier {
	s.below.begin()
	return &securedCarrier{Secured: s, conn: conn, holds: true}
}

func (c *securedCarrier) CanTry() bool { return c.below.out.CanTry() }

func (c *securedCarrier) Read(p []byte) (int, error) {
	n, err := c.Secured.Read(p)
	if err != nil || n == len(p) {
		c.holds = true
		return n, err
	}
	more, err := c.tryTLS(p[n:])
	return n + more, ignore(err, more+n > 0)
}

// TryRead asks the socket first: that costs less than asking TLS.
func (c *securedCarrier) TryRead(p []byte) (int, error) {
	if !c.holds {
		came, err := c.below.fetch()
		if !came {
			return 0, err
		}
	}
	return c.tryTLS(p)
}

// tryTLS reads what TLS has, and what it makes of the bytes that have been fetched.
func (c *securedCarrier) tryTLS(p []byte) (n int, err error) {
	c.below.noWait = true
	defer func() { c.below.noWait = false }()
	for c.holds = true; n < len(p); {
		var more int
		more, err = c.Secured.Read(p[n:])
		if n += more; err != nil {
			break
		}
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		c.holds, err = false, nil
	}
	return n, ignore(err, n > 0)
}

// ignore is err, unless there is something to return first: TLS says it again.
func ignore(err error, is bool) error {
	if is {
		return nil
	}
	return err
}

func (c *securedCarrier) Write(p []byte) (sent int, err error) {
	c.sending.Lock()
	defer c.sending.Unlock()
	for sent < len(p) && err == nil {
		piece := p[sent:min(sent+securedPiece, len(p))]
		if err = c.encrypt(piece); err == nil {
			sent, err = sent+len(piece), c.below.send()
		}
	}
	return sent, err
}

// TryWrite writes whole pieces: what was encrypted must go, so the rest of the last one goes in the background.
func (c *securedCarrier) TryWrite(p, tail []byte) (sent int, err error) {
	if !c.CanTry() || !c.sending.TryLock() {
		return 0, nil
	}
	left := false
	for err == nil && !left && len(p)+len(tail) > 0 {
		var piece []byte
		piece, p, tail = cut(p, tail)
		if err = c.encrypt(piece); err == nil {
			sent += len(piece)
			left, err = c.below.trySend()
		}
	}
	if left && c.rest() {
		go c.sendRest()
		return sent, err
	}
	c.sending.Unlock()
	return sent, err
}

// cut takes the next piece off p, or off tail when p is empty.
func cut(p, tail []byte) (piece, restOfP, restOfTail []byte) {
	if len(p) > 0 {
		n := min(len(p), securedPiece)
		return p[:n], p[n:], tail
	}
	n := min(len(tail), securedPiece)
	return tail[:n], nil, tail[n:]
}

// rest is false when the connection has been closed.
func (c *securedCarrier) rest() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closing {
		return false
	}
	c.rested = make(chan struct{})
	return true
}

// sendRest ends the sending that TryWrite began.
func (c *securedCarrier) sendRest() {
	err := c.below.send()
	c.mu.Lock()
	rested, closing := c.rested, c.closing
	c.rested = nil
	c.mu.Unlock()
	if err != nil || closing {
		_ = c.conn.Close() // who reads learns it
	}
	c.sending.Unlock()
	close(rested)
}

// awaitRest waits until nothing is being sent in the background; false: done has come first.
func (c *securedCarrier) awaitRest(done <-chan struct{}) bool {
	c.mu.Lock()
	rested := c.rested
	c.mu.Unlock()
	if rested == nil {
		return !isDone(done)
	}
	select {
	case <-rested:
		return true
	case <-done:
		return false
	}
}

func (c *securedCarrier) encrypt(p []byte) error {
	_, err := c.Secured.Write(p)
	return err
}

// WriteUntil encrypts no more than what can go, and waits for the rest of that.
func (c *securedCarrier) WriteUntil(p []byte, done <-chan struct{}) (sent int, err error) {
	for c.CanTry() && sent < len(p) && err == nil && c.awaitRest(done) {
		var n int
		n, err = c.TryWrite(p[sent:], nil)
		sent += n
	}
	return sent, err
}

// Close lets what is being sent in the background go, for a little while. There is no goodbye in TLS: the lane has its own, and no side
// takes the end of the connection for one.
func (c *securedCarrier) Close() error {
	c.mu.Lock()
	first := !c.closing
	c.closing = true
	resting := c.rested != nil
	c.mu.Unlock()
	if !resting {
		return c.conn.Close()
	}
	if first {
		_ = c.SetReadDeadline(time.Unix(1, 0)) // for who reads this is the end
		_ = c.SetWriteDeadline(time.Now().Add(lastWrite))
	}
	return nil
}
