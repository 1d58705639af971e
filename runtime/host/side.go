package host

import (
	"context"
	"fmt"

	"github.com/plugingen/plugingen/runtime/handshake"
	"github.com/plugingen/plugingen/runtime/internal/lane"
)

// CanSide tells whether objects may have sockets of their own beside the connection: where that is a lane, and the plugin listens
// on a unix socket or in TLS.
func (c *conn) CanSide() bool {
	k := c.p.carrier
	return k.lane != nil && k.cc == nil && (k.tls != nil || k.network == handshake.Unix)
}

// Side connects such a socket, for the call of the lane that has sent key.
func (c *conn) Side(ctx context.Context, key string) (lane.Carrier, error) {
	k := c.p.carrier
	if k.tls != nil {
		return k.securedSide(ctx, key)
	}
	raw, err := k.newSocket(ctx)
	if err != nil {
		return nil, err
	}
	if pid, is := k.impostor(raw); is {
		_ = raw.Close()
		return nil, fmt.Errorf("the socket is process %d's", pid)
	}
	carrier, err := lane.JoinSide(ctx, raw, key)
	if err != nil {
		return nil, err
	}
	return placed{carrier, k.place()}, nil
}

// securedSide needs no look at the process at the other end: that is the plugin with its key.
func (c *carrier) securedSide(ctx context.Context, key string) (lane.Carrier, error) {
	conn, err := c.dial(ctx, true)
	if err != nil {
		return nil, err
	}
	if !isAgreed(conn) {
		_ = conn.Close()
		return nil, lane.ErrNoSide
	}
	return lane.JoinSide(ctx, conn, key)
}
