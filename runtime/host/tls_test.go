//go:build unix

package host_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/peer"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/plugingen/plugingen/runtime/handshake"
	"github.com/plugingen/plugingen/runtime/host"
	"github.com/plugingen/plugingen/runtime/internal/mtls"
)

func tlsMutual(c *host.Config) { c.TLS = host.TLSMutual }
func tlsOff(c *host.Config)    { c.TLS = host.TLSOff }
func onTCP(c *host.Config)     { c.Handshake.Transports = []string{handshake.TCP} }
func all(changes ...func(*host.Config)) func(*host.Config) {
	return func(c *host.Config) {
		for _, change := range changes {
			change(c)
		}
	}
}

// What protects a connection is what grpc says of it, on both sides of which the product's own runtime is.
func TestProtection(t *testing.T) {
	tests := map[string]struct {
		change  func(*host.Config)
		network string
		tls     bool
	}{
		"auto":               {all(), "unix", false},
		"auto, tcp":          {onTCP, "tcp", true},
		"auto, socket group": {func(c *host.Config) { c.SocketGroup = "0" }, "unix", true},
		"auto, remote":       {func(c *host.Config) { c.AllowRemote = true }, "unix", true},
		"mutual":             {tlsMutual, "unix", true},
		"mutual, tcp":        {all(tlsMutual, onTCP), "tcp", true},
		"off":                {tlsOff, "unix", false},
		"off, tcp":           {all(tlsOff, onTCP), "tcp", false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if strings.Contains(name, "group") && os.Getuid() != 0 {
				t.Skip("needs to be in group 0")
			}
			t.Setenv(handshake.EnvClientCert, "leaked") // from a host of which this one is a plugin
			s := newStage(t)
			cfg := s.config("good")
			tt.change(&cfg)
			p := s.open(cfg)
			var at peer.Peer
			if err := p.Conn().Invoke(t.Context(), "/test.Deeds/Do", wrapperspb.String("hello"), &wrapperspb.StringValue{}, grpc.Peer(&at)); err != nil {
				t.Fatal(err)
			}
			info, isTLS := at.AuthInfo.(credentials.TLSInfo)
			if isTLS != tt.tls || at.Addr.Network() != tt.network {
				t.Errorf("TLS %v on %s, want %v on %s", isTLS, at.Addr.Network(), tt.tls, tt.network)
			}
			if isTLS && (info.State.Version != tls.VersionTLS13 || info.SecurityLevel != credentials.PrivacyAndIntegrity) {
				t.Errorf("version %x, level %v", info.State.Version, info.SecurityLevel)
			}
			if err := p.Close(); err != nil {
				t.Errorf("close: %v", err)
			}
		})
	}
}

// Plugins of other makes, with keys and clocks of their own: what was announced is what counts.
func TestPeers(t *testing.T) {
	for _, fault := range []string{"tls", "tls-tcp", "tls-padded", "tls-p521", "tls-ed25519", "tls-rsa", "tls-ahead", "tls-behind", "tls-names"} {
		t.Run(fault, func(t *testing.T) {
			s := newStage(t)
			cfg := s.config(fault)
			cfg.TLS = host.TLSMutual
			p := s.open(cfg)
			if got := mustDo(t, p, "hello"); got != "hello" {
				t.Errorf("got %q", got)
			}
			if err := p.Close(); err != nil {
				t.Errorf("close: %v", err)
			}
		})
	}
}

func tlsFaultTable() []startFault {
	const none = -1
	return []startFault{
		{row: "26", fault: "plain", change: tlsMutual, stage: host.StageNegotiate, is: host.ErrTLS, code: none, text: "no certificate", hint: "TLSOff"},
		{row: "26", fault: "tcp", change: onTCP, stage: host.StageNegotiate, is: host.ErrTLS, code: none, text: "no certificate"},
		{row: "26", fault: "tls-other", change: tlsMutual, stage: host.StageConnect, is: mtls.ErrPeer, code: none, text: "not the one that was announced", hint: "something else answers"},
		{row: "26", fault: "tls-other-tcp", change: tlsMutual, stage: host.StageConnect, is: host.ErrTLS, code: none, text: "not the one that was announced", hint: "something else answers"},
		{row: "26", fault: "tls-refuses", change: tlsMutual, stage: host.StageVerify, is: host.ErrTLS, code: none, text: "refuses what this host shows", hint: "client certificate"},
		{row: "26", fault: "tls-not", change: tlsMutual, stage: host.StageConnect, is: host.ErrTLS, code: none, text: "does not look like a TLS handshake"},
		{row: "25", fault: "uninvited-cert", change: tlsOff, stage: host.StageNegotiate, is: host.ErrTLS, code: none, text: "certificate that nobody asked for", hint: "TLSMutual"},
		{row: "25", fault: "tls-tcp", change: tlsOff, stage: host.StageNegotiate, is: host.ErrTLS, code: none, text: "certificate that nobody asked for"},
		{row: "tcp", fault: "tcp", stage: host.StageNegotiate, is: host.ErrTLS, code: none, text: "listens on tcp", hint: "TLSMutual"},
		{row: "11", fault: "tls-mute", change: tlsMutual, within: 500 * time.Millisecond, stage: host.StageConnect, is: context.DeadlineExceeded, code: none, text: "TLS handshake", hint: "does not answer"},
		{row: "11", fault: "tls-mute", change: tlsMutual, cancelOn: "accepted", stage: host.StageConnect, is: context.Canceled, code: none},
		{row: "11", fault: "tls-hangup", change: tlsMutual, stage: host.StageConnect, is: host.ErrTLS, code: none, text: "TLS handshake"},
		{row: "10", fault: "tls-crash", change: tlsMutual, stage: host.StageConnect, is: host.ErrExited, code: 6, text: "exit code 6"},
	}
}

func TestTLSFaults(t *testing.T) {
	for _, f := range tlsFaultTable() {
		t.Run("row "+f.row+" "+f.fault, func(t *testing.T) { f.run(t) })
	}
}

// A socket that another user made is not the plugin's, wherever the line says that it is.
func TestOtherUser(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("only root can start a process of another user")
	}
	s := newStage(t)
	_ = os.Chmod(s.dir, 0o711)
	cfg := s.config("other-user")
	cfg.Lane = host.LaneOff // an inherited socket is the program's, whoever that runs as
	e := s.openFails(t.Context(), cfg)
	t.Logf("%v\nhint: %s", e, e.Hint)
	if e.Stage != host.StageConnect || !errors.Is(e, host.ErrOwner) || e.Hint == "" {
		t.Errorf("stage %s, hint %q, %v, want ErrOwner at connect", e.Stage, e.Hint, e)
	}
	cfg.TLS = host.TLSOff
	if got := mustDo(t, s.open(cfg), "hello"); got != "hello" {
		t.Errorf("with TLSOff: %q", got)
	}
}

// Under TLS, too, a call that ends with the plugin says why, and a plugin that stands still does not hold up Close.
func TestDeathUnderTLS(t *testing.T) {
	t.Run("crash", func(t *testing.T) {
		s := newStage(t)
		cfg := s.config("good")
		cfg.TLS = host.TLSMutual
		p := s.open(cfg)
		_, err := do(t.Context(), p.Conn(), "exit-5")
		wantGone(t, err, 5, "")
	})
	t.Run("stopped", func(t *testing.T) {
		s := newStage(t)
		cfg := s.config("good")
		cfg.TLS, cfg.StopTimeout = host.TLSMutual, 200*time.Millisecond
		p := s.open(cfg)
		ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
		defer cancel()
		if _, err := do(ctx, p.Conn(), "stop"); err == nil {
			t.Error("a stopped plugin has answered")
		}
		signalPlugin(t, p, syscall.SIGSTOP) // in case that the call has not reached it in time
		if err := p.Close(); !errors.Is(err, host.ErrKilled) {
			t.Errorf("close: %v, want ErrKilled", err)
		}
	})
}

// ownCertificate writes a key and a certificate of a contract to a file.
func ownCertificate(t *testing.T) (file string, roots *x509.CertPool) {
	t.Helper()
	cert, err := tlsPeer{}.certificate()
	if err != nil {
		t.Fatal(err)
	}
	key, err := x509.MarshalPKCS8PrivateKey(cert.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	text := append(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert.Certificate[0]}), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key})...)
	file = filepath.Join(t.TempDir(), "own.pem")
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	roots = x509.NewCertPool()
	roots.AddCert(cert.Leaf)
	return file, roots
}

func TestOwnTLS(t *testing.T) {
	file, roots := ownCertificate(t)
	_, others := ownCertificate(t)
	trusting := func(pool *x509.CertPool) func(*host.Config) {
		return func(c *host.Config) { c.TLSConfig = &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS13} }
	}
	own := func(c *host.Config) { c.Env = append(c.Env, "OWN_TLS="+file) }
	for _, network := range []string{"unix", "tcp"} {
		t.Run(network, func(t *testing.T) {
			s := newStage(t)
			cfg := s.config("own-tls")
			all(own, trusting(roots), func(c *host.Config) { c.Handshake.Transports = []string{network} })(&cfg)
			if got := mustDo(t, s.open(cfg), "hello"); got != "hello" {
				t.Errorf("got %q", got)
			}
		})
	}
	t.Run("a certificate that is announced is pinned as well", func(t *testing.T) {
		f := startFault{fault: "tls-other", change: func(c *host.Config) { c.TLSConfig = &tls.Config{InsecureSkipVerify: true} }, stage: host.StageConnect, is: mtls.ErrPeer, code: -1}
		f.run(t)
	})
	for name, f := range map[string]startFault{
		"strangers":       {fault: "own-tls", change: all(own, trusting(others)), stage: host.StageConnect, is: host.ErrTLS, code: -1, text: "unknown authority", hint: "compare"},
		"host without":    {fault: "own-tls", change: all(own, tlsOff), stage: host.StageVerify, code: -1, hint: "TLS"},
		"mutual asked":    {fault: "own-tls", change: all(own, tlsMutual), stage: host.StageNegotiate, is: host.ErrTLS, code: -1, hint: "TLSConfig"},
		"plugin without":  {fault: "plain", change: trusting(roots), stage: host.StageConnect, is: host.ErrTLS, code: -1, hint: "does not speak TLS"},
		"both configured": {fault: "plain", change: all(tlsMutual, trusting(roots)), stage: host.StageConfig, code: -1, text: "cannot both be"},
	} {
		t.Run(name, func(t *testing.T) { f.run(t) })
	}
}
