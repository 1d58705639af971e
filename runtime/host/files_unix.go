//go:build unix

package host

import (
	"errors"
	"os"
	"os/signal"
	"syscall"
)

func isOutOfFiles(err error) bool {
	return errors.Is(err, syscall.EMFILE) || errors.Is(err, syscall.ENFILE)
}

// raise lets a signal do to this process what it does by itself.
func raise(s os.Signal) {
	signal.Reset(s)
	if number, ok := s.(syscall.Signal); ok {
		_ = syscall.Kill(os.Getpid(), number) // a process may always signal itself
	}
}
