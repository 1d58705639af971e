package process

import "fmt"

// Exit says how a program ended.
type Exit struct {
	Code   int    // exit code; -1 when a signal ended it
	Signal string // such as "SIGKILL"; empty when it ended by itself
}

// String is "exit code 3" or "signal SIGSEGV".
func (e Exit) String() string {
	if e.Signal != "" {
		return "signal " + e.Signal
	}
	return fmt.Sprintf("exit code %d", e.Code)
}
