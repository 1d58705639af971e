// Package mtls makes the one-time certificates by which a host and its plugin know each other.
//
// Each side makes a key and a self-signed certificate when it starts, and tells the other side over a channel that nobody
// else can write to: the host in the plugin's environment, the plugin in its handshake line. Keys never leave memory.
// Peers are checked by comparing the certificate byte by byte, never by a chain or a clock.
package mtls

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/subtle"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"time"
)

// ServerName is the name in every certificate; go-plugin's peers verify it.
const ServerName = "localhost"

// ErrPeer says that the other end of a connection showed another certificate than the one announced.
var ErrPeer = errors.New("the peer's certificate is not the one that was announced")

// Go-plugin's peers load the certificate as a root and verify the chain, so it must be a CA that is valid now on a clock
// that may be wrong, and live as long as a plugin can.
const (
	clockSkew = 24 * time.Hour
	lifetime  = 30 * 365 * 24 * time.Hour
)

// Identity is a certificate with its private key.
type Identity struct {
	certificate tls.Certificate
}

// New makes an Identity on P-256: much cheaper than go-plugin's P-521, and its peers take it (golden/interop shows it).
func New() (Identity, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return Identity{}, fmt.Errorf("make a key: %w", err)
	}
	var serial [serialSize]byte
	_, _ = rand.Read(serial[:]) // never fails
	now := time.Now()
	der, err := certificate(key, serial, now.Add(-clockSkew), now.Add(lifetime))
	if err != nil {
		return Identity{}, fmt.Errorf("make a certificate: %w", err)
	}
	return Identity{tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}}, nil
}

// DER is the certificate, for the handshake line.
func (id Identity) DER() []byte { return id.certificate.Certificate[0] }

// PEM is the certificate, for the environment.
func (id Identity) PEM() string {
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: id.DER()}))
}

// Server is the configuration of a listener that takes only the client whose certificate is peer, in DER.
func (id Identity) Server(peer []byte) *tls.Config {
	cfg := id.config(peer)
	cfg.ClientAuth = tls.RequireAnyClientCert // VerifyConnection is stricter than any chain
	return cfg
}

// Client is the configuration of a dialler that takes only the server whose certificate is peer, in DER.
func (id Identity) Client(peer []byte) *tls.Config {
	cfg := id.config(peer)
	cfg.ServerName = ServerName
	cfg.InsecureSkipVerify = true // the default check is replaced by VerifyConnection, which compares all of the certificate
	return cfg
}

func (id Identity) config(peer []byte) *tls.Config {
	return &tls.Config{
		Certificates:           []tls.Certificate{id.certificate},
		MinVersion:             tls.VersionTLS12, // go-plugin's peers may be old; 1.3 is what gets negotiated
		CurvePreferences:       []tls.CurveID{tls.X25519, tls.CurveP256, tls.CurveP384, tls.CurveP521},
		SessionTicketsDisabled: true,
		VerifyConnection:       func(state tls.ConnectionState) error { return Check(state, peer) },
	}
}

// Check returns ErrPeer unless the certificate that the peer showed is peer, in DER.
func Check(state tls.ConnectionState, peer []byte) error {
	if len(state.PeerCertificates) == 0 || subtle.ConstantTimeCompare(state.PeerCertificates[0].Raw, peer) != 1 {
		return ErrPeer
	}
	return nil
}

// ParsePEM returns the certificate in text as DER. Text must hold one certificate and nothing else but white space.
func ParsePEM(text string) ([]byte, error) {
	block, rest := pem.Decode([]byte(text))
	if block == nil || block.Type != "CERTIFICATE" || len(bytes.TrimSpace(rest)) > 0 {
		return nil, errors.New("not one PEM certificate")
	}
	if _, err := x509.ParseCertificate(block.Bytes); err != nil {
		return nil, fmt.Errorf("parse certificate: %w", err)
	}
	return block.Bytes, nil
}
