// Package stdout moves a plugin's real standard output away, so that nothing but the handshake line is ever on it.
package stdout

import (
	"errors"
	"os"
)

// hostMark is set by hosts that negotiate versions, go-plugin's and ours, and by nothing else; pyvider's hosts do not set it.
const hostMark = "PLUGIN_PROTOCOL_VERSIONS"

// moved is the real standard output between MoveEarly and Take; nil otherwise. It outlives a call because a process has
// one standard output, and what moves it runs before anything that could hold it.
//
//nolint:gochecknoglobals // see above
var moved *os.File

// MoveEarly makes what is printed from now on go to standard error when a host started this process; Take ends that.
// Call it once, while packages are initialised.
func MoveEarly() { moved = moveEarly() }

// Taken is the real standard output in private hands, and the pipe that stands in for it.
type Taken struct {
	// Real is the standard output that the host gave. No child of this process inherits it.
	Real *os.File
	// Printed gives what this process and its children print on their standard output; io.EOF once nobody can any more.
	Printed *os.File

	before   *os.File // what standard output was before Take when that is not Real; nil otherwise
	shared   bool     // Real is standard output itself, not a private duplicate
	giveBack func() error
}

// Take makes what is printed from now on go to Printed. Only one Taken can exist at a time; after GiveBack and Close
// everything is as it was before.
func Take() (*Taken, error) { return take() }

// GiveBack points standard output to where it was before Take, the first time it is called. Printed ends when it has been read to the end, unless a
// child process that is still running holds it open.
func (t *Taken) GiveBack() error { return t.giveBack() }

// Close closes Real and Printed. Call it after GiveBack, and after the stop of Watch.
func (t *Taken) Close() error {
	err := t.Printed.Close()
	if errors.Is(err, os.ErrClosed) { // closing it is also how to end a read of it
		err = nil
	}
	if t.before != nil {
		err = errors.Join(err, t.before.Close())
	}
	if t.shared {
		return err
	}
	return errors.Join(err, t.Real.Close())
}
