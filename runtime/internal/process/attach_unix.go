//go:build unix

package process

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// number is all that some systems give of a process.
type number int

func (n number) await() error { return errors.ErrUnsupported }

func (n number) isRunning() bool { return !errors.Is(unix.Kill(int(n), 0), unix.ESRCH) }

func (n number) signal(kill bool) error {
	err := unix.Kill(int(n), signalFor(kill))
	if errors.Is(err, unix.ESRCH) {
		return os.ErrProcessDone
	}
	return err
}

func (n number) close() {}

func signalFor(kill bool) unix.Signal {
	if kill {
		return unix.SIGKILL
	}
	return unix.SIGTERM
}
