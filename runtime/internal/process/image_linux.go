package process

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"golang.org/x/sys/unix"
)

const (
	nonBlock    = unix.O_NONBLOCK
	longestName = 200 // of memory, in /proc/PID/exe
)

// mayExecute asks what the system would: of a copy in memory it cannot know.
func mayExecute(src *os.File, info fs.FileInfo) error {
	var st unix.Statfs_t
	if unix.Fstatfs(int(src.Fd()), &st) == nil && st.Flags&unix.ST_NOEXEC != 0 {
		return fs.ErrPermission
	}
	if info.Mode().Perm()&0o111 == 0 {
		return fs.ErrPermission
	}
	return nil
}

// seal copies src into memory that can be executed and, from then on, not be changed by anyone, not even by this process. The error
// is errors.ErrUnsupported for scripts, whose interpreters would have to open the memory by a name that they do not have, and
// where the system does not give such memory.
func seal(ctx context.Context, src *os.File, size int64, name string) (*image, error) {
	if !isBinary(src) {
		return nil, errors.ErrUnsupported
	}
	fd, err := memory(name)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errors.ErrUnsupported, err)
	}
	i := &image{path: fmt.Sprintf("/proc/self/fd/%d", fd), sealed: os.NewFile(uintptr(fd), name)}
	if _, err := os.Stat(i.path); err != nil { // no /proc
		i.close()
		return nil, errors.ErrUnsupported
	}
	err = fill(ctx, i.sealed, src, size)
	if err == nil {
		_, err = unix.FcntlInt(uintptr(fd), unix.F_ADD_SEALS, unix.F_SEAL_WRITE|unix.F_SEAL_SHRINK|unix.F_SEAL_GROW|unix.F_SEAL_SEAL)
	}
	if err != nil {
		i.close()
		return nil, err
	}
	return i, nil
}

// firstFree is beyond what any child inherits: it finds its program by the number of this descriptor.
const firstFree = 16

func memory(name string) (int, error) {
	fd, err := newMemory(name)
	if err != nil || fd >= firstFree {
		return fd, err
	}
	defer func() { _ = unix.Close(fd) }()
	return unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, firstFree)
}

func newMemory(name string) (int, error) {
	const flags = unix.MFD_CLOEXEC | unix.MFD_ALLOW_SEALING
	name = name[:min(len(name), longestName)]
	fd, err := unix.MemfdCreate(name, flags|unix.MFD_EXEC)
	if errors.Is(err, unix.EINVAL) { // before Linux 6.3 all of it could be executed
		return unix.MemfdCreate(name, flags)
	}
	return fd, err
}

// fill copies within the kernel.
func fill(ctx context.Context, dst, src *os.File, size int64) error {
	for done := int64(0); done < size; {
		if err := ctx.Err(); err != nil {
			return err
		}
		n, err := unix.Sendfile(int(dst.Fd()), int(src.Fd()), &done, int(min(chunk, size-done)))
		switch {
		case errors.Is(err, unix.EINTR):
		case errors.Is(err, unix.EINVAL), errors.Is(err, unix.ENOSYS): // a file system that cannot
			_, err := dst.Seek(done, io.SeekStart)
			if err == nil {
				err = copyTo(ctx, dst, io.NewSectionReader(src, done, size-done))
			}
			return err
		case err != nil:
			return os.NewSyscallError("sendfile", err)
		case n == 0: // it has become shorter
			return nil
		}
	}
	return nil
}
