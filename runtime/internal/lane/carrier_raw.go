//go:build linux && !race

package lane

import (
	"syscall"
	"unsafe"
)

// The descriptor does not block, so the calls are short: the scheduler need not be told of them.

func rawRead(fd int, p, _ []byte) (int, error) {
	return rawCall(syscall.SYS_READ, fd, unsafe.Pointer(unsafe.SliceData(p)), len(p))
}

func rawWrite(fd int, p, tail []byte) (int, error) {
	if len(tail) == 0 {
		return rawCall(syscall.SYS_WRITE, fd, unsafe.Pointer(unsafe.SliceData(p)), len(p))
	}
	both := [2]syscall.Iovec{{Base: unsafe.SliceData(p)}, {Base: unsafe.SliceData(tail)}}
	both[0].SetLen(len(p))
	both[1].SetLen(len(tail))
	return rawCall(syscall.SYS_WRITEV, fd, unsafe.Pointer(&both), len(both))
}

func rawCall(call uintptr, fd int, p unsafe.Pointer, n int) (int, error) {
	done, _, errno := syscall.RawSyscall(call, uintptr(fd), uintptr(p), uintptr(n))
	if errno != 0 {
		return 0, errno
	}
	return int(done), nil
}
