package lane

import (
	"os"
	"syscall"
	"unsafe"
)

// adviseHuge asks for large pages: fresh memory then costs one fault for each, not hundreds. Where the system has none, nothing changes.
func adviseHuge(b []byte) {
	page := uintptr(os.Getpagesize())
	skip := -uintptr(unsafe.Pointer(unsafe.SliceData(b))) & (page - 1)
	if whole := (uintptr(len(b)) - skip) &^ (page - 1); skip < uintptr(len(b)) && whole > 0 {
		_ = syscall.Madvise(b[skip:skip+whole], syscall.MADV_HUGEPAGE)
	}
}
