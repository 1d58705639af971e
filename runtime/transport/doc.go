// Package transport opens and closes the connections between a host and its plugins: unix sockets that only their owner can
// reach, and tcp on loopback.
//
// A unix socket has mode 0600 and never a predictable path. Its listener takes no peer of another user but root, where the
// system can tell (Linux, macOS, FreeBSD), unless a group was named that may use it. A tcp port on loopback is open to every
// user of the machine: use TLS there. On Windows there is tcp alone.
//
// Everything in it may be used concurrently.
package transport

import (
	"errors"
	"fmt"
)

// What can be wrong, for errors.Is, besides the system's own errors, which are wrapped.
var (
	ErrNetwork     = errors.New("unknown network, want unix or tcp")
	ErrUnsupported = fmt.Errorf("unix sockets on this system: %w", errors.ErrUnsupported)
	ErrAddress     = errors.New("socket path is not absolute")
	ErrPathTooLong = errors.New("socket path is too long")
	ErrSocketDir   = errors.New("no folder for sockets")
	ErrGroup       = errors.New("unknown group")
	ErrPortRange   = errors.New("invalid port range")
	ErrNoPort      = errors.New("no free port")
)

// Error is what Listen, Dial and NewSocketDir return.
type Error struct {
	Op      string // "listen", "dial", "make socket folder"
	Address string // network and address, or a folder; may be empty
	Hint    string // advice for people; may be empty; not part of Error's text
	Err     error
}

// Error is Op, Address and Err.
func (e *Error) Error() string {
	text := "transport: " + e.Op
	if e.Address != "" {
		text += " " + e.Address
	}
	return text + ": " + e.Err.Error()
}

// Unwrap returns Err.
func (e *Error) Unwrap() error { return e.Err }
