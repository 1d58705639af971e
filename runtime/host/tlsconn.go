package host

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"os"
	"sync/atomic"
	"time"

	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/plugingen/plugingen/runtime/internal/lane"
	"github.com/plugingen/plugingen/runtime/transport"
)

// errShaking says how far a connection came.
var errShaking = errors.New("TLS handshake")

// secure makes sure that the plugin is at the other end of a new connection.
func (c *carrier) secure(ctx context.Context, watched net.Conn, offer bool) (net.Conn, error) {
	if c.tls == nil {
		return watched, nil
	}
	var secured *lane.Secured
	conn := tls.Client(watched, c.tls)
	if offer {
		secured = lane.SecureClient(watched, c.tls)
		conn = secured.Conn
	}
	switch err := conn.HandshakeContext(ctx); {
	case err == nil && secured != nil && secured.IsLane():
		return secured, nil
	case err == nil:
		return &tlsConn{Conn: conn, carrier: c}, nil
	case ctx.Err() != nil:
		return nil, fmt.Errorf("%w: %w", errShaking, err)
	default:
		return nil, fmt.Errorf("%w: %w: %w", ErrTLS, errShaking, err)
	}
}

// checkOwner sees to it that a private socket is no other user's, wherever the plugin says that it is.
func (c *carrier) checkOwner(raw net.Conn) error {
	if !c.private {
		return nil
	}
	uid, known := transport.PeerUID(raw)
	if !known || uid == 0 || uid == os.Geteuid() {
		return nil
	}
	return fmt.Errorf("%w: user %d", ErrOwner, uid)
}

// tlsConn notes that the plugin has refused this host: TLS 1.3 tells a client only after its handshake.
type tlsConn struct {
	*tls.Conn
	carrier *carrier
	heard   atomic.Bool // the plugin has sent something: it has let us in
}

// alertTime bounds how long a connection that the plugin has closed is asked for its reason, which is there or not.
const alertTime = 100 * time.Millisecond

// Write is net.Conn's. The plugin's refusal may have come together with its closing the connection, and nobody would read it then.
func (c *tlsConn) Write(p []byte) (int, error) {
	n, err := c.Conn.Write(p)
	if err != nil && !c.heard.Load() {
		_ = c.SetReadDeadline(time.Now().Add(alertTime))
		_, _ = c.Read(make([]byte, 1))
	}
	return n, err
}

// Read is net.Conn's.
func (c *tlsConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if n > 0 {
		c.heard.Store(true)
	}
	if alert, ok := errors.AsType[*net.OpError](err); ok && alert.Op == "remote error" {
		c.carrier.refused.Store(true)
	}
	return n, err
}

// credentials is gRPC's part in TLS.
func (c *carrier) credentials() credentials.TransportCredentials {
	if c.tls == nil {
		return insecure.NewCredentials()
	}
	return shaken{credentials.NewTLS(c.tls)}
}

// shaken is for connections that have shaken hands when gRPC gets them, so that what goes wrong there shows as what it is.
type shaken struct {
	credentials.TransportCredentials
}

// ClientHandshake is credentials.TransportCredentials's. Connections of other diallers than ours shake hands now.
func (s shaken) ClientHandshake(ctx context.Context, authority string, conn net.Conn) (net.Conn, credentials.AuthInfo, error) {
	ours, ok := conn.(*tlsConn)
	if !ok {
		return s.TransportCredentials.ClientHandshake(ctx, authority, conn)
	}
	return conn, credentials.TLSInfo{
		State:          ours.ConnectionState(),
		CommonAuthInfo: credentials.CommonAuthInfo{SecurityLevel: credentials.PrivacyAndIntegrity},
	}, nil
}

// Clone is credentials.TransportCredentials's.
func (s shaken) Clone() credentials.TransportCredentials {
	return shaken{s.TransportCredentials.Clone()}
}
