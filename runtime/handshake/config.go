package handshake

import (
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
)

// Config is what a host and its plugins agree on beforehand; a contract package declares one.
// Only the cookie is required. The functions of this package never change a Config that they are given.
type Config struct {
	// MagicCookieKey names the environment variable by which a host tells its plugin that it is one.
	MagicCookieKey string
	// MagicCookieValue is what that variable holds. It keeps people from running plugins by hand and hosts from running
	// other programs; it protects nothing.
	MagicCookieValue string
	// ProtocolVersions is what this side speaks, in no order; empty means {1}.
	ProtocolVersions []int
	// Transports is what this side can use, in no order; empty means unix and tcp, on Windows tcp alone.
	Transports []string
}

// Versions returns the protocol versions, sorted, each once; {1} when none is configured.
func (c Config) Versions() []int {
	if len(c.ProtocolVersions) == 0 {
		return []int{1}
	}
	return sortedVersions(c.ProtocolVersions)
}

// Networks returns the transports in the order in which they are tried, each once; the platform's own when none is configured.
func (c Config) Networks() []string {
	if len(c.Transports) > 0 {
		return inOrder(c.Transports)
	}
	if runtime.GOOS == "windows" {
		return []string{TCP}
	}
	return []string{Unix, TCP}
}

// Validate reports everything that would keep this Config from ever working: no cookie, a cookie that an environment
// cannot hold, negative versions, unknown transports.
func (c Config) Validate() error {
	problems := []error{c.validateCookie()}
	for _, v := range c.ProtocolVersions {
		if v < 0 || v > maxVersion {
			problems = append(problems, fmt.Errorf("%w: %d is not within 0 and %d", ErrVersion, v, maxVersion))
		}
	}
	for _, name := range c.Transports {
		if name != Unix && name != TCP {
			problems = append(problems, fmt.Errorf("%w: %s is neither unix nor tcp", ErrTransport, quote(name)))
		}
	}
	if err := errors.Join(problems...); err != nil {
		return &Error{Op: "validate config", Hint: "correct the handshake.Config that host and plugin share", Err: err}
	}
	return nil
}

func (c Config) validateCookie() error {
	switch {
	case c.MagicCookieKey == "":
		return ErrCookieKeyNotConfigured
	case strings.ContainsAny(c.MagicCookieKey, "=\x00"):
		return fmt.Errorf("%w: %s cannot name an environment variable", ErrCookieKeyNotConfigured, quote(c.MagicCookieKey))
	case c.MagicCookieValue == "":
		return fmt.Errorf("%w for %s", ErrCookieValueNotConfigured, c.MagicCookieKey)
	case strings.Contains(c.MagicCookieValue, "\x00"):
		return fmt.Errorf("%w for %s: an environment variable cannot hold a NUL byte", ErrCookieValueNotConfigured, c.MagicCookieKey)
	}
	return nil
}

func sortedVersions(versions []int) []int {
	sorted := slices.Sorted(slices.Values(versions))
	return slices.Compact(sorted)
}
