package transport

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"syscall"
)

const (
	maxSocketPath = 107 // sun_path has 108 bytes, the last is NUL
	knowsPeers    = true

	openPath = 0x200000 // O_PATH, which package syscall does not name: enough to pass through a folder, no right to list it needed
)

// shorten returns a path by which the system's socket calls reach path, which may be too long for them:
// through a descriptor of its folder. It is valid until release is called.
func shorten(path string) (short string, release func(), err error) {
	if len(path) <= maxSocketPath {
		return path, func() {}, nil
	}
	folder, name := filepath.Split(path)
	fd, err := syscall.Open(folder, openPath|syscall.O_DIRECTORY|syscall.O_CLOEXEC, 0)
	if err != nil {
		return "", nil, &os.PathError{Op: "open", Path: folder, Err: err}
	}
	short = fmt.Sprintf("/proc/self/fd/%d/%s", fd, name)
	if len(short) > maxSocketPath {
		_ = syscall.Close(fd)
		return "", nil, tooLong(path)
	}
	return short, func() { _ = syscall.Close(fd) }, nil
}

// closeToOthers makes the socket's file private from its first moment: Linux takes the mode of the unbound socket.
func closeToOthers(_, _ string, raw syscall.RawConn) error {
	var chmod error
	err := raw.Control(func(fd uintptr) { chmod = syscall.Fchmod(int(fd), 0o600) })
	if err != nil {
		return err
	}
	return chmod
}

// PeerUID returns the user at the other end of a unix socket connection, as of its connecting. It is not ok for other
// connections, and on systems that do not tell.
func PeerUID(conn net.Conn) (uid int, ok bool) {
	peer := credentials(conn)
	if peer == nil || peer.Uid == ^uint32(0) {
		return 0, false
	}
	return int(peer.Uid), true
}

// PeerPID returns the process at the other end of a unix socket connection: for who has dialled, the one that listens, or did when the
// listener was made. It is not ok for other connections, for processes that this one cannot see, and on systems that do not tell.
func PeerPID(conn net.Conn) (pid int, ok bool) {
	peer := credentials(conn)
	if peer == nil || peer.Pid == 0 {
		return 0, false
	}
	return int(peer.Pid), true
}

// credentials are the peer's; nil when there are none.
func credentials(conn net.Conn) *syscall.Ucred {
	unix, isUnix := conn.(*net.UnixConn)
	if !isUnix {
		return nil
	}
	raw, err := unix.SyscallConn()
	if err != nil {
		return nil
	}
	var peer *syscall.Ucred
	var failed error
	err = raw.Control(func(fd uintptr) {
		peer, failed = syscall.GetsockoptUcred(int(fd), syscall.SOL_SOCKET, syscall.SO_PEERCRED)
	})
	if err != nil || failed != nil {
		return nil
	}
	return peer
}
