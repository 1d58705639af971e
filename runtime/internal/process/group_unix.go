//go:build unix

package process

import (
	"errors"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// group is a process group; its number is that of the process that leads it.
type group struct{ id int }

func newGroup() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }

func (g *group) adopt(leader *os.Process) { g.id = leader.Pid }

func (g *group) release() {}

func (g *group) terminate() error { return g.send(unix.SIGTERM) }

func (g *group) kill() error { return g.send(unix.SIGKILL) }

func (g *group) send(signal unix.Signal) error {
	err := unix.Kill(-g.id, signal)
	if errors.Is(err, unix.ESRCH) {
		return os.ErrProcessDone
	}
	return err
}

func isTextBusy(err error) bool { return errors.Is(err, unix.ETXTBSY) }

func exitOfStatus(status syscall.WaitStatus) Exit {
	if status.Signaled() {
		return Exit{Code: -1, Signal: unix.SignalName(status.Signal())}
	}
	return Exit{Code: status.ExitStatus()}
}
