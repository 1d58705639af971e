package lane

import (
	"net"
	"sync"
)

// ciphertext is the connection below TLS. Until begin it is what it wraps; then it reads ahead, never waits where the lane does not want to,
// and keeps what is written until it is sent. One goroutine reads and one sends at a time; TLS writes from either, as it does alerts.
type ciphertext struct {
	net.Conn
	out    Carrier // nil until begin
	noWait bool
	ahead  []byte
	r, w   int // ahead[r:w] has been read from the socket, and not by TLS

	mu      sync.Mutex
	unsent  []byte
	scratch []byte // for the next unsent
}

func (c *ciphertext) begin() {
	c.out = NewCarrier(c.Conn)
	c.ahead = make([]byte, readAhead)
}

// Read is net.Conn's.
func (c *ciphertext) Read(p []byte) (int, error) {
	if c.out == nil {
		return c.Conn.Read(p)
	}
	if c.r == c.w {
		if c.noWait {
			return 0, errWouldWait
		}
		if len(p) >= readAhead {
			return c.out.Read(p)
		}
		n, err := c.out.Read(c.ahead)
		if c.r, c.w = 0, n; err != nil {
			return 0, err
		}
	}
	n := copy(p, c.ahead[c.r:c.w])
	c.r += n
	return n, nil
}

// fetch reads ahead if something is there.
func (c *ciphertext) fetch() (came bool, err error) {
	if c.r < c.w {
		return true, nil
	}
	n, err := c.out.TryRead(c.ahead)
	c.r, c.w = 0, n
	return n > 0, err
}

// Write is net.Conn's.
func (c *ciphertext) Write(p []byte) (int, error) {
	if c.out == nil {
		return c.Conn.Write(p)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.unsent = append(c.unsent, p...)
	return len(p), nil
}

// trySend sends what can go without waiting, and tells whether there is more.
func (c *ciphertext) trySend() (left bool, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	n, err := c.out.TryWrite(c.unsent, nil)
	c.unsent = c.unsent[:copy(c.unsent, c.unsent[n:])]
	return len(c.unsent) > 0, err
}

// send sends everything.
func (c *ciphertext) send() error {
	for {
		b := c.take()
		if len(b) == 0 {
			return nil
		}
		if _, err := c.out.Write(b); err != nil {
			return err
		}
		c.giveBack(b)
	}
}

func (c *ciphertext) take() []byte {
	c.mu.Lock()
	defer c.mu.Unlock()
	b := c.unsent
	c.unsent, c.scratch = c.scratch[:0], nil
	return b
}

func (c *ciphertext) giveBack(b []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.scratch = b[:0]
}
