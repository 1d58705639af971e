package lane

import (
	"strings"
	"unsafe"
)

// hugeMessage is the least size of memory for which the system is asked for large pages.
const hugeMessage = 4 << 20

// freshMemory returns n > 0 bytes that are nobody else's. Their content is arbitrary: all of it must be written before anybody reads it.
func freshMemory(n int) []byte {
	var b strings.Builder
	b.Grow(n)      // the one allocation of the standard library that does not clear what is overwritten anyway
	b.WriteByte(0) // only then the text has an address that is specified
	memory := unsafe.Slice(unsafe.StringData(b.String()), n)
	if n >= hugeMessage {
		adviseHuge(memory)
	}
	return memory
}
