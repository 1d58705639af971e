package interop

import (
	"errors"

	"golang.org/x/sys/unix"
)

// stopProcess returns when the child has stopped as a whole, which it does some time after the signal.
func stopProcess(pid int) error {
	if err := unix.Kill(pid, unix.SIGSTOP); err != nil {
		return err
	}
	for {
		err := unix.Waitid(unix.P_PID, pid, nil, unix.WSTOPPED|unix.WNOWAIT, nil)
		if !errors.Is(err, unix.EINTR) {
			return err
		}
	}
}
