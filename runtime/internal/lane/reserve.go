package lane

import (
	"runtime"
	"sync"
)

// reserveSize is how much more may be allocated between two garbage collections of a small process.
const reserveSize = 16 << 20

// reserve is memory that is never touched, so that it costs addresses alone. It counts as live: a process whose heap is small otherwise
// collects garbage after every few large messages, and that costs as much as the messages. A process with a larger heap gets none.
type reserve struct {
	once   sync.Once
	memory []byte
}

// ensure makes the reserve if the heap is small when the first large message comes.
func (r *reserve) ensure() {
	r.once.Do(func() {
		if heapIsSmall() {
			r.memory = make([]byte, reserveSize)
		}
	})
}

// heapIsSmall stops the process for a moment. The goal follows a reserve only after a collection, what is allocated at once: so that hardly
// ever two reserves are made.
func heapIsSmall() bool {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.NextGC < 2*reserveSize && m.HeapAlloc < reserveSize
}
