//go:build !linux && !windows

package process

import (
	"errors"
	"fmt"
	"syscall"
)

func endWithParent(*syscall.SysProcAttr) {}

// tied starts nothing: a program that was to end with this process must not be left behind in silence.
func tied(func() (*Process, error)) (*Process, error) {
	return nil, fmt.Errorf("a program cannot be made to end with its host on this system: %w", errors.ErrUnsupported)
}
