//go:build !darwin && !dragonfly && !freebsd && !linux && !netbsd && !openbsd

package lane

import "net"

// peek waits for the first byte on conn, and returns it with a connection on which it is still to be read; 0 when none comes.
func peek(conn net.Conn) (first byte, whole net.Conn) { return readPeek(conn) }
