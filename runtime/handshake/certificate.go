package handshake

import (
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"strings"
)

// maxAbsent is the longest certificate field that is none: early go-plugin plugins kept other things there.
const maxAbsent = 50

// parseCertificate returns the DER that the sixth field holds, nil when it holds none.
func parseCertificate(field string) ([]byte, error) {
	text := withoutBreaks(field)
	if len(text) <= maxAbsent {
		return nil, nil
	}
	der, err := base64.RawStdEncoding.DecodeString(strings.TrimRight(text, "="))
	if err != nil {
		return nil, fmt.Errorf("%w: not base64: %s: %w", ErrCertificate, quote(text), err)
	}
	if err := checkCertificate(der); err != nil {
		return nil, err
	}
	return der, nil
}

// withoutBreaks removes the line breaks of PEM, also those that somebody escaped into two characters.
func withoutBreaks(field string) string {
	if !strings.ContainsAny(field, "\\\n\r \t") {
		return field
	}
	return strings.NewReplacer(`\n`, "", `\r`, "", "\n", "", "\r", "", " ", "", "\t", "").Replace(field)
}

func buildCertificate(der []byte) (string, error) {
	if len(der) == 0 {
		return "", nil
	}
	if err := checkCertificate(der); err != nil {
		return "", err
	}
	return base64.RawStdEncoding.EncodeToString(der), nil
}

func checkCertificate(der []byte) error {
	if _, err := x509.ParseCertificate(der); err != nil {
		return fmt.Errorf("%w: %d bytes that are not one x509 certificate: %w", ErrCertificate, len(der), err)
	}
	return nil
}
