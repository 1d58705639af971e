package lane

import (
	"runtime/metrics"
	"sync"
)

// reserveSize is how much more may be allocated between two garbage collections of a small process.
const reserveSize = 16 << 20

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
	if heapIsBelow("/gc/heap/goal:bytes", 2*reserveSize) && heapIsBelow("/memory/classes/heap/objects:bytes", reserveSize) {
		r.memory = make([]byte, reserveSize)
	}
}

// heapIsBelow tells whether a quantity of the runtime/metrics package is below size. The goal follows a reserve only after a collection,
// the objects at once: so that hardly ever two reserves are made.
func heapIsBelow(name string, size uint64) bool {
	sample := []metrics.Sample{{Name: name}}
	metrics.Read(sample)
	return sample[0].Value.Kind() == metrics.KindUint64 && sample[0].Value.Uint64() < size
}
