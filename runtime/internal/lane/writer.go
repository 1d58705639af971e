package lane

import (
	"errors"
	"runtime"
	"sync"
	"time"
)

const (
	// maxPending is how much may wait to be written before those who add more must wait.
	maxPending = 256 << 10
	// keepBuffer is the largest write buffer that is kept for reuse.
	keepBuffer = 64 << 10
	// flushRounds bounds how often one caller writes for others before a goroutine takes over.
	flushRounds = 4
	// rapid is how soon after a stream's message the next one makes it likely that more follow.
	rapid = 20 * time.Microsecond
	// fullWrite is how much is worth a write though more may follow.
	fullWrite = 16 << 10
	// gatherRounds bounds how often a write waits for more to follow.
	gatherRounds = 8
)

var errStopped = errors.New("lane: stopped waiting")

// writer combines frames into writes. Who finds nobody writing writes its frames itself, without a hand-over; who finds
// somebody at it leaves them to that one. Nobody ever waits for the peer here but a goroutine made for it, so that a
// peer that does not read cannot keep a caller past its deadline.
//
// What is appended between begin and hold is not lost only if the same goroutine calls flush soon.
type writer struct {
	out    Carrier
	failed func(error) // called once, without the lock

	mu      sync.Mutex
	buf     []byte // appended, not yet being written
	spare   []byte
	busy    bool // somebody writes, and looks at buf again before leaving
	closing bool // close out when all is written
	err     error
	last    time.Time     // when a stream's message was last appended
	room    chan struct{} // closed when buf has been taken; nil when nobody waits
}

// begin locks the writer for appending to buf. With an error, which is what the connection ended with, it is not locked.
func (w *writer) begin() error {
	w.mu.Lock()
	if w.err != nil {
		defer w.mu.Unlock()
		return w.err
	}
	return nil
}

// hold ends begin and leaves what was appended to a later flush.
func (w *writer) hold() { w.mu.Unlock() }

// flushTogether is flush that first lets other goroutines append: with many callers one write carries the frames of
// several.
func (w *writer) flushTogether() {
	if w.busy {
		w.mu.Unlock()
		return
	}
	w.busy = true
	w.mu.Unlock()
	runtime.Gosched()
	w.mu.Lock()
	w.write()
}

// flushRapid is flush of a stream's message. When one follows another rapidly, a goroutine writes it: the sender goes on, and
// one write carries what comes by then.
func (w *writer) flushRapid() {
	now := time.Now()
	follows := now.Sub(w.last) < rapid
	w.last = now
	if w.busy || !follows {
		w.flush()
		return
	}
	w.busy = true
	w.mu.Unlock()
	go func() {
		w.gather()
		w.write()
	}()
}

// gather lets others append for as long as they do, and returns with the lock.
func (w *writer) gather() {
	w.mu.Lock()
	for range gatherRounds {
		had := len(w.buf)
		if had >= fullWrite {
			return
		}
		w.mu.Unlock()
		runtime.Gosched()
		w.mu.Lock()
		if len(w.buf) == had {
			return
		}
	}
}

// flushWith is flush of what was appended and then tail, which is written from where it is. When done comes first, or
// another goroutine is writing, what is left of tail is copied: nobody looks at it any more after the return.
func (w *writer) flushWith(tail []byte, done <-chan struct{}) {
	if w.busy {
		w.buf = append(w.buf, tail...)
		w.mu.Unlock()
		return
	}
	w.busy = true
	b := w.take()
	w.mu.Unlock()
	n, err := w.out.TryWrite(b, tail)
	if err == nil && n < len(b) { // the reader is behind with an earlier message
		var more int
		more, err = w.out.WriteUntil(b[n:], done)
		n += more
	}
	if err == nil && n < len(b) {
		go w.drain(append(b, tail...), n)
		return
	}
	tail = tail[max(n-len(b), 0):]
	if err == nil && len(tail) > 0 {
		n, err = w.out.WriteUntil(tail, done)
		tail = tail[n:]
	}
	if err == nil && len(tail) > 0 {
		go w.drain(append([]byte(nil), tail...), 0)
		return
	}
	w.mu.Lock()
	w.wrote(b, err)
	w.write()
}

// flush ends begin: what is pending gets written, by the caller or by the one who is at it.
func (w *writer) flush() {
	if w.busy {
		w.mu.Unlock()
		return
	}
	w.busy = true
	w.write()
}

// write writes what is pending. Called with the lock, which it releases, by the one who has set busy.
func (w *writer) write() {
	for range flushRounds {
		if len(w.buf) == 0 || w.err != nil {
			w.leave()
			return
		}
		b := w.take()
		w.mu.Unlock()
		n, err := w.out.TryWrite(b, nil)
		if err == nil && n < len(b) {
			go w.drain(b, n)
			return
		}
		w.mu.Lock()
		w.wrote(b, err)
	}
	if len(w.buf) == 0 || w.err != nil {
		w.leave()
		return
	}
	b := w.take()
	w.mu.Unlock()
	go w.drain(b, 0)
}

// drain writes b from n on, and all that is pending, for as long as the peer makes it wait.
func (w *writer) drain(b []byte, n int) {
	for {
		_, err := w.out.Write(b[n:])
		w.mu.Lock()
		w.wrote(b, err)
		if len(w.buf) == 0 || w.err != nil {
			w.leave()
			return
		}
		b, n = w.take(), 0
		w.mu.Unlock()
	}
}

// take returns what is pending, to be written. Called with the lock.
func (w *writer) take() []byte {
	b := w.buf
	w.buf, w.spare = w.spare[:0], nil
	w.wake()
	return b
}

func (w *writer) wake() {
	if w.room != nil {
		close(w.room)
		w.room = nil
	}
}

// wrote gives b back. Called with the lock.
func (w *writer) wrote(b []byte, err error) {
	if cap(b) <= keepBuffer {
		w.spare = b[:0]
	}
	if err != nil && w.err == nil {
		w.err = err
		w.wake()
		go w.failed(err)
	}
}

// leave ends the writing turn. Called with the lock, which it releases.
func (w *writer) leave() {
	w.busy = false
	closing := w.closing
	w.mu.Unlock()
	if closing {
		_ = w.out.Close()
	}
}

// beginWithRoom is begin that waits while too much is pending. It returns errStopped when done comes first.
func (w *writer) beginWithRoom(done <-chan struct{}) error {
	for {
		if err := w.begin(); err != nil || len(w.buf) <= maxPending {
			return err
		}
		room := w.awaitRoom()
		w.mu.Unlock()
		select {
		case <-room:
		case <-done:
			return errStopped
		}
	}
}

// awaitRoom returns what is closed when what is pending has been taken. Called with the lock.
func (w *writer) awaitRoom() <-chan struct{} {
	if w.room == nil {
		w.room = make(chan struct{})
	}
	return w.room
}

// waitRoom waits while too much is pending.
func (w *writer) waitRoom(done <-chan struct{}) error {
	err := w.beginWithRoom(done)
	if err == nil {
		w.hold()
	}
	return err
}

// fail makes every later begin return err.
func (w *writer) fail(err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.err == nil {
		w.err = err
	}
	w.wake()
}

// closeWhenWritten closes the carrier as soon as nothing is pending.
func (w *writer) closeWhenWritten() {
	w.mu.Lock()
	w.closing = true
	w.flush()
}
