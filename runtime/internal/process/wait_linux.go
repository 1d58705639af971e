package process

import (
	"errors"
	"os"
	"os/exec"
	"syscall"

	"golang.org/x/sys/unix"
)

// withHandle asks for a descriptor of the process.
func withHandle(cmd *exec.Cmd) *exec.Cmd {
	cmd.SysProcAttr.PidFD = new(int)
	*cmd.SysProcAttr.PidFD = -1
	return cmd
}

// awaitExit returns when the process has ended, without reaping it: until then nobody else can get its number,
// so that its group can be killed without hitting a stranger. It holds no thread, where the system has such descriptors.
func awaitExit(cmd *exec.Cmd) (reap func() Exit) {
	pid := cmd.Process.Pid
	if fd := *cmd.SysProcAttr.PidFD; fd >= 0 {
		_ = cmd.Process.Release() // it has a descriptor of its own, and one will do
		if awaitHandle(fd) == nil {
			return func() Exit { return waitFor(pid) }
		}
	}
	for errors.Is(unix.Waitid(unix.P_PID, pid, nil, unix.WEXITED|unix.WNOWAIT, nil), unix.EINTR) {
	}
	return func() Exit { return waitFor(pid) }
}

// waitFor reaps a child.
func waitFor(pid int) Exit {
	var status syscall.WaitStatus
	for {
		_, err := syscall.Wait4(pid, &status, 0, nil)
		switch {
		case err == nil:
			return exitOfStatus(status)
		case !errors.Is(err, unix.EINTR):
			return Exit{Code: -1}
		}
	}
}

// awaitHandle waits until the process behind a descriptor has ended, and closes that.
func awaitHandle(fd int) error {
	f, err := handleFile(fd)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	return awaitReadable(f)
}

// handleFile makes the descriptor of a process one that Go's poller waits for, with those of all others in one thread.
func handleFile(fd int) (*os.File, error) {
	if err := unix.SetNonblock(fd, true); err != nil {
		_ = unix.Close(fd)
		return nil, os.NewSyscallError("fcntl", err)
	}
	return os.NewFile(uintptr(fd), "process"), nil
}

// awaitReadable returns nil when the process has ended, and an error when f was closed or cannot be waited for.
func awaitReadable(f *os.File) error {
	raw, err := f.SyscallConn()
	if err != nil {
		return err
	}
	return raw.Read(func(fd uintptr) bool { return isReadable(int(fd)) })
}

// isReadable asks again when a signal came in between, though it does not wait: the poller tells of an end once only.
func isReadable(fd int) bool {
	for {
		n, err := unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, 0)
		if !errors.Is(err, unix.EINTR) {
			return err == nil && n > 0
		}
	}
}
