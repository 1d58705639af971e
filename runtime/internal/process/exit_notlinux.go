//go:build unix && !linux

package process

import (
	"os"
	"syscall"
)

func exitOf(state *os.ProcessState) Exit {
	if status, ok := state.Sys().(syscall.WaitStatus); ok {
		return exitOfStatus(status)
	}
	return Exit{Code: state.ExitCode()}
}
