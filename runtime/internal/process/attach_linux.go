package process

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// groupToo is PIDFD_SIGNAL_PROCESS_GROUP, of Linux 6.9.
const groupToo = 1 << 2

// pidHandle is a descriptor of the process.
type pidHandle struct {
	file *os.File
	pid  int
}

func openHandle(pid int) (handle, error) {
	fd, err := unix.PidfdOpen(pid, 0)
	if errors.Is(err, unix.ENOSYS) || errors.Is(err, unix.EPERM) || errors.Is(err, unix.EMFILE) {
		return number(pid), nil
	}
	if err != nil {
		return nil, ErrGone
	}
	f, err := handleFile(fd)
	if err != nil {
		return number(pid), nil
	}
	return &pidHandle{file: f, pid: pid}, nil
}

func (h *pidHandle) await() error { return awaitReadable(h.file) }

// use calls f unless the descriptor is closed.
func (h *pidHandle) use(f func(fd int) error) error {
	raw, err := h.file.SyscallConn()
	if err != nil {
		return err
	}
	var failed error
	err = raw.Control(func(fd uintptr) { failed = f(int(fd)) })
	return errors.Join(err, failed)
}

func (h *pidHandle) isRunning() bool {
	running := false
	err := h.use(func(fd int) error {
		running = !isReadable(fd)
		return nil
	})
	return err == nil && running
}

func (h *pidHandle) signal(kill bool) error {
	return h.use(func(fd int) error {
		if group, err := unix.Getpgid(h.pid); err == nil && group == h.pid && sendHandle(fd, kill, groupToo) == nil {
			return nil
		}
		return sendHandle(fd, kill, 0)
	})
}

func sendHandle(fd int, kill bool, flags int) error {
	err := unix.PidfdSendSignal(fd, signalFor(kill), nil, flags)
	if errors.Is(err, unix.ESRCH) {
		return os.ErrProcessDone
	}
	return err
}

func (h *pidHandle) close() { _ = h.file.Close() }
