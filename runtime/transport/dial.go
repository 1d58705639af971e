package transport

import (
	"context"
	"errors"
	"fmt"
	"net"

	"github.com/plugingen/plugingen/runtime/handshake"
)

// Dial connects to the address that a handshake line names: a unix socket's absolute path, with or without a "unix:" prefix, or tcp's
// host:port. Paths longer than the system's limit work on Linux and are ErrPathTooLong elsewhere. Abstract sockets are refused:
// every user of the machine could be behind one. ctx bounds the connecting, not the connection. The error is an *Error.
func Dial(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := dial(ctx, network, address)
	if err != nil {
		return nil, &Error{Op: "dial", Address: network + " " + address, Err: err}
	}
	return conn, nil
}

func dial(ctx context.Context, network, address string) (net.Conn, error) {
	switch network {
	case handshake.Unix:
		return dialUnix(ctx, handshake.UnixPath(address))
	case handshake.TCP:
		return dialTCP(ctx, address)
	default:
		return nil, fmt.Errorf("%w, not %q", ErrNetwork, network)
	}
}

// dialTCP knows what localhost means, so that no name server and no hosts file can say otherwise.
func dialTCP(ctx context.Context, address string) (net.Conn, error) {
	var d net.Dialer
	host, port, err := net.SplitHostPort(address)
	if err != nil || host != "localhost" {
		return d.DialContext(ctx, "tcp", address)
	}
	conn, err4 := d.DialContext(ctx, "tcp", net.JoinHostPort("127.0.0.1", port))
	if err4 == nil {
		return conn, nil
	}
	conn, err6 := d.DialContext(ctx, "tcp", net.JoinHostPort("::1", port))
	if err6 == nil {
		return conn, nil
	}
	return nil, errors.Join(err4, err6)
}
