package plugin

import (
	"crypto/tls"
	"errors"
	"io"
	"log/slog"
	"net"
	"sync"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"

	"github.com/plugingen/plugingen/runtime/handshake"
	"github.com/plugingen/plugingen/runtime/internal/lane"
	"github.com/plugingen/plugingen/runtime/internal/mtls"
)

// security is how connections are protected, and what the handshake line says of it.
type security struct {
	options        []grpc.ServerOption
	certificate    []byte      // DER; nil unless the host asked for it
	server, client *tls.Config // for brokered connections; nil without TLS
}

// security fails closed: a host that asks for TLS never gets a plugin without. An empty variable asks for nothing, as in go-plugin.
func (l launch) security(cfg Config) (security, error) {
	switch {
	case cfg.TLSConfig != nil:
		return security{options: secured(cfg.TLSConfig, cfg.Logger), server: cfg.TLSConfig, client: cfg.TLSConfig}, nil
	case l.clientCert == "":
		return security{}, nil
	default:
		return l.automatic(cfg.Logger)
	}
}

// automatic takes the host with the certificate that it sent, and nobody else.
func (l launch) automatic(logger *slog.Logger) (security, error) {
	host, err := mtls.ParsePEM(l.clientCert)
	if err != nil {
		return security{}, tlsError("the host must set it to one certificate in PEM, or leave it out", errors.New(handshake.EnvClientCert+": "+err.Error()))
	}
	id, err := mtls.New()
	if err != nil {
		return security{}, tlsError("", err)
	}
	server := id.Server(host)
	return security{options: secured(server, logger), certificate: id.DER(), server: server, client: id.Client(host)}, nil
}

func tlsError(hint string, err error) error {
	return &Error{Op: "set up mutual TLS", Hint: hint, Err: err}
}

func secured(cfg *tls.Config, logger *slog.Logger) []grpc.ServerOption {
	refuse := &refusals{logger: logger}
	return []grpc.ServerOption{grpc.Creds(tlsCredentials{credentials.NewTLS(cfg), refuse})} // NewTLS copies cfg
}

// tlsCredentials is gRPC's TLS. A connection under it has spoken only when a peer that was let in has: a stranger's greeting
// must not keep a place, nor hold up the stop.
type tlsCredentials struct {
	credentials.TransportCredentials
	refusals *refusals
}

// ServerHandshake is credentials.TransportCredentials's.
func (c tlsCredentials) ServerHandshake(raw net.Conn) (net.Conn, credentials.AuthInfo, error) {
	if s := lane.SecuredBelow(raw); s != nil { // it does not speak the lane
		info, err := s.Accepted()
		if err != nil {
			c.refusals.report(err)
		}
		return raw, info, err
	}
	raw, tracked := unwrap(raw)
	plain, info, err := c.TransportCredentials.ServerHandshake(raw)
	if err != nil {
		c.refusals.report(err)
		return nil, nil, err
	}
	if tracked != nil {
		plain = &plainText{Conn: plain, of: tracked}
	}
	return plain, info, nil
}

// securedListener is a listener of TLS connections in which the lane or gRPC can be spoken. They shake hands when they are first read.
type securedListener struct {
	net.Listener
	cfg *tls.Config
}

// Accept waits for the next connection.
func (l securedListener) Accept() (net.Conn, error) {
	raw, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	raw, tracked := unwrap(raw)
	s := lane.SecureServer(raw, l.cfg)
	if tracked == nil {
		return s, nil
	}
	return &plainText{Conn: s, of: tracked}, nil
}

// unwrap makes the greetings on a connection, or on a stream of one, unheard.
func unwrap(raw net.Conn) (net.Conn, *conn) {
	switch c := raw.(type) {
	case *conn:
		c.wrapped = true
		return c, c
	case *plainText:
		return c.Conn, c.of
	default:
		return raw, nil
	}
}

// Clone is credentials.TransportCredentials's.
func (c tlsCredentials) Clone() credentials.TransportCredentials {
	return tlsCredentials{c.TransportCredentials.Clone(), c.refusals}
}

// plainText is what comes out of TLS, or out of a stream, on the connection of.
type plainText struct {
	net.Conn
	of *conn
}

// Socket is for the lane, which reads what comes out of TLS below this. What it reads is not heard here.
func (p *plainText) Socket() net.Conn { return p.Conn }

// Read notes when the peer has said its first word.
func (p *plainText) Read(b []byte) (int, error) {
	n, err := p.Conn.Read(b)
	p.of.hear(n)
	return n, err
}

// refusals logs the first peer that is not let in. gRPC itself says nothing, and a host that is refused learns little; but who knocks
// all the time must not fill the log.
type refusals struct {
	logger *slog.Logger
	once   sync.Once
}

func (r *refusals) report(err error) {
	if errors.Is(err, io.EOF) || errors.Is(err, net.ErrClosed) { // it, or we, hung up
		return
	}
	r.once.Do(func() {
		r.logger.Warn("a peer was refused by TLS; further ones are not logged", "error", err)
	})
}
