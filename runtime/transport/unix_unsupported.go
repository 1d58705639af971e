//go:build !unix

package transport

import (
	"context"
	"net"
)

func listenUnix(ListenConfig) (net.Listener, error) {
	return nil, &Error{Op: "listen", Address: "unix", Hint: "use tcp", Err: ErrUnsupported}
}

func dialUnix(context.Context, string) (net.Conn, error) { return nil, ErrUnsupported }

// SocketDir is a private folder for sockets; there is none on this system.
type SocketDir struct{}

// NewSocketDir returns ErrUnsupported: plugins listen on tcp here.
func NewSocketDir(base, group string) (*SocketDir, error) {
	return nil, &Error{Op: "make socket folder", Address: base, Hint: "use tcp", Err: ErrUnsupported}
}

// Path is empty.
func (d *SocketDir) Path() string { return "" }

// Remove does nothing.
func (d *SocketDir) Remove() error { return nil }
