//go:build !plan9

package runtime

import (
	"fmt"
	"runtime"
	"syscall"

	"github.com/plugingen/plugingen/runtime/runtimepb"
)

// systemTypes is the operating system's own type of errors. Its numbers mean nothing on another system.
func systemTypes() []ValueType {
	return []ValueType{NewValueType("syscall.Errno", func(e syscall.Errno, _ int) (*runtimepb.SystemError, error) {
		return &runtimepb.SystemError{Number: int64(e), System: runtime.GOOS}, nil
	}, func(m *runtimepb.SystemError, _ int) (syscall.Errno, error) {
		if m.GetSystem() != runtime.GOOS {
			return 0, fmt.Errorf("a number of %q", m.GetSystem())
		}
		return syscall.Errno(m.GetNumber()), nil
	})}
}
