package host

import (
	"context"
	"fmt"

	"github.com/plugingen/plugingen/runtime/handshake"
	"github.com/plugingen/plugingen/runtime/internal/lane"
)

// CanSide tells whether objects may have sockets of their own beside the connection: where that is a lane, and the plugin listens
// on a unix socket.
func (c *conn) CanSide() bool {
	k := c.p.carrier
	return k.lane != nil && k.cc == nil && k.tls == nil && k.network == handshake.Unix
}

// Side connects such a socket, for the call of the lane that has sent key.
func (c *conn) Side(ctx context.Context, key string) (lane.Carrier, error) {
	k := c.p.carrier
	raw, err := k.socket(ctx)
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
