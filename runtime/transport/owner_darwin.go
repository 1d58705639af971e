package transport

import "golang.org/x/sys/unix"

// processStart returns when the process began, in seconds; zero when the system does not tell.
func processStart(pid int) uint64 {
	info, err := unix.SysctlKinfoProc("kern.proc.pid", pid)
	if err != nil {
		return 0
	}
	return uint64(info.Proc.P_starttime.Sec)
}
