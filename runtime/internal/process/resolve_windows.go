package process

import (
	"errors"
	"os/exec"

	"golang.org/x/sys/windows"
)

// withExtension tries the extensions of PATHEXT, as a shell does.
func withExtension(path string) (string, error) { return exec.LookPath(path) }

func isFormatError(err error) bool {
	return errors.Is(err, windows.ERROR_BAD_EXE_FORMAT) || errors.Is(err, windows.ERROR_EXE_MACHINE_TYPE_MISMATCH)
}
