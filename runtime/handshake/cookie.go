package handshake

import (
	"crypto/sha256"
	"crypto/subtle"
	"fmt"
	"os"
)

// ValidateMagicCookie tells a plugin whether a host of its own started it. lookup finds environment variables, nil means
// os.LookupEnv. The error is ErrCookieKeyNotConfigured, ErrCookieValueNotConfigured, ErrCookieNotProvided (the variable is
// missing or empty: most likely a person started the plugin) or ErrCookieMismatch. The comparison takes the same time
// whatever the variable holds, and no error holds a value.
func ValidateMagicCookie(c Config, lookup func(key string) (string, bool)) error {
	if lookup == nil {
		lookup = os.LookupEnv
	}
	if err := c.validateCookie(); err != nil {
		return cookieError(err, "set MagicCookieKey and MagicCookieValue in the handshake.Config that host and plugin share")
	}
	got, ok := lookup(c.MagicCookieKey)
	if !ok || got == "" {
		return cookieError(fmt.Errorf("%w: environment variable %s", ErrCookieNotProvided, c.MagicCookieKey),
			"this program is a plugin; start it from its host")
	}
	if !equalInConstantTime(got, c.MagicCookieValue) {
		return cookieError(fmt.Errorf("%w: environment variable %s", ErrCookieMismatch, c.MagicCookieKey),
			"the host was built for other plugins, or for another release of this one")
	}
	return nil
}

// equalInConstantTime compares hashes, so that not even the length shows.
func equalInConstantTime(a, b string) bool {
	hashA, hashB := sha256.Sum256([]byte(a)), sha256.Sum256([]byte(b))
	return subtle.ConstantTimeCompare(hashA[:], hashB[:]) == 1
}

func cookieError(err error, hint string) error {
	return &Error{Op: "validate magic cookie", Hint: hint, Err: err}
}
