package lane

import (
	"math/bits"
	"sync"
)

const (
	minBufferBits = 9  // 512 bytes
	maxBufferBits = 20 // 1 MiB: larger ones are not kept
)

// buffer is memory that is used again. A nil *buffer is none.
type buffer struct{ b []byte }

// buffers keeps buffers by powers of two. The zero value is ready; it may be used by many goroutines.
type buffers struct {
	pools [maxBufferBits + 1]sync.Pool
}

// get returns a buffer of n bytes, whose content is arbitrary.
func (p *buffers) get(n int) *buffer {
	class := max(bits.Len(uint(n-1)), minBufferBits)
	if n == 0 {
		class = minBufferBits
	}
	if class > maxBufferBits {
		return &buffer{b: make([]byte, n)}
	}
	if v, ok := p.pools[class].Get().(*buffer); ok {
		v.b = v.b[:n]
		return v
	}
	return &buffer{b: make([]byte, n, 1<<class)}
}

// put takes b back; nobody may use it any more.
func (p *buffers) put(b *buffer) {
	if b == nil {
		return
	}
	if class := bits.Len(uint(cap(b.b) - 1)); class <= maxBufferBits && cap(b.b) == 1<<class {
		p.pools[class].Put(b)
	}
}
