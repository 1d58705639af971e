package lane

import (
	"crypto/tls"
	"errors"
	"net"
	"slices"

	"google.golang.org/grpc/credentials"
)

// ALPN is the protocol by which the two sides of a TLS connection agree to speak the lane in it, at once and without gRPC.
const ALPN = "plugingen-lane/1"

// Secured is a TLS connection in which either the lane or anything else can be spoken: a lane on it knows the socket below.
type Secured struct {
	*tls.Conn
	below  *ciphertext
	unread []byte
}

// SecureServer is tls.Server, preferring the lane to what cfg names, among what the client offers. It does not change cfg.
func SecureServer(conn net.Conn, cfg *tls.Config) *Secured {
	below := &ciphertext{Conn: conn}
	return &Secured{Conn: tls.Server(below, offering(cfg)), below: below}
}

// SecureClient is tls.Client that offers the lane before what cfg names. It does not change cfg.
func SecureClient(conn net.Conn, cfg *tls.Config) *Secured {
	below := &ciphertext{Conn: conn}
	return &Secured{Conn: tls.Client(below, offering(cfg)), below: below}
}

func offering(cfg *tls.Config) *tls.Config {
	cfg = cfg.Clone()
	cfg.DynamicRecordSizingDisabled = true // there is no slow start on one machine
	cfg.NextProtos = append([]string{ALPN}, cfg.NextProtos...)
	if !slices.Contains(cfg.NextProtos, "h2") {
		cfg.NextProtos = append(cfg.NextProtos, "h2")
	}
	return cfg
}

// IsLane tells whether both sides have agreed to speak the lane. The handshake must be over.
func (s *Secured) IsLane() bool { return s.ConnectionState().NegotiatedProtocol == ALPN }

// errNoALPN is for peers that gRPC's own server refuses, too.
var errNoALPN = errors.New("the peer's TLS does not say by ALPN what it will speak")

// Accepted shakes hands, if that has not been tried yet, for a server that is to speak gRPC, and holds the peer to what gRPC's own TLS does.
func (s *Secured) Accepted() (credentials.AuthInfo, error) {
	if err := s.Handshake(); err != nil {
		return nil, err
	}
	if s.ConnectionState().NegotiatedProtocol == "" {
		return nil, errNoALPN
	}
	return s.AuthInfo(), nil
}

// AuthInfo is what gRPC would know of the peer. The handshake must be over.
func (s *Secured) AuthInfo() credentials.AuthInfo {
	info := credentials.TLSInfo{
		State:          s.ConnectionState(),
		CommonAuthInfo: credentials.CommonAuthInfo{SecurityLevel: credentials.PrivacyAndIntegrity},
	}
	if peers := info.State.PeerCertificates; len(peers) > 0 && len(peers[0].URIs) == 1 && peers[0].URIs[0].Scheme == "spiffe" {
		info.SPIFFEID = peers[0].URIs[0]
	}
	return info
}

// Read is net.Conn's.
func (s *Secured) Read(p []byte) (int, error) {
	if len(s.unread) == 0 {
		return s.Conn.Read(p)
	}
	n := copy(p, s.unread)
	s.unread = s.unread[n:]
	return n, nil
}

// first waits for the first byte, which is still to be read afterwards; 0 when none comes.
func (s *Secured) first() byte {
	if len(s.unread) == 0 {
		var b [1]byte
		n, _ := s.Conn.Read(b[:]) // what is wrong, whoever reads next meets too
		s.unread = b[:n]
	}
	return append(s.unread, 0)[0]
}

// SecuredBelow is the TLS connection that conn is, or that it wraps and returns from its method Socket() net.Conn; nil when there is none.
func SecuredBelow(conn net.Conn) *Secured {
	for {
		switch c := conn.(type) {
		case *Secured:
			return c
		case interface{ Socket() net.Conn }:
			conn = c.Socket()
		default:
			return nil
		}
	}
}
