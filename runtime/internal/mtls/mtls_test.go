package mtls_test

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/plugingen/plugingen/runtime/internal/mtls"
)

func identity(t testing.TB) mtls.Identity {
	t.Helper()
	id, err := mtls.New()
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// meet runs a TLS handshake and one byte each way between the two configurations, and returns what each side saw.
func meet(t *testing.T, server, client *tls.Config) (serverErr, clientErr error) {
	t.Helper()
	a, b := connected(t)
	deadline := time.Now().Add(time.Minute)
	_, _ = a.SetDeadline(deadline), b.SetDeadline(deadline)
	done := make(chan error, 1)
	go func() {
		err := exchange(tls.Server(a, server))
		a.Close()
		done <- err
	}()
	clientErr = exchange(tls.Client(b, client))
	b.Close()
	return <-done, clientErr
}

// connected returns both ends of a real connection: a pipe without buffer would block on the alerts of a refusal.
func connected(t *testing.T) (a, b net.Conn) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	if b, err = net.Dial("tcp", listener.Addr().String()); err != nil {
		t.Fatal(err)
	}
	if a, err = listener.Accept(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = a.Close(), b.Close() })
	return a, b
}

// exchange shakes hands, then writes and reads at the same time: a refusal of TLS 1.3's server comes after the handshake.
func exchange(conn *tls.Conn) error {
	if err := conn.Handshake(); err != nil {
		return err
	}
	wrote := make(chan error, 1)
	go func() {
		_, err := conn.Write([]byte{1})
		wrote <- err
	}()
	_, err := io.ReadFull(conn, make([]byte, 1))
	return errors.Join(err, <-wrote)
}

func TestPeersThatKnowEachOther(t *testing.T) {
	host, plugin := identity(t), identity(t)
	serverErr, clientErr := meet(t, plugin.Server(host.DER()), host.Client(plugin.DER()))
	if serverErr != nil || clientErr != nil {
		t.Errorf("server: %v, client: %v", serverErr, clientErr)
	}
}

func TestStrangersAreRefused(t *testing.T) {
	host, plugin, stranger := identity(t), identity(t), identity(t)
	t.Run("client", func(t *testing.T) {
		serverErr, clientErr := meet(t, plugin.Server(host.DER()), stranger.Client(plugin.DER()))
		if !errors.Is(serverErr, mtls.ErrPeer) || clientErr == nil {
			t.Errorf("server: %v, client: %v, want both to fail", serverErr, clientErr)
		}
	})
	t.Run("server", func(t *testing.T) {
		_, clientErr := meet(t, stranger.Server(host.DER()), host.Client(plugin.DER()))
		if !errors.Is(clientErr, mtls.ErrPeer) {
			t.Errorf("client: %v, want ErrPeer", clientErr)
		}
	})
	t.Run("client without a certificate", func(t *testing.T) {
		cfg := host.Client(plugin.DER())
		cfg.Certificates = nil
		serverErr, _ := meet(t, plugin.Server(host.DER()), cfg)
		if serverErr == nil {
			t.Error("the server took a client that showed no certificate")
		}
	})
}

// goPlugin is what go-plugin's peers do with a certificate: a root, verified for the name and both usages.
func TestCertificateVerifiesAsGoPluginDoes(t *testing.T) {
	cert, err := x509.ParseCertificate(identity(t).DER())
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(cert)
	for _, usage := range []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth} {
		for _, name := range []string{mtls.ServerName, "127.0.0.1", "::1"} {
			opts := x509.VerifyOptions{Roots: roots, DNSName: name, KeyUsages: []x509.ExtKeyUsage{usage}}
			if _, err := cert.Verify(opts); err != nil {
				t.Errorf("usage %v, name %s: %v", usage, name, err)
			}
			opts.CurrentTime = time.Now().Add(-23 * time.Hour) // a clock that is a day behind
			if _, err := cert.Verify(opts); err != nil {
				t.Errorf("usage %v, name %s, a day ago: %v", usage, name, err)
			}
		}
	}
}

func TestParsePEM(t *testing.T) {
	id := identity(t)
	for _, text := range []string{id.PEM(), strings.TrimSpace(id.PEM()), strings.ReplaceAll(id.PEM(), "\n", "\r\n") + " \r\n"} {
		got, err := mtls.ParsePEM(text)
		if err != nil || string(got) != string(id.DER()) {
			t.Errorf("%q does not parse back: %v", text, err)
		}
	}
	for name, text := range map[string]string{
		"empty":         "",
		"text":          "certificate",
		"two":           id.PEM() + id.PEM(),
		"a key":         strings.ReplaceAll(id.PEM(), "CERTIFICATE", "PRIVATE KEY"),
		"no x509":       string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: []byte("no")})),
		"trailing text": id.PEM() + "and more",
	} {
		t.Run(name, func(t *testing.T) {
			if der, err := mtls.ParsePEM(text); err == nil {
				t.Errorf("parsed to %d bytes", len(der))
			}
		})
	}
}

func BenchmarkNew(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := mtls.New(); err != nil {
			b.Fatal(err)
		}
	}
}
