package plugin_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"strings"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"

	"github.com/plugingen/plugingen/runtime/handshake"
	"github.com/plugingen/plugingen/runtime/internal/mtls"
	"github.com/plugingen/plugingen/runtime/plugin"
	"github.com/plugingen/plugingen/runtime/transport"
)

func identity(t *testing.T) mtls.Identity {
	t.Helper()
	id, err := mtls.New()
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// openTLS starts a plugin as a host that shows id does.
func openTLS(t *testing.T, mode string, id mtls.Identity, env ...string) *child {
	t.Helper()
	c := start(t, mode, append(append(hostEnv(), env...), handshake.EnvClientCert+"="+id.PEM())...)
	c.handshake()
	if c.resp.Certificate == nil {
		t.Fatal("the handshake line has no certificate")
	}
	return c
}

// dialTLS connects with cfg; nil means without TLS.
func (c *child) dialTLS(cfg *tls.Config) *grpc.ClientConn {
	c.t.Helper()
	creds := insecure.NewCredentials()
	if cfg != nil {
		creds = credentials.NewTLS(cfg)
	}
	cc, err := grpc.NewClient("passthrough:///localhost", grpc.WithTransportCredentials(creds),
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) {
			return transport.Dial(ctx, c.resp.Network, c.resp.Address)
		}))
	if err != nil {
		c.t.Fatal(err)
	}
	c.t.Cleanup(func() { _ = cc.Close() })
	return cc
}

func TestMutualTLS(t *testing.T) {
	for _, network := range []string{"unix", "tcp"} {
		t.Run(network, func(t *testing.T) {
			host := identity(t)
			c := openTLS(t, "leaks", host, "PLUGIN_TRANSPORTS="+network)
			if c.resp.Network != network {
				t.Errorf("network %s, want %s", c.resp.Network, network)
			}
			cc := c.dialTLS(host.Client(c.resp.Certificate))
			if got := do(t, cc, "hello"); got != "hello" {
				t.Errorf("got %q", got)
			}
			if env := do(t, cc, "environ"); strings.Contains(env, handshake.EnvClientCert) {
				t.Error("a child would inherit the host's certificate")
			}
			stop(t, c, cc)
		})
	}
}

func TestEachStartHasACertificateOfItsOwn(t *testing.T) {
	host := identity(t)
	a, b := openTLS(t, "plain", host), openTLS(t, "plain", host)
	if string(a.resp.Certificate) == string(b.resp.Certificate) {
		t.Error("two starts have the same certificate")
	}
}

// What a plugin shows is not a secret, so a stranger may know it.
func TestStrangersAreRefused(t *testing.T) {
	host, stranger := identity(t), identity(t)
	for _, network := range []string{"unix", "tcp"} {
		t.Run(network, func(t *testing.T) {
			c := openTLS(t, "plain", host, "PLUGIN_TRANSPORTS="+network)
			nobody := host.Client(c.resp.Certificate)
			nobody.Certificates = nil
			posing := stranger.Client(c.resp.Certificate) // shows the host's certificate without its key
			posing.Certificates = []tls.Certificate{{Certificate: [][]byte{host.DER()}, PrivateKey: posing.Certificates[0].PrivateKey}}
			for name, cfg := range map[string]*tls.Config{
				"another certificate": stranger.Client(c.resp.Certificate), "no certificate": nobody, "the host's certificate": posing, "no TLS": nil,
			} {
				if got, err := try(guarded(t), c.dialTLS(cfg), "hello"); status.Code(err) != codes.Unavailable {
					t.Errorf("%s: got %q, %v, want Unavailable", name, got, err)
				}
			}
			cc := c.dialTLS(host.Client(c.resp.Certificate))
			if got := do(t, cc, "hello"); got != "hello" {
				t.Errorf("then the host gets %q", got)
			}
			stop(t, c, cc)
			if n := strings.Count(c.stderr.String(), "refused by TLS"); n != 1 {
				t.Errorf("%d refusals are logged, want 1:\n%s", n, c.stderr)
			}
		})
	}
}

// A start that cannot be as safe as the host wants it fails.
func TestBadClientCertificates(t *testing.T) {
	good := identity(t).PEM()
	for name, value := range map[string]string{
		"text": "yes", "cut": good[:len(good)/2], "two": good + good, "a key": strings.ReplaceAll(good, "CERTIFICATE", "PRIVATE KEY"), "white space": " ",
		"no certificate in it": "-----BEGIN CERTIFICATE-----\nQUJD\n-----END CERTIFICATE-----\n",
	} {
		t.Run(name, func(t *testing.T) {
			c := start(t, "plain", append(hostEnv(), handshake.EnvClientCert+"="+value)...)
			if code := c.wait(); code != 1 {
				t.Errorf("exit code %d, want 1", code)
			}
			got := c.stderr.String()
			if strings.Count(got, "\n") != 1 || !strings.Contains(got, "set up mutual TLS: "+handshake.EnvClientCert) {
				t.Errorf("standard error is not one line that says what is wrong:\n%s", got)
			}
			if rest := c.rest(); rest != "" {
				t.Errorf("standard output has %q", rest)
			}
		})
	}
}

func TestEmptyClientCertificateAsksForNothing(t *testing.T) {
	c, cc := open(t, "plain", handshake.EnvClientCert+"=")
	if c.resp.Certificate != nil {
		t.Error("the handshake line has a certificate")
	}
	stop(t, c, cc)
}

// Connections that do not get as far as a request do not hold up the stop, whatever they have said.
func TestStopWithIdleTLSConnections(t *testing.T) {
	host := identity(t)
	c := openTLS(t, "patient", host)
	for range 3 {
		c.dialRaw()
		hello := c.dialRaw()
		if _, err := hello.Write(clientHello(t)); err != nil {
			t.Fatal(err)
		}
		silent := tls.Client(c.dialRaw(), withH2(host.Client(c.resp.Certificate)))
		if err := silent.HandshakeContext(guarded(t)); err != nil {
			t.Fatal(err)
		}
	}
	cc := c.dialTLS(host.Client(c.resp.Certificate))
	do(t, cc, "hello")
	stop(t, c, cc)
}

func (c *child) dialRaw() net.Conn {
	c.t.Helper()
	conn, err := transport.Dial(guarded(c.t), c.resp.Network, c.resp.Address)
	if err != nil {
		c.t.Fatal(err)
	}
	c.t.Cleanup(func() { _ = conn.Close() })
	return conn
}

func withH2(cfg *tls.Config) *tls.Config {
	cfg.NextProtos = []string{"h2"}
	return cfg
}

// clientHello is the first message of a TLS client.
func clientHello(t *testing.T) []byte {
	t.Helper()
	a, b := net.Pipe()
	defer a.Close()
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = tls.Client(b, &tls.Config{ServerName: "localhost", MinVersion: tls.VersionTLS13}).Handshake()
	}()
	hello := make([]byte, 4<<10)
	n, err := a.Read(hello)
	if err != nil {
		t.Fatal(err)
	}
	_ = b.Close()
	<-done
	return hello[:n]
}

// A contract's own certificate wins over what the host asks for, and is not announced.
func TestOwnCertificates(t *testing.T) {
	for name, env := range map[string][]string{"host asks for nothing": nil, "host sends a certificate": {handshake.EnvClientCert + "=" + identity(t).PEM()}} {
		t.Run(name, func(t *testing.T) {
			c := start(t, "own certificate", append(hostEnv(), env...)...)
			c.handshake()
			if c.resp.Certificate != nil {
				t.Error("the certificate is announced")
			}
			c.stderr.await(t, "-----END CERTIFICATE-----")
			roots := x509.NewCertPool()
			if !roots.AppendCertsFromPEM([]byte(c.stderr.String())) {
				t.Fatalf("no certificate in %s", c.stderr)
			}
			if _, err := try(guarded(t), c.dialTLS(nil), "hello"); status.Code(err) != codes.Unavailable {
				t.Errorf("without TLS: %v, want Unavailable", err)
			}
			cc := c.dialTLS(&tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS13})
			do(t, cc, "hello")
			stop(t, c, cc)
		})
	}
}

func TestTLSConfigWithoutCertificate(t *testing.T) {
	t.Setenv(cookieKey, cookieValue)
	cfg := config()
	cfg.TLSConfig = &tls.Config{MinVersion: tls.VersionTLS13}
	err := plugin.Serve(t.Context(), cfg)
	wanted, ok := errors.AsType[*plugin.Error](err)
	if !ok || wanted.Op != "check config" || !strings.Contains(err.Error(), "TLSConfig has no certificate") {
		t.Errorf("got %v", err)
	}
}
