//go:build !linux

package process

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"runtime"
)

// nonBlock is nothing where os.File sees to that, or pipes are not files.
const nonBlock = 0

// mayExecute asks what the system would of the file: the copy is executable.
func mayExecute(_ *os.File, info fs.FileInfo) error {
	if runtime.GOOS != "windows" && info.Mode().Perm()&0o111 == 0 {
		return fs.ErrPermission
	}
	return nil
}

// seal is what this system does not have.
func seal(context.Context, *os.File, int64, string) (*image, error) {
	return nil, errors.ErrUnsupported
}
