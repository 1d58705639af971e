//go:build !linux

package interop

import "errors"

// stopProcess cannot tell when the child has stopped.
func stopProcess(int) error { return errors.ErrUnsupported }
