//go:build unix && !linux

package transport

import "syscall"

const maxSocketPath = 103 // sun_path has 104 bytes on macOS and the BSDs, the last is NUL

// shorten only checks: there is no other path to a socket than its own.
func shorten(path string) (short string, release func(), err error) {
	if len(path) > maxSocketPath {
		return "", nil, tooLong(path)
	}
	return path, func() {}, nil
}

// closeToOthers cannot change a socket before it is bound here; its mode is set right after, and its folder is private.
func closeToOthers(_, _ string, _ syscall.RawConn) error { return nil }
