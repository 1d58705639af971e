//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package lane

import (
	"errors"
	"net"
	"syscall"
)

// peek waits for the first byte on conn, and returns it with a connection on which it is still to be read; 0 when none comes.
func peek(conn net.Conn) (first byte, whole net.Conn) {
	socket, ok := socketBelow(conn).(syscall.Conn)
	if !ok {
		return readPeek(conn)
	}
	raw, err := socket.SyscallConn()
	if err != nil {
		return readPeek(conn)
	}
	var b [1]byte
	_ = raw.Read(func(fd uintptr) bool { // what is wrong, whoever reads next meets too
		for {
			_, _, err := syscall.Recvfrom(int(fd), b[:], syscall.MSG_PEEK)
			if !errors.Is(err, syscall.EINTR) {
				return !errors.Is(err, syscall.EAGAIN)
			}
		}
	})
	return b[0], conn
}
