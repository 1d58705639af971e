//go:build !darwin && !dragonfly && !freebsd && !linux && !netbsd && !openbsd

package lane

import (
	"errors"
	"fmt"
	"net"
	"os"
)

// ErrOffer is why an offer cannot be taken.
var ErrOffer = errors.New("lane: there is no such offer")

// Pair fails: processes do not inherit sockets here.
func Pair() (ours net.Conn, theirs *os.File, err error) {
	return nil, nil, fmt.Errorf("lane: make a pair of sockets: %w", errors.ErrUnsupported)
}

// Offer fails.
func Offer(*os.File, int) (string, error) { return "", errors.ErrUnsupported }

// Accept fails.
func Accept(string) (net.Conn, error) { return nil, ErrOffer }

// HasSpoken is never true.
func HasSpoken(net.Conn) bool { return false }
