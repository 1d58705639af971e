package lane

import (
	"runtime/metrics"
	"sync"
)

const (
	// reserveSize is how much more may be allocated between two garbage collections of a small process.
	reserveSize = 16 << 20
	// roomyHeap is a size of the heap from which collections are rare enough.
	roomyHeap = 2 * reserveSize
)

// reserve is memory that is never touched, so that it costs addresses alone. It counts as live: a process whose heap is small otherwise
// collects garbage after every few large messages, and that costs as much as the messages. A process with a larger heap gets none.
type reserve struct {
	mu     sync.Mutex
	memory []byte
}

// ensure makes the reserve if there is none and the heap is small.
func (r *reserve) ensure() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.memory != nil {
		return
	}
	goal := []metrics.Sample{{Name: "/gc/heap/goal:bytes"}}
	metrics.Read(goal)
	if goal[0].Value.Kind() == metrics.KindUint64 && goal[0].Value.Uint64() < roomyHeap {
		r.memory = make([]byte, reserveSize)
	}
}
