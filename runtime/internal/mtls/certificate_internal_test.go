package mtls

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"net"
	"testing"
	"time"
)

// TestCertificateIsX509s: what is signed is what package x509 would have signed.
func TestCertificateIsX509s(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for _, now := range []time.Time{time.Now(), time.Date(2049, 12, 31, 23, 59, 59, 0, time.UTC), time.Date(2050, 1, 2, 0, 0, 0, 0, time.UTC)} {
		from, until := now.Add(-clockSkew), now.Add(lifetime)
		for _, first := range []byte{0x00, 0x40, 0x80, 0xff} {
			got, err := certificate(key, [serialSize]byte{first, 1, 2, 3}, from, until)
			if err != nil {
				t.Fatal(err)
			}
			c, err := x509.ParseCertificate(got)
			if err != nil {
				t.Fatal(err)
			}
			if want := x509s(t, key, c.SerialNumber, c.SubjectKeyId, from, until); !bytes.Equal(c.RawTBSCertificate, want) {
				t.Errorf("at %v:\n got %x\nwant %x", now, c.RawTBSCertificate, want)
			}
			if err := c.CheckSignatureFrom(c); err != nil {
				t.Error(err)
			}
		}
	}
}

// x509s is the part that is signed.
func x509s(t *testing.T, key *ecdsa.PrivateKey, serial *big.Int, id []byte, from, until time.Time) []byte {
	t.Helper()
	template := &x509.Certificate{
		SerialNumber:          serial,
		Subject:               pkix.Name{CommonName: ServerName},
		DNSNames:              []string{ServerName},
		IPAddresses:           []net.IP{net.IPv4(127, 0, 0, 1).To4(), net.IPv6loopback},
		NotBefore:             from,
		NotAfter:              until,
		IsCA:                  true,
		BasicConstraintsValid: true,
		SubjectKeyId:          id,
		KeyUsage:              x509.KeyUsageDigitalSignature | x509.KeyUsageKeyEncipherment | x509.KeyUsageKeyAgreement | x509.KeyUsageCertSign,
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	c, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return c.RawTBSCertificate
}
