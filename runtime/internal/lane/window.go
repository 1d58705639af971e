package lane

import (
	"math"
	"sync"
)

// messageCost is what each message costs of a window beside its bytes, so that empty ones cannot pile up for nothing.
const messageCost = 32

// wideWindow is what a stream's window grows to while there is room: with a small one the sender waits for each message.
const wideWindow = 1 << 20

// leastPart is the least a sender waits for before it sends a part: crumbs would cost more than they carry.
const leastPart = 8 << 10

// sendWindow is what a side may still send on a call. One goroutine takes at a time.
type sendWindow struct {
	mu      sync.Mutex
	credit  int64
	closed  bool
	wake    chan struct{} // holds a token when credit or closed has changed
	starved bool          // somebody waits
	starve  func()        // called, without the lock, when somebody begins to wait; nil means nothing
}

func newSendWindow(n int) *sendWindow {
	return &sendWindow{credit: int64(n), wake: make(chan struct{}, 1)}
}

// take waits for at least least bytes of credit and takes up to most. It returns errStopped when the call has ended or
// done comes first.
func (w *sendWindow) take(least, most int64, done <-chan struct{}) (int64, error) {
	for {
		if n, ok, closed := w.try(least, most); ok {
			return n, nil
		} else if closed {
			return 0, errStopped
		}
		if w.starve != nil {
			w.starve()
		}
		select {
		case <-w.wake:
		case <-done:
			return 0, errStopped
		}
	}
}

func (w *sendWindow) isStarved() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.starved
}

func (w *sendWindow) try(least, most int64) (n int64, ok, closed bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed {
		return 0, false, true
	}
	if w.starved = w.credit < least; w.starved {
		return 0, false, false
	}
	n = min(w.credit, most)
	w.credit -= n
	return n, true, false
}

// grant adds what the peer returned.
func (w *sendWindow) grant(n int64) error {
	w.mu.Lock()
	w.credit += n
	over := w.credit > math.MaxInt64/2
	w.mu.Unlock()
	poke(w.wake)
	if over {
		return protocolError("credit without end")
	}
	return nil
}

// close ends the call: nothing more is sent.
func (w *sendWindow) close() {
	w.mu.Lock()
	w.closed = true
	w.mu.Unlock()
	poke(w.wake)
}

func (w *sendWindow) isClosed() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.closed
}

// poke leaves a token in c, which has room for one.
func poke(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

func isDone(done <-chan struct{}) bool {
	select {
	case <-done:
		return true
	default:
		return false
	}
}
