package interop

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
	"testing"

	"github.com/plugingen/plugingen/golden/interop/peers/goplugin/goplug"
	"github.com/plugingen/plugingen/golden/interop/peers/goplugin/work"
	"github.com/plugingen/plugingen/runtime/handshake"
	"github.com/plugingen/plugingen/runtime/host"
)

// servePadded is go-plugin's plugin with the certificate in its line padded, as plugins in other languages do.
func servePadded() {
	r, w, err := os.Pipe()
	if err != nil {
		os.Exit(9)
	}
	stdout := os.Stdout
	os.Stdout = w
	go pad(stdout, r)
	goplug.Serve()
}

func pad(w io.Writer, r io.Reader) {
	line, err := bufio.NewReader(r).ReadString('\n')
	if err != nil {
		return
	}
	fields := strings.Split(strings.TrimSpace(line), "|")
	for len(fields[5])%4 > 0 {
		fields[5] += "="
	}
	fmt.Fprintln(w, strings.Join(fields, "|"))
}

// serveUninvited is go-plugin's plugin when a certificate for somebody else is in its environment.
func serveUninvited() {
	_ = os.Setenv(handshake.EnvClientCert, strangersCertificate)
	goplug.Serve()
}

// strangersCertificate is one whose key nobody has.
const strangersCertificate = `-----BEGIN CERTIFICATE-----
MIIBkDCCATagAwIBAgIBATAKBggqhkjOPQQDAjAUMRIwEAYDVQQDEwlsb2NhbGhv
c3QwIBcNMjAwMTAxMDAwMDAwWhgPMjEyMDAxMDEwMDAwMDBaMBQxEjAQBgNVBAMT
CWxvY2FsaG9zdDBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABDBQaNsK4QKZTbZ0
wJW95UDHgsruxnuw1NjbcYLTNqpWZTa/X7d7fWouJPzFEGhg6OcGXjq4cdElPBbY
NcyZj4WjdzB1MA4GA1UdDwEB/wQEAwIChDAdBgNVHSUEFjAUBggrBgEFBQcDAgYI
KwYBBQUHAwEwDwYDVR0TAQH/BAUwAwEB/zAdBgNVHQ4EFgQU50gF8+p9qIwmcVnO
kNzhd3hqI6QwFAYDVR0RBA0wC4IJbG9jYWxob3N0MAoGCCqGSM49BAMCA0gAMEUC
IQCcAdU6zZs4nL9dtHfvKK/Lnq4tYcBsb7wL2wOa+rTCpAIgNzrsGhtXrWiJ70Rv
5vCkWwD7/zwpBESsYSYQ2iZrBrE=
-----END CERTIFICATE-----
`

func TestPaddedCertificate(t *testing.T) {
	tmp := tempDir(t)
	cfg := hostConfig(t, "padded", tmp)
	cfg.TLS = host.TLSMutual
	use(t, cfg, "unix with TLS")
	checkEmpty(t, tmp)
}

// A go-plugin host panics at a certificate that it did not ask for; ours says what it is.
func TestUninvitedCertificate(t *testing.T) {
	for _, tt := range []struct {
		mode  host.TLSMode
		stage host.Stage
	}{
		{host.TLSAuto, host.StageNegotiate},
		{host.TLSOff, host.StageNegotiate},
		{host.TLSMutual, host.StageVerify}, // it is one, but the plugin waits for somebody else
	} {
		t.Run(tt.mode.String(), func(t *testing.T) {
			tmp := tempDir(t)
			cfg := hostConfig(t, "uninvited", tmp)
			cfg.TLS = tt.mode
			_, err := host.Open(t.Context(), cfg)
			e, ok := errors.AsType[*host.Error](err)
			if !ok || e.Stage != tt.stage || !errors.Is(err, host.ErrTLS) {
				t.Errorf("open: %v, want ErrTLS at %s", err, tt.stage)
			}
			checkEmpty(t, tmp)
		})
	}
}

// A host that is a plugin itself may have a certificate in its environment, which is not for its own plugins: tflint panics there.
func TestCertificateIsNotPassedOn(t *testing.T) {
	tmp := tempDir(t)
	t.Setenv(handshake.EnvClientCert, strangersCertificate)
	for _, mode := range []string{"ours", "go-plugin"} {
		cfg := hostConfig(t, mode, tmp)
		cfg.InheritEnv = []string{"*"}
		use(t, cfg, "unix")
	}
	checkEmpty(t, tmp)
}

// hostConfig is a host of ours for this binary as the plugin that mode names.
func hostConfig(t *testing.T, mode, tmp string) host.Config {
	t.Helper()
	log := work.NewOutput()
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("log of the host:\n%s", log)
		}
	})
	return host.Config{
		Handshake: ourHandshake(work.Version),
		Path:      self(t),
		Env:       pluginEnv(tmp, mode),
		SocketDir: tmp,
		Logger:    slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	}
}

// use starts a plugin, calls it, by which it wants to be connected as want says, and stops it.
func use(t *testing.T, cfg host.Config, want string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), work.Patience)
	defer cancel()
	p, err := host.Open(ctx, cfg)
	if err != nil {
		t.Fatalf("open: %v", err)
	}
	defer func() { _ = p.Close() }()
	var r work.Report
	if err := (&work.Session{Conn: p.Conn()}).Do(ctx, work.Negotiate, &r); err != nil {
		t.Error(err)
	}
	if got := title(work.Request{TCP: r.Network == "tcp", TLS: r.TLS, Job: work.Everything}); got != want {
		t.Errorf("connected by %s, want %s", got, want)
	}
	if err := p.Close(); err != nil {
		t.Errorf("close: %v", err)
	}
}
