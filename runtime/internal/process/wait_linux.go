package process

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// awaitExit returns nil when the process has ended, without reaping it: until then nobody else can get its number,
// so that its group can be killed without hitting a stranger.
func awaitExit(p *os.Process) *os.ProcessState {
	for {
		err := unix.Waitid(unix.P_PID, p.Pid, nil, unix.WEXITED|unix.WNOWAIT, nil)
		if !errors.Is(err, unix.EINTR) {
			return nil
		}
	}
}
