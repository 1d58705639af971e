//go:build unix

package plugin

import "syscall"

// connLimit leaves half of the process's descriptors to the implementations.
func connLimit() int {
	var l syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &l); err != nil {
		return mostConns
	}
	half := l.Cur / 2
	return int(max(1, min(half, mostConns)))
}
