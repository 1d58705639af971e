//go:build !linux && !darwin && !freebsd

package transport

import "net"

const knowsPeers = false

// PeerUID returns the user at the other end of a unix socket connection, as of its connecting. It is not ok for other
// connections, and on systems that do not tell, such as this one.
func PeerUID(net.Conn) (uid int, ok bool) { return 0, false }
