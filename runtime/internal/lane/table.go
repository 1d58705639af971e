package lane

import (
	"sync"
	"sync/atomic"
)

// slot is what a client knows of one id. An id that was given up stays used, by nobody, until the peer has ended its
// call: only then can no frame of the old call be taken for one of the next.
type slot struct {
	call   *call
	stream *clientStream
	used   bool
	quiet  bool   // it waits most of the time
	turn   uint64 // counts the calls that had the id
}

// table is a client's calls by id.
type table struct {
	mu      sync.Mutex
	slots   []slot
	free    []uint32
	limit   int          // ids are below
	live    int          // used slots
	quiet   int          // those of them that are quiet
	reading bool         // see client_read.go
	added   uint64       // calls so far
	many    atomic.Int32 // live and not quiet, to be looked at without the lock
	waiters []chan struct{}
	err     error // why no call can be added
}

// add gives the call or the stream an id, waiting for one when all are in use. It returns errStopped when done comes first.
func (t *table) add(done <-chan struct{}, k *call, s *clientStream) (uint32, error) {
	for {
		t.mu.Lock()
		if t.err != nil {
			defer t.mu.Unlock()
			return 0, t.err
		}
		if id, ok := t.freeID(); ok {
			t.slots[id] = slot{call: k, stream: s, used: true, quiet: s != nil && s.o.quiet, turn: t.slots[id].turn + 1}
			t.count(1, t.slots[id].quiet)
			t.added++
			if s != nil {
				s.id, s.send.id = id, id
			}
			t.mu.Unlock()
			return id, nil
		}
		wait := make(chan struct{})
		t.waiters = append(t.waiters, wait)
		t.mu.Unlock()
		select {
		case <-wait:
		case <-done:
			t.unwait(wait)
			return 0, errStopped
		}
	}
}

func (t *table) freeID() (uint32, bool) {
	if n := len(t.free); n > 0 {
		id := t.free[n-1]
		t.free = t.free[:n-1]
		return id, true
	}
	if len(t.slots) >= t.limit {
		return 0, false
	}
	t.slots = append(t.slots, slot{})
	return uint32(len(t.slots) - 1), true
}

// unwait leaves the queue; a turn that came all the same goes to the next.
func (t *table) unwait(wait chan struct{}) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for i, w := range t.waiters {
		if w == wait {
			t.waiters = append(t.waiters[:i], t.waiters[i+1:]...)
			return
		}
	}
	t.wakeOne()
}

func (t *table) wakeOne() {
	if len(t.waiters) > 0 {
		close(t.waiters[0])
		t.waiters = t.waiters[1:]
	}
}

// raise sets the number of ids.
func (t *table) raise(limit int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for range min(limit-t.limit, len(t.waiters)) {
		t.wakeOne()
	}
	t.limit = limit
}

// get returns a used slot.
func (t *table) get(id uint32) (slot, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if int64(id) >= int64(len(t.slots)) || !t.slots[id].used {
		return slot{}, false
	}
	return t.slots[id], true
}

// end frees id, whose call is over on both sides, and returns what was there.
func (t *table) end(id uint32) (slot, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if int64(id) >= int64(len(t.slots)) || !t.slots[id].used {
		return slot{}, false
	}
	s := t.slots[id]
	t.release(id)
	return s, true
}

// abandon takes id from its owner, k or s, and leaves it to the peer's end. Not ok: somebody else took it before.
func (t *table) abandon(id uint32, k *call, s *clientStream) (turn uint64, ok bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if int64(id) >= int64(len(t.slots)) {
		return 0, false
	}
	if p := &t.slots[id]; p.used && p.call == k && p.stream == s && (k != nil || s != nil) {
		p.call, p.stream = nil, nil
		return p.turn, true
	}
	return 0, false
}

// isTurn tells whether the call that was abandoned still has the id.
func (t *table) isTurn(id uint32, turn uint64) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return int64(id) < int64(len(t.slots)) && t.slots[id].used && t.slots[id].turn == turn
}

// remove frees id, whose call was never sent, if k or s still own it.
func (t *table) remove(id uint32, k *call, s *clientStream) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if int64(id) >= int64(len(t.slots)) {
		return false
	}
	if p := t.slots[id]; !p.used || p.call != k || p.stream != s {
		return false
	}
	t.release(id)
	return true
}

func (t *table) release(id uint32) {
	t.count(-1, t.slots[id].quiet)
	t.slots[id] = slot{turn: t.slots[id].turn}
	t.free = append(t.free, id)
	t.wakeOne()
}

// promote puts s in k's place and gives it the id.
func (t *table) promote(id uint32, k *call, s *clientStream) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if int64(id) >= int64(len(t.slots)) || t.slots[id].call != k || k == nil {
		return false
	}
	t.slots[id].call, t.slots[id].stream = nil, s
	s.id, s.send.id = id, id
	return true
}

// refuse makes every later add return err.
func (t *table) refuse(err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.err == nil {
		t.err = err
	}
	for len(t.waiters) > 0 {
		t.wakeOne()
	}
}

// close refuses, too, and returns what was in the table.
func (t *table) close(err error) []slot {
	t.mu.Lock()
	slots := t.slots
	t.slots, t.free = nil, nil
	t.quiet = 0
	t.count(-t.live, false)
	t.err = err
	t.mu.Unlock()
	t.refuse(err)
	return slots
}

func (t *table) count(n int, quiet bool) {
	t.live += n
	if quiet {
		t.quiet += n
	}
	t.many.Store(int32(t.loud()))
}

// loud is how many calls are in flight that do not wait most of the time. Called with mu.
func (t *table) loud() int { return t.live - t.quiet }

// lone tells whether exactly one call is in flight, beside quiet ones.
func (t *table) lone() bool { return t.many.Load() == 1 }

func (t *table) idle() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.live == 0
}
