package plugintest

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// isBusy says whether somebody has path open for writing: only then is a read lease on it refused in this way.
func isBusy(path string) bool {
	f, err := os.Open(path)
	if err != nil {
		return false
	}
	defer func() { _ = f.Close() }()
	_, err = unix.FcntlInt(f.Fd(), unix.F_SETLEASE, unix.F_RDLCK) // ends with f
	return errors.Is(err, unix.EAGAIN)
}
