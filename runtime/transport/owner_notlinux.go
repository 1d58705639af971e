//go:build unix && !linux

package transport

import (
	"errors"
	"os"
	"syscall"
)

// systemTempDirs is where sockets may go when the configured folders cannot be used.
const systemTempDirs = "/tmp:/var/tmp"

func thisProcess() owner { return owner{pid: os.Getpid(), start: processStart(os.Getpid())} }

// isGone is only true when that is sure: a folder in use must never be swept.
func (o owner) isGone(self owner) bool {
	if o == self {
		return false
	}
	if errors.Is(syscall.Kill(o.pid, 0), syscall.ESRCH) {
		return true
	}
	start := processStart(o.pid)
	return o.start != 0 && start != 0 && start != o.start
}
