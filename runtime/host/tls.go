package host

import (
	"crypto/tls"
	"fmt"
	"runtime"
	"slices"

	"github.com/plugingen/plugingen/runtime/handshake"
	"github.com/plugingen/plugingen/runtime/internal/mtls"
)

// TLSMode says how a host and its plugin know that they talk to each other and to nobody else.
// SECURITY.md of package runtime says what that protects against whom, and what it costs.
type TLSMode int

const (
	// TLSAuto is the zero value. It takes no TLS where the system itself vouches for the peer: on a unix socket in the private folder
	// that the host makes, which only this user (and root) can enter, and whose owner is checked. Where others could come
	// between it is TLSMutual: on Windows, where Handshake.Transports has no unix, and with SocketGroup or AllowRemote. A plugin
	// that then listens on tcp although it could have used a unix socket is refused, with ErrTLS.
	TLSAuto TLSMode = iota
	// TLSMutual asks the plugin for mutual TLS, go-plugin's AutoMTLS: each side makes a key for this start alone and takes only
	// the certificate that the other one announced. A plugin that answers without one is refused, with ErrTLS.
	TLSMutual
	// TLSOff takes plugins without TLS, on tcp too, where every user of the machine may call them and pose as them.
	TLSOff
)

// String is the mode's name, such as "mutual".
func (m TLSMode) String() string {
	switch m {
	case TLSAuto:
		return "auto"
	case TLSMutual:
		return "mutual"
	case TLSOff:
		return "off"
	default:
		return fmt.Sprintf("TLSMode(%d)", int(m))
	}
}

// protection is what comes of a Config.
type protection int

const (
	unprotected protection = iota // by TLSOff
	private                       // by the system
	mutual                        // by certificates of one start
	own                           // by Config.TLSConfig
)

func (c Config) protection() protection {
	switch {
	case c.TLSConfig != nil:
		return own
	case c.TLS == TLSOff:
		return unprotected
	case c.TLS == TLSAuto && c.isPrivate():
		return private
	default:
		return mutual
	}
}

// isPrivate says whether sockets that the plugin makes as this host wants are out of everybody else's reach.
func (c Config) isPrivate() bool {
	return runtime.GOOS != "windows" && c.SocketGroup == "" && !c.AllowRemote && slices.Contains(c.Handshake.Networks(), handshake.Unix)
}

// makeIdentity begins to make what the host shows of itself. The result must be called once; it waits.
func (c Config) makeIdentity() func() (mtls.Identity, error) {
	if c.protection() != mutual {
		return func() (mtls.Identity, error) { return mtls.Identity{}, nil }
	}
	var id mtls.Identity
	var err error
	made := make(chan struct{})
	go func() {
		defer close(made)
		id, err = mtls.New()
	}()
	return func() (mtls.Identity, error) {
		<-made
		return id, err
	}
}

// tlsEnv asks the plugin for mutual TLS.
func (c *child) tlsEnv() []string {
	if c.cfg.protection() != mutual {
		return nil
	}
	return []string{handshake.EnvClientCert + "=" + c.identity.PEM()}
}

// checkTLS fails closed: what the plugin says of TLS must be what this host asked for.
func checkTLS(cfg Config, r handshake.Response) *Error {
	p, certified := cfg.protection(), r.Certificate != nil
	switch {
	case p == mutual && !certified:
		return failed(StageNegotiate, fmt.Errorf("%w: this host asks for mutual TLS and the plugin's line has no certificate", ErrTLS)).hint(hintNoTLS)
	case certified && (p == private || p == unprotected):
		return failed(StageNegotiate, fmt.Errorf("%w: it sent a certificate that nobody asked for", ErrTLS)).hint(hintCertificate)
	case p == private && r.Network != handshake.Unix:
		return failed(StageNegotiate, fmt.Errorf("%w: it listens on %s, which every user of the machine reaches, and this host asked for no TLS", ErrTLS, r.Network)).hint(hintExposed)
	default:
		return nil
	}
}

// clientTLS is how to meet the plugin of this line; nil without TLS.
func (c *child) clientTLS(r handshake.Response) *tls.Config {
	var cfg *tls.Config
	switch c.cfg.protection() {
	case mutual:
		cfg = c.identity.Client(r.Certificate)
	case own:
		cfg = ownTLS(c.cfg.TLSConfig.Clone(), r.Certificate)
	default:
		return nil
	}
	if !slices.Contains(cfg.NextProtos, "h2") {
		cfg.NextProtos = append([]string{"h2"}, cfg.NextProtos...)
	}
	return cfg
}

// ownTLS is cfg, which decides alone; only where the plugin announced a certificate must that be the one it shows.
func ownTLS(cfg *tls.Config, announced []byte) *tls.Config {
	if cfg.ServerName == "" {
		cfg.ServerName = mtls.ServerName
	}
	if announced == nil {
		return cfg
	}
	verify := cfg.VerifyConnection
	cfg.VerifyConnection = func(state tls.ConnectionState) error {
		if verify != nil {
			if err := verify(state); err != nil {
				return err
			}
		}
		return mtls.Check(state, announced)
	}
	return cfg
}
