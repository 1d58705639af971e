//go:build unix

package stdout

import (
	"errors"
	"os"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"
)

const (
	stdoutFD = 1
	stderrFD = 2
	firstFD  = 3 // below are the standard streams, also when the process was started without some
)

// moveEarly leaves a terminal or a file alone: a host reads a pipe.
func moveEarly() *os.File {
	if _, ok := syscall.Getenv(hostMark); !ok || !isPipe(stdoutFD) {
		return nil
	}
	fd, err := private(stdoutFD)
	if err != nil {
		return nil // Take will meet the same error and report it
	}
	if unix.Dup2(stderrFD, stdoutFD) != nil { // no standard error to fall back on
		_ = unix.Close(fd)
		return nil
	}
	return os.NewFile(uintptr(fd), "stdout")
}

func isPipe(fd int) bool {
	var st unix.Stat_t
	if unix.Fstat(fd, &st) != nil {
		return false
	}
	kind := st.Mode & unix.S_IFMT
	return kind == unix.S_IFIFO || kind == unix.S_IFSOCK
}

func isNull(fd int) bool {
	var st, null unix.Stat_t
	if unix.Fstat(fd, &st) != nil || unix.Stat(os.DevNull, &null) != nil {
		return false
	}
	return st.Mode&unix.S_IFMT == unix.S_IFCHR && st.Rdev == null.Rdev
}

// private duplicates fd to one that no child inherits: a child that outlives the plugin must not keep the host waiting
// for the end of its output.
func private(fd int) (int, error) {
	dup, err := unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, firstFD)
	return dup, os.NewSyscallError("fcntl", err)
}

// take works on descriptors, not on os.Stdout, so that C code and child processes are part of it. What is printed is read
// without blocking a thread, but written with blocking calls, as everyone expects of a standard output.
func take() (*Taken, error) {
	if isNull(stdoutFD) { // also what Go opens for a process without a standard output
		return nil, errors.New("standard output is closed or " + os.DevNull)
	}
	before, err := private(stdoutFD)
	if err != nil {
		return nil, err
	}
	r, err := replace(stdoutFD)
	if err != nil {
		_ = unix.Close(before)
		return nil, err
	}
	t := &Taken{Real: moved, Printed: r, before: os.NewFile(uintptr(before), "stdout")}
	moved = nil
	t.giveBack = sync.OnceValue(func() error { return os.NewSyscallError("dup2", unix.Dup2(before, stdoutFD)) })
	if t.Real == nil {
		t.Real, t.before = t.before, nil
	}
	return t, nil
}

// replace makes fd the write end of a new pipe and returns the read end.
func replace(fd int) (*os.File, error) {
	r, w, err := pipe()
	if err != nil {
		return nil, err
	}
	err = os.NewSyscallError("dup2", unix.Dup2(w, fd)) // the new fd is inherited by children, w is not
	_ = unix.Close(w)
	if err == nil {
		err = os.NewSyscallError("fcntl", unix.SetNonblock(r, true)) // os.NewFile then uses the poller
	}
	if err != nil {
		_ = unix.Close(r)
		return nil, err
	}
	return os.NewFile(uintptr(r), "printed"), nil
}

// pipe is os.Pipe with both ends blocking: os.Pipe's are not, and a standard output that may answer EAGAIN loses text.
func pipe() (r, w int, err error) {
	var p [2]int
	syscall.ForkLock.RLock() // a child must not be made between the two calls: pipe2 is not everywhere
	defer syscall.ForkLock.RUnlock()
	if err := unix.Pipe(p[:]); err != nil {
		return 0, 0, os.NewSyscallError("pipe", err)
	}
	unix.CloseOnExec(p[0])
	unix.CloseOnExec(p[1])
	return p[0], p[1], nil
}

// Watch calls gone, once and from a goroutine of its own, when nobody can read Real any more: the host is dead, however
// it died. The kernel says so at once; nothing is polled. stop ends the watch, and waits for gone to return if it runs.
// It rests on one thread: to wait for it in Go's poller, Real would have to be non-blocking for everyone who shares it.
func (t *Taken) Watch(gone func()) (stop func(), err error) {
	wakeR, wakeW, err := pipe()
	if err != nil {
		return nil, err
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		if readerGone(int(t.Real.Fd()), wakeR) {
			gone()
		}
	}()
	return func() {
		_ = unix.Close(wakeW)
		<-ended
		_ = unix.Close(wakeR)
	}, nil
}

// readerGone returns true when fd has lost its reader, false when wake's other end is closed or fd cannot be watched.
func readerGone(fd, wake int) bool {
	for {
		// On macOS an error is reported only to those who ask for something.
		fds := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLHUP}, {Fd: int32(wake), Events: unix.POLLIN}}
		_, err := unix.Poll(fds, -1)
		switch {
		case err == unix.EINTR:
		case err != nil || fds[1].Revents != 0 || fds[0].Revents&unix.POLLNVAL != 0:
			return false
		case fds[0].Revents&(unix.POLLERR|unix.POLLHUP) != 0:
			return true
		}
	}
}
