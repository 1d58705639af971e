package process

import (
	"errors"
	"fmt"
	"os"
	"syscall"
	"unsafe"

	"golang.org/x/sys/windows"
)

// group is a job object. A child that the program starts before it was put into the job stays outside.
type group struct {
	job    windows.Handle // zero when the system refused one
	leader *os.Process
}

func newGroup() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{CreationFlags: windows.CREATE_NEW_PROCESS_GROUP, HideWindow: true}
}

// adopt falls back to killing the leader alone: inside an old container or a job that forbids nesting there is no job to have.
func (g *group) adopt(leader *os.Process) {
	g.leader = leader
	job, err := killOnCloseJob()
	if err != nil {
		return
	}
	if err := assign(job, leader.Pid); err != nil {
		_ = windows.CloseHandle(job)
		return
	}
	g.job = job
}

// killOnCloseJob makes a job whose processes end with its last handle, so also when this process is killed.
func killOnCloseJob() (windows.Handle, error) {
	job, err := windows.CreateJobObject(nil, nil)
	if err != nil {
		return 0, err
	}
	var info windows.JOBOBJECT_EXTENDED_LIMIT_INFORMATION
	info.BasicLimitInformation.LimitFlags = windows.JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE
	_, err = windows.SetInformationJobObject(job, windows.JobObjectExtendedLimitInformation,
		uintptr(unsafe.Pointer(&info)), uint32(unsafe.Sizeof(info)))
	if err != nil {
		_ = windows.CloseHandle(job)
		return 0, err
	}
	return job, nil
}

func assign(job windows.Handle, pid int) error {
	h, err := windows.OpenProcess(windows.PROCESS_SET_QUOTA|windows.PROCESS_TERMINATE, false, uint32(pid))
	if err != nil {
		return err
	}
	defer func() { _ = windows.CloseHandle(h) }()
	return windows.AssignProcessToJobObject(job, h)
}

func (g *group) release() {
	if g.job != 0 {
		_ = windows.CloseHandle(g.job)
		g.job = 0
	}
}

// terminate cannot ask: a console event reaches only programs that share our console, and plugins ignore it.
func (g *group) terminate() error {
	return fmt.Errorf("terminate a process group on windows: %w", errors.ErrUnsupported)
}

func (g *group) kill() error {
	if g.job != 0 {
		return windows.TerminateJobObject(g.job, 1)
	}
	return g.leader.Kill()
}

func isTextBusy(err error) bool { return errors.Is(err, windows.ERROR_SHARING_VIOLATION) }

func exitOf(state *os.ProcessState) Exit { return Exit{Code: state.ExitCode()} }
