//go:build unix && (!linux || race)

package lane

import "syscall"

// The race detector knows what these calls order, and not what a bare one does.

func rawRead(fd int, p, _ []byte) (int, error) { return syscall.Read(fd, p) }

func rawWrite(fd int, p, tail []byte) (int, error) {
	n, err := syscall.Write(fd, p)
	if err != nil || n < len(p) || len(tail) == 0 {
		return n, err
	}
	if m, err := syscall.Write(fd, tail); err == nil {
		n += m
	}
	return n, nil // a later call meets what kept the tail back
}
