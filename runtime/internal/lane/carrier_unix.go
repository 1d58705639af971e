//go:build unix

package lane

import (
	"errors"
	"io"
	"net"
	"os"
	"runtime"
	"sync/atomic"
	"syscall"
	"time"
)

const (
	// longTransfer is how many bytes make a system call long enough to be worth telling the scheduler.
	longTransfer = 64 << 10
	// sendBuffer is how much the system should take before a writer has to wait for the reader.
	sendBuffer = 1 << 20
	// spinWrite is the most that is written by spinning: with more to go the reader sets the pace anyway.
	spinWrite = 256 << 10
	// lookAfter is how often a writer that waits for the reader looks whether it should give up.
	lookAfter = 5 * time.Millisecond
)

// socket is a *net.UnixConn or a *net.TCPConn.
type socket interface {
	net.Conn
	syscall.Conn
	SetWriteBuffer(bytes int) error
}

// socketCarrier is a socket whose short transfers are bare system calls.
type socketCarrier struct {
	socket
	read      transfer
	write     transfer
	interrupt atomic.Bool
}

// transfer is one direction of a socket. Its functions live as long as it does, so that a transfer allocates nothing.
type transfer struct {
	raw       syscall.RawConn
	call      func(fd int, p, tail []byte) (int, error)
	p         []byte
	tail      []byte
	n         int
	err       error
	wouldWait bool // once: the call would have had to wait
	wait      func(fd uintptr) bool
	once      func(fd uintptr) bool
}

// socketCarrierOf returns nil when conn is no socket.
func socketCarrierOf(conn net.Conn) Carrier {
	s, ok := conn.(socket)
	if !ok {
		return nil
	}
	raw, err := s.SyscallConn()
	if err != nil {
		return nil
	}
	_ = s.SetWriteBuffer(sendBuffer) // the system may give less: then large messages take longer
	c := &socketCarrier{socket: s}
	c.read.init(raw, rawRead)
	c.write.init(raw, rawWrite)
	return c
}

func (t *transfer) init(raw syscall.RawConn, call func(fd int, p, tail []byte) (int, error)) {
	t.raw, t.call = raw, call
	t.wait = func(fd uintptr) bool { return t.try(fd) }
	t.once = func(fd uintptr) bool { t.wouldWait = !t.try(fd); return true }
}

// try makes the call; false means that it would have to wait.
func (t *transfer) try(fd uintptr) bool {
	for {
		t.n, t.err = t.call(int(fd), t.p, t.tail)
		switch {
		case errors.Is(t.err, syscall.EINTR):
			continue
		case errors.Is(t.err, syscall.EAGAIN):
			t.n, t.err = 0, nil
			return false
		case t.err == nil:
			return true
		}
		t.n = 0
		return true
	}
}

func (c *socketCarrier) CanTry() bool { return true }

func (c *socketCarrier) Read(p []byte) (int, error) {
	if len(p) >= longTransfer {
		n, err := c.socket.Read(p)
		return n, c.interrupted(err)
	}
	c.read.p = p
	err := c.read.raw.Read(c.read.wait)
	c.read.p = nil
	return c.readResult(c.interrupted(err))
}

// Interrupt is interrupter's.
func (c *socketCarrier) Interrupt() {
	c.interrupt.Store(true)
	_ = c.SetReadDeadline(time.Unix(1, 0))
}

// interrupted makes errInterrupted of a deadline that Interrupt has set, and takes it back.
func (c *socketCarrier) interrupted(err error) error {
	if err == nil || !errors.Is(err, os.ErrDeadlineExceeded) || !c.interrupt.Swap(false) {
		return err
	}
	_ = c.SetReadDeadline(time.Time{})
	return errInterrupted
}

func (c *socketCarrier) readResult(err error) (int, error) {
	switch {
	case err != nil:
		return 0, err
	case c.read.err != nil:
		return 0, os.NewSyscallError("read", c.read.err)
	case c.read.n == 0:
		return 0, io.EOF
	}
	return c.read.n, nil
}

func (c *socketCarrier) TryRead(p []byte) (int, error) {
	c.read.p = p
	err := c.read.raw.Read(c.read.once)
	c.read.p = nil
	if err == nil && c.read.wouldWait {
		return 0, nil
	}
	return c.readResult(c.interrupted(err))
}

func (c *socketCarrier) TryWrite(p, tail []byte) (int, error) {
	c.write.p, c.write.tail = p, tail
	err := c.write.raw.Write(c.write.once)
	c.write.p, c.write.tail = nil, nil
	switch {
	case err != nil: // the call was not made
		return 0, err
	case c.write.err != nil:
		return 0, os.NewSyscallError("write", c.write.err)
	}
	return c.write.n, nil
}

func (c *socketCarrier) WriteUntil(p []byte, done <-chan struct{}) (sent int, err error) {
	if len(p) <= spinWrite {
		sent, err = c.writeSpinning(p)
	}
	if err != nil || sent == len(p) {
		return sent, err
	}
	if done == nil {
		n, err := c.Write(p[sent:])
		return sent + n, err
	}
	for sent < len(p) && err == nil && !isDone(done) {
		_ = c.SetWriteDeadline(time.Now().Add(lookAfter))
		var n int
		n, err = c.Write(p[sent:])
		if sent += n; errors.Is(err, os.ErrDeadlineExceeded) {
			err = nil
		}
	}
	_ = c.SetWriteDeadline(time.Time{})
	return sent, err
}

// writeSpinning writes for as long as the reader makes room soon.
func (c *socketCarrier) writeSpinning(p []byte) (sent int, err error) {
	for last := time.Now(); sent < len(p); runtime.Gosched() {
		n, err := c.TryWrite(p[sent:], nil)
		if sent += n; err != nil {
			return sent, err
		}
		now := time.Now()
		if n > 0 {
			last = now
		} else if now.Sub(last) > spinBudget {
			return sent, nil
		}
	}
	return sent, nil
}
