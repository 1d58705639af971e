//go:build !unix

package lane

import "net"

func socketCarrierOf(net.Conn) Carrier { return nil }
