package interop

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"

	grpctest "github.com/hashicorp/go-plugin/test/grpc"

	"github.com/plugingen/plugingen/runtime/handshake"
	"github.com/plugingen/plugingen/runtime/host"
)

// servePadded is go-plugin's plugin with the certificate in its line padded, as plugins in other languages do.
func servePadded() int {
	r, w, err := os.Pipe()
	if err != nil {
		return 9
	}
	real := os.Stdout
	os.Stdout = w
	go pad(real, r)
	return serveGoPlugin()
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
func serveUninvited() int {
	_ = os.Setenv(handshake.EnvClientCert, strangersCertificate)
	return serveGoPlugin()
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
	shortTemp(t)
	p := openOurs(t, "padded", way{handshake.Unix, true}, io.Discard, io.Discard, newOutput())
	exercise(t, grpctest.NewTestClient(p.Conn()))
	if err := p.Close(); err != nil {
		t.Errorf("close: %v", err)
	}
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
			tmp := shortTemp(t)
			cfg := hostConfig(t, "uninvited", newOutput())
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
	tmp := shortTemp(t)
	t.Setenv(handshake.EnvClientCert, strangersCertificate)
	for _, mode := range []string{"ours", "go-plugin"} {
		cfg := hostConfig(t, mode, newOutput())
		cfg.InheritEnv = []string{"*"}
		p, err := host.Open(t.Context(), cfg)
		if err != nil {
			t.Fatalf("open the %s plugin: %v", mode, err)
		}
		connectedBy(t, grpctest.NewTestClient(p.Conn()), way{handshake.Unix, false})
		if err := p.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	}
	checkEmpty(t, tmp)
}
