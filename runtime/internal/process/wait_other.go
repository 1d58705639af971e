//go:build !linux

package process

import "os/exec"

func withHandle(cmd *exec.Cmd) *exec.Cmd { return cmd }

// awaitExit reaps the process. golang.org/x/sys has no way to learn of the end without that here, so between this
// and the kill of the group another group could in theory get its number.
func awaitExit(cmd *exec.Cmd) (reap func() Exit) {
	state, _ := cmd.Process.Wait()
	return func() Exit { return exitOf(state) }
}
