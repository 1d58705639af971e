//go:build !linux

package transport

import "net"

// PeerPID returns the process at the other end of a unix socket connection: for who has dialled, the one that listens, or did when the
// listener was made. It is not ok for other connections, for processes that this one cannot see, and on systems that do not tell, such as this one.
func PeerPID(net.Conn) (pid int, ok bool) { return 0, false }
