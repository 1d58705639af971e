//go:build unix

package host_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"math/big"
	"net"
	"os"
	"syscall"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"

	"github.com/plugingen/plugingen/runtime/handshake"
	"github.com/plugingen/plugingen/runtime/internal/lane"
)

// tlsPeer is a plugin of another make that serves mutual TLS, and what is unusual or wrong with it.
type tlsPeer struct {
	network   string
	key       func() (crypto.Signer, error) // nil: P-256
	shift     time.Duration                 // of the clock by which it makes its certificate
	names     []string
	padded    bool
	otherLine bool // it announces a certificate that it does not show
	otherHost bool // it takes another client than the one it was told of
	agrees    bool // to speak the lane, which it does not
}

func tlsFaults() map[string]func() int {
	return map[string]func() int{
		"tls":           tlsPeer{}.main,
		"tls-tcp":       tlsPeer{network: "tcp"}.main,
		"tls-padded":    tlsPeer{padded: true}.main,
		"tls-p521":      tlsPeer{key: func() (crypto.Signer, error) { return ecdsa.GenerateKey(elliptic.P521(), rand.Reader) }}.main,
		"tls-ed25519":   tlsPeer{key: func() (crypto.Signer, error) { _, key, err := ed25519.GenerateKey(rand.Reader); return key, err }}.main,
		"tls-rsa":       tlsPeer{key: func() (crypto.Signer, error) { return rsa.GenerateKey(rand.Reader, 2048) }}.main,
		"tls-ahead":     tlsPeer{shift: 48 * time.Hour}.main,
		"tls-behind":    tlsPeer{shift: -48 * time.Hour}.main,
		"tls-names":     tlsPeer{names: []string{"elsewhere.example"}}.main,
		"tls-other":     tlsPeer{otherLine: true}.main,
		"tls-other-tcp": tlsPeer{otherLine: true, network: "tcp"}.main,
		"tls-refuses":   tlsPeer{otherHost: true}.main,
		"tls-agrees":    tlsPeer{agrees: true}.main,
		"tls-not":       func() int { return faulty{shutdown: stopSoon, announced: certificate()}.main() },
		"tls-mute":      func() int { return acceptTLS(func(net.Conn) {}) },
		"tls-hangup":    func() int { return acceptTLS(func(c net.Conn) { _ = c.Close() }) },
		"tls-crash":     func() int { return acceptTLS(func(net.Conn) { os.Exit(6) }) },
		"other-user":    otherUser,
	}
}

func stopSoon(stop func()) error { time.AfterFunc(10*time.Millisecond, stop); return nil }

func (p tlsPeer) main() int {
	shown, err := p.certificate()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 9
	}
	announced := base64.RawStdEncoding.EncodeToString(shown.Certificate[0])
	switch {
	case p.otherLine:
		announced = certificate()
	case p.padded:
		announced = base64.StdEncoding.EncodeToString(shown.Certificate[0])
	}
	cfg := &tls.Config{
		Certificates: []tls.Certificate{shown},
		ClientAuth:   tls.RequireAndVerifyClientCert,
		ClientCAs:    p.clients(shown),
		MinVersion:   tls.VersionTLS12,
	}
	if p.agrees {
		cfg.NextProtos = []string{lane.ALPN}
	}
	creds := credentials.NewTLS(cfg)
	return faulty{network: p.network, shutdown: stopSoon, announced: announced, options: []grpc.ServerOption{grpc.Creds(creds)}}.main()
}

// clients verifies the host as go-plugin does, with its certificate as a root.
func (p tlsPeer) clients(shown tls.Certificate) *x509.CertPool {
	pool := x509.NewCertPool()
	if p.otherHost {
		pool.AddCert(shown.Leaf)
	} else if !pool.AppendCertsFromPEM([]byte(os.Getenv(handshake.EnvClientCert))) {
		fmt.Fprintln(os.Stderr, "no client certificate")
	}
	return pool
}

func (p tlsPeer) certificate() (tls.Certificate, error) {
	if p.key == nil {
		p.key = func() (crypto.Signer, error) { return ecdsa.GenerateKey(elliptic.P256(), rand.Reader) }
	}
	if p.names == nil {
		p.names = []string{"localhost"}
	}
	key, err := p.key()
	if err != nil {
		return tls.Certificate{}, err
	}
	now := time.Now().Add(p.shift)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), DNSNames: p.names, NotBefore: now, NotAfter: now.Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return tls.Certificate{}, err
	}
	leaf, err := x509.ParseCertificate(der)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}, err
}

// acceptTLS announces a certificate and leaves the rest to serve.
func acceptTLS(serve func(net.Conn)) int {
	l, err := net.Listen("unix", socketPath())
	if err != nil {
		return 9
	}
	fmt.Println("1|1|unix|" + l.Addr().String() + "|grpc|" + certificate())
	for {
		c, err := l.Accept()
		if err != nil {
			return 9
		}
		fmt.Fprintln(os.Stderr, "accepted")
		serve(c)
	}
}

// otherUser stands for a socket that another user has put where the plugin says that it listens.
func otherUser() int {
	const nobody = 65534
	if err := os.Chown(os.Getenv(handshake.EnvUnixSocketDir), nobody, nobody); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 9
	}
	if err := syscall.Setuid(nobody); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 9
	}
	return faulty{shutdown: stopSoon}.main()
}
