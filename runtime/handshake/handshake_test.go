package handshake_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"errors"
	"math/big"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/plugingen/plugingen/runtime/handshake"
)

// newCertificate returns the DER of a certificate such as plugins make.
func newCertificate(t testing.TB) []byte {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1),
		Subject:      pkix.Name{CommonName: "localhost"},
		NotAfter:     time.Now().Add(time.Hour),
		DNSNames:     []string{"localhost"},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

// brokenUp is s with sep after each 64 bytes, as PEM has it.
func brokenUp(s, sep string) string {
	var b strings.Builder
	for chunk := range slices.Chunk([]byte(s), 64) {
		b.WriteString(string(chunk) + sep)
	}
	return b.String()
}

// padBase64 makes every length of base64 a multiple of four.
func padBase64(s string) string { return s + strings.Repeat("=", (4-len(s)%4)%4) }

func rawBase64(der []byte) string { return base64.RawStdEncoding.EncodeToString(der) }

// checkError wants an *Error with a hint around want (nil for any), whose text is one printable ASCII line of a decent length.
func checkError(t *testing.T, err, want error) {
	t.Helper()
	var typed *handshake.Error
	if !errors.As(err, &typed) || want != nil && !errors.Is(err, want) {
		t.Fatalf("got error %v (%T), want a *handshake.Error around %v", err, err, want)
	}
	if typed.Op == "" || typed.Hint == "" {
		t.Errorf("got Op %q and Hint %q, want both", typed.Op, typed.Hint)
	}
	if strings.ContainsFunc(err.Error(), func(r rune) bool { return r < ' ' || r > '~' }) || len(err.Error()) > 600 {
		t.Errorf("the error's text is not safe to print: %q (%d bytes)", err.Error(), len(err.Error()))
	}
}

func equal(t *testing.T, got, want any) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("got (+) is not what was wanted (-):\n%s", diff)
	}
}
