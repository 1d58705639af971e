package lane

import (
	"os"
	"syscall"
	"unsafe"
)

// adviseHuge asks for large pages: fresh memory then costs one fault for each, not hundreds. Where the system has none, nothing changes.
func adviseHuge(b []byte) { advise(b, syscall.MADV_HUGEPAGE) }

// releaseMemory gives the pages of b, whose content nobody needs any more, back to the system.
func releaseMemory(b []byte) { advise(b, syscall.MADV_DONTNEED) }

// advise tells the system of the whole pages of b.
func advise(b []byte, what int) {
	page := uintptr(os.Getpagesize())
	skip := -uintptr(unsafe.Pointer(unsafe.SliceData(b))) & (page - 1)
	if whole := (uintptr(len(b)) - skip) &^ (page - 1); skip < uintptr(len(b)) && whole > 0 {
		_ = syscall.Madvise(b[skip:skip+whole], what)
	}
}
