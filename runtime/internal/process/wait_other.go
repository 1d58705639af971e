//go:build !linux

package process

import "os"

// awaitExit reaps the process. golang.org/x/sys has no way to learn of the end without that here, so between this
// and the kill of the group another group could in theory get its number.
func awaitExit(p *os.Process) *os.ProcessState {
	state, _ := p.Wait()
	return state
}
