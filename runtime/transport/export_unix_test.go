//go:build unix

package transport

import "net"

// Bind is what Listen makes sockets with.
func Bind(path string) (*net.UnixListener, error) { return bind(path) }

// NewSocketDirIn is NewSocketDir without the folders of the system.
func NewSocketDirIn(bases ...string) (*SocketDir, error) { return newSocketDir(bases, -1, probe) }
