//go:build unix

package host

import (
	"errors"
	"syscall"
)

func isOutOfFiles(err error) bool {
	return errors.Is(err, syscall.EMFILE) || errors.Is(err, syscall.ENFILE)
}
