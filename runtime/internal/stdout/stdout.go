// Package stdout moves a plugin's real standard output away, so that nothing but the handshake line is ever on it.
//
// Linking it is enough for what the program prints before it serves: see moved. It imports next to nothing, so that it
// is initialised before packages whose initialisation may print.
package stdout

import (
	"errors"
	"io"
	"os"
)

// hostMark is set by everything that starts plugins the way go-plugin does, and by nothing else.
const hostMark = "PLUGIN_PROTOCOL_VERSIONS"

// moved is the real standard output when a host started this process, nil otherwise. Until the program serves, what it
// prints is on standard error, where every host looks: a host takes the first line on standard output for the handshake,
// so a greeting printed by main, or by another package's init, would keep the plugin from starting.
//
// It is a variable initialised with the package because nothing later is early enough, and because only one part of a
// process can have its standard output. [Take] takes it.
//
//nolint:gochecknoglobals // the process has one standard output, see above
var moved = moveEarly()

// Taken is the real standard output in private hands, and the pipe that stands in for it.
type Taken struct {
	// Real is the standard output that the host gave. No child of this process inherits it.
	Real *os.File
	// Printed gives what this process and its children print on their standard output; io.EOF once nobody can any more.
	Printed io.ReadCloser

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
