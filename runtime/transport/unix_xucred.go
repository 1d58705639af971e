//go:build darwin || freebsd

package transport

import (
	"net"

	"golang.org/x/sys/unix"
)

const knowsPeers = true

// PeerUID returns the user at the other end of a unix socket connection, as of its connecting. It is not ok for other
// connections, and on systems that do not tell.
func PeerUID(conn net.Conn) (uid int, ok bool) {
	c, isUnix := conn.(*net.UnixConn)
	if !isUnix {
		return 0, false
	}
	raw, err := c.SyscallConn()
	if err != nil {
		return 0, false
	}
	var credentials *unix.Xucred
	var failed error
	err = raw.Control(func(fd uintptr) {
		credentials, failed = unix.GetsockoptXucred(int(fd), unix.SOL_LOCAL, unix.LOCAL_PEERCRED)
	})
	if err != nil || failed != nil {
		return 0, false
	}
	return int(credentials.Uid), true
}
