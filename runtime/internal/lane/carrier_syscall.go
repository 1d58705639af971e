//go:build unix && (!linux || race)

package lane

import "syscall"

// The race detector knows what these calls order, and not what a bare one does.

func rawRead(fd int, p []byte) (int, error)  { return syscall.Read(fd, p) }
func rawWrite(fd int, p []byte) (int, error) { return syscall.Write(fd, p) }
