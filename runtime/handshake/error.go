package handshake

import (
	"errors"
	"strconv"
)

// What can be wrong, for errors.Is. All errors of this package are an *Error around one of these.
var (
	ErrCookieKeyNotConfigured   = errors.New("magic cookie key is not configured")
	ErrCookieValueNotConfigured = errors.New("magic cookie value is not configured")
	ErrCookieNotProvided        = errors.New("magic cookie is not provided")
	ErrCookieMismatch           = errors.New("magic cookie does not match")

	ErrMalformed       = errors.New("malformed handshake line")
	ErrUnsupportedCore = errors.New("unsupported core protocol version")
	ErrVersion         = errors.New("incompatible protocol version")
	ErrNetwork         = errors.New("unknown network")
	ErrAddress         = errors.New("invalid address")
	ErrProtocol        = errors.New("unknown protocol")
	ErrCertificate     = errors.New("invalid certificate")
	ErrTransport       = errors.New("no transport in common")
	ErrTooLong         = errors.New("handshake line is too long")
	ErrNoHandshake     = errors.New("no handshake line")
	ErrAttachment      = errors.New("malformed description of a running plugin")
)

// Error is what every function of this package returns: what was being done, what went wrong, what to do about it.
// Its text quotes at most a short, escaped piece of what a peer sent and never holds a cookie's value.
type Error struct {
	Op   string // such as "parse line"
	Hint string // advice for people; may be empty; not part of Error's text
	Err  error  // one of the sentinels, with details
}

// Error is Op and Err.
func (e *Error) Error() string { return "handshake: " + e.Op + ": " + e.Err.Error() }

// Unwrap returns Err.
func (e *Error) Unwrap() error { return e.Err }

// maxQuote is how much of a peer's text an error shows: enough to recognise it, too little to fill a log.
const maxQuote = 100

// quote makes text from a peer safe to print: bounded, one line, plain ASCII.
func quote[T string | []byte](s T) string {
	if len(s) <= maxQuote {
		return strconv.QuoteToASCII(string(s))
	}
	return strconv.QuoteToASCII(string(s[:maxQuote])) + "... (" + strconv.Itoa(len(s)) + " bytes)"
}
