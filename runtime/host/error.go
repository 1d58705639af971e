package host

import (
	"errors"
	"fmt"
	"strings"

	"github.com/plugingen/plugingen/runtime/internal/wire"
)

// Stage says how far a plugin had come when something went wrong.
type Stage string

// The stages of a plugin's life, in order.
const (
	StageConfig    Stage = "config"    // the Config cannot work; nothing was started
	StageAttach    Stage = "attach"    // the description was read and its process looked for; instead of the next two
	StageLaunch    Stage = "launch"    // the socket folder was made and the program started
	StageHandshake Stage = "handshake" // the program runs; its handshake line is awaited
	StageNegotiate Stage = "negotiate" // the line came; it is compared with what the host takes
	StageConnect   Stage = "connect"   // the address is dialled
	StageVerify    Stage = "verify"    // the connection stands; the first health check is awaited
	StageRun       Stage = "run"       // Open has returned
	StageClose     Stage = "close"     // Close was called
)

// Reasons that errors.Is finds in an *Error. Besides these there are those of package handshake, context.Canceled when
// Open's context was, and context.DeadlineExceeded when its deadline or StartTimeout passed.
var (
	ErrExited     = errors.New("the plugin has ended")
	ErrClosed     = errors.New("the plugin was closed")
	ErrKilled     = errors.New("the plugin did not end in time and was killed")
	ErrNotServing = wire.ErrNotServing
	ErrTLS        = errors.New("host and plugin do not agree on TLS")
	ErrOwner      = errors.New("the plugin's socket is another user's")
	ErrProtocol   = errors.New("the plugin does not speak gRPC")
	ErrMultiplex  = errors.New("host and plugin do not agree on multiplexing")
	ErrRemote     = errors.New("the plugin's address is not on this machine")
	ErrChecksum   = errors.New("the program is not the one that the checksum names")
	ErrLauncher   = errors.New("the launcher is at fault") // Config.Launcher: it did not answer, panicked, or returned nothing
)

// Error is what Open, Close and Err return, and what errors.As finds in the error of a call that the plugin's death ended.
type Error struct {
	Stage    Stage
	Path     string   // the program, as configured
	ExitCode int      // of a plugin that ended by itself; -1 when it did not, or by a signal
	Signal   string   // that ended the plugin, such as "SIGSEGV", unless this host sent it; empty otherwise
	Stderr   []string // the last lines that the plugin wrote there, escaped; of a panic also the beginning
	Hint     string   // advice for people; may be empty; not part of Error's text
	Err      error
}

// Error names the program, the stage, what went wrong, and the line of Stderr that tells most. A plugin that came to
// StageNegotiate is well, and what it wrote has nothing to do with the error.
func (e *Error) Error() string {
	var b strings.Builder
	if e.Path != "" {
		fmt.Fprintf(&b, "plugin %s: ", e.Path)
	}
	fmt.Fprintf(&b, "%s: %v", e.Stage, e.Err)
	if line := telling(e.Stderr); line != "" && e.Stage != StageNegotiate {
		fmt.Fprintf(&b, "; it wrote: %s", line)
	}
	return b.String()
}

// Unwrap returns Err.
func (e *Error) Unwrap() error { return e.Err }

// telling picks the line that most likely says what happened: the panic, else the last one.
func telling(lines []string) string {
	for _, line := range lines {
		if isPanic(line) {
			return line
		}
	}
	for i := len(lines) - 1; i >= 0; i-- {
		if line := strings.TrimSpace(lines[i]); line != "" {
			return line
		}
	}
	return ""
}

func isPanic(line string) bool {
	for _, prefix := range []string{"panic: ", "fatal error: ", "SIGSEGV: ", "SIGABRT: ", "SIGQUIT: "} {
		if strings.HasPrefix(line, prefix) {
			return true
		}
	}
	return false
}
