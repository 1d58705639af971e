//go:build unix

package process

import (
	"errors"
	"runtime"
	"syscall"
)

// withExtension finds nothing to add: here a file's name is its name.
func withExtension(path string) (string, error) { return path, nil }

// isFormatError tells that the kernel has looked at the file and does not know how to run it.
// EINVAL is what it says of some damaged ELF files; macOS says 86 (EBADARCH) for another processor.
func isFormatError(err error) bool {
	const badArchitecture = syscall.Errno(86)
	return errors.Is(err, syscall.ENOEXEC) || errors.Is(err, syscall.EINVAL) || runtime.GOOS == "darwin" && errors.Is(err, badArchitecture)
}
