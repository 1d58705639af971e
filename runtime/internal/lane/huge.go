package lane

import (
	"cmp"
	"math"
	"runtime"
	"slices"
	"sync"
	"time"
	"unsafe"
)

const (
	// recycleSize is the least size of a message whose memory is used again.
	recycleSize = 16 << 20
	// hugeBlocks is how many blocks are lent before the collector is asked for them, and how many wait for a message at the most.
	hugeBlocks = 2
	// idleBlock is how long they wait.
	idleBlock = 2 * time.Second
	// finalTime is how long finalizers may take after a collection.
	finalTime = time.Millisecond
	// collectRests is the most often that the pause after a collection in vain is doubled.
	collectRests = 6
)

// hugeMemory is the memory of huge messages. Who receives one may keep it, so only the garbage collector knows when a block is nobody's: its
// finalizer then brings it back, and the next message takes it. Fresh memory, which the system faults in and clears, costs more than all the
// rest of such a message. The zero value is ready; it may be used by many goroutines.
type hugeMemory struct {
	mu         sync.Mutex
	idle       [][]byte      // nobody's
	lent       int           // blocks that have not come back
	bytes      int           // of all blocks, idle and lent
	back       chan struct{} // holds a token when one has come back
	collecting chan struct{} // closed at the end of the collection that is under way; nil when none is
	misses     int           // collections in vain, in a row, at most collectRests
	rests      int           // collections to do without
	keep       time.Duration // how long blocks are idle; zero means idleBlock
	timer      *time.Timer   // calls expire
	last       bool          // since the last message there was a collection that only gives memory back
}

// huge is one for the whole process: a host of many plugins keeps no more than a host of one.
//
//nolint:gochecknoglobals // see above
var huge hugeMemory

// messageMemory returns n bytes for a message, of arbitrary content: all of them must be written before anybody reads them.
func messageMemory(n int) []byte {
	if n < recycleSize {
		return freshMemory(n)
	}
	return huge.get(n)
}

// get waits for the collector only where enough blocks are lent and none is idle.
func (m *hugeMemory) get(n int) []byte {
	m.mu.Lock()
	defer m.mu.Unlock()
	b := m.take(n)
	if b == nil && m.collect(n) {
		done := m.collecting
		m.mu.Unlock()
		<-done
		m.mu.Lock()
		b = m.take(n)
	}
	if b == nil {
		b = freshMemory(n)
		m.bytes += n
	}
	m.lend(b)
	if len(m.idle) == 0 {
		m.collect(n) // for the next message, while this one arrives
	}
	return b[:n:n]
}

// take takes the smallest idle block that n bytes fit and at least half fill, or returns nil. Called with mu.
func (m *hugeMemory) take(n int) []byte {
	best := -1
	for i, b := range m.idle {
		if len(b) >= n && len(b)/2 <= n && (best < 0 || len(b) < len(m.idle[best])) {
			best = i
		}
	}
	if best < 0 {
		return nil
	}
	b := m.idle[best]
	m.idle = slices.Delete(m.idle, best, best+1)
	return b
}

// lend sees to it that b comes back. Called with mu.
func (m *hugeMemory) lend(b []byte) {
	m.lent++
	m.last = false
	m.expireLater()
	n := len(b) // the finalizer must not hold b itself
	runtime.SetFinalizer(unsafe.SliceData(b), func(p *byte) { m.cameBack(unsafe.Slice(p, n)) })
}

func (m *hugeMemory) cameBack(b []byte) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.lent--
	if m.idle = append(m.idle, b); len(m.idle) > hugeBlocks {
		m.dropOldest()
	}
	m.expireLater()
	if m.back != nil {
		poke(m.back)
	}
}

// dropOldest leaves a block to the collector, and its pages to the system at once. Called with mu.
func (m *hugeMemory) dropOldest() {
	releaseMemory(m.idle[0])
	m.bytes -= len(m.idle[0])
	m.idle = slices.Delete(m.idle, 0, 1)
}

// collect begins a collection, or finds one under way, that is likely to bring a block back and costs little beside a message of n bytes.
// That is so when the rest of the heap is no larger: the collector itself would run about as often. Called with mu.
func (m *hugeMemory) collect(n int) bool {
	switch {
	case m.collecting != nil:
		return true
	case m.lent < hugeBlocks:
		return false
	case m.rests > 0:
		m.rests--
		return false
	case !heapIsBelow(m.bytes + n + reserveSize):
		return false
	}
	m.startCollecting()
	return true
}

// startCollecting is called with mu.
func (m *hugeMemory) startCollecting() {
	if m.back == nil {
		m.back = make(chan struct{}, 1)
	}
	m.collecting = make(chan struct{})
	go m.collectNow(m.back)
}

func (m *hugeMemory) collectNow(back <-chan struct{}) {
	isDone(back) // an old token
	runtime.GC()
	came := true
	timer := time.NewTimer(finalTime)
	defer timer.Stop()
	select {
	case <-back:
	case <-timer.C:
		came = false
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.misses++; came {
		m.misses = 0
	}
	m.misses = min(m.misses, collectRests)
	m.rests = 1<<m.misses - 1
	close(m.collecting)
	m.collecting = nil
}

// expireLater calls expire after a while of rest. Called with mu.
func (m *hugeMemory) expireLater() {
	if m.timer == nil {
		m.timer = time.AfterFunc(cmp.Or(m.keep, idleBlock), m.expire)
		return
	}
	m.timer.Reset(cmp.Or(m.keep, idleBlock))
}

// expire lets go of all blocks when no message has come for a while.
func (m *hugeMemory) expire() {
	m.mu.Lock()
	defer m.mu.Unlock()
	bytes := m.bytes // what is dropped is in the heap until the collection
	for len(m.idle) > 0 {
		m.dropOldest()
	}
	if m.lent > 0 && !m.last && m.collecting == nil && heapIsBelow(bytes+reserveSize+recycleSize) {
		m.last = true
		m.startCollecting() // what comes back expires, too
	}
}

// heapIsBelow tells whether all that is allocated is below n bytes. A program that collects no garbage has its reasons: false.
func heapIsBelow(n int) bool {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc < uint64(n) && m.NextGC < math.MaxInt64
}
