//go:build unix

package transport

import "net"

// Bind is what Listen makes sockets with.
func Bind(path string) (*net.UnixListener, error) { return bind(path) }

// NewSocketDirIn is NewSocketDir without the folders of the system.
func NewSocketDirIn(bases ...string) (*SocketDir, error) { return newSocketDir(bases, -1, probe) }

// AwaitSweep waits for the sweep that making d has begun.
func (d *SocketDir) AwaitSweep() {
	if d.swept != nil {
		<-d.swept
	}
}

// AwaitSweep waits for the sweep that listening on l, in a folder of its own, has begun.
func AwaitSweep(l net.Listener) { l.(*unixListener).folder.AwaitSweep() }
