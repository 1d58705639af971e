package handshake

import (
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// UnixPath returns the socket path that a unix address means: without one "unix:" prefix, and with a single leading slash
// however many came ("unix:/run/s", "unix:///run/s" and "//run/s" are "/run/s"). It does not say whether the path is usable.
func UnixPath(address string) string {
	path := strings.TrimPrefix(address, "unix:")
	if rooted := strings.TrimLeft(path, "/"); len(rooted) < len(path) {
		return "/" + rooted
	}
	return path
}

// IsLoopback says whether the address can only be reached on this machine: a unix socket, or tcp on localhost, 127.0.0.0/8
// or ::1. A host refuses other plugins unless it was told to take remote ones.
func (r Response) IsLoopback() bool {
	switch r.Network {
	case Unix:
		return true
	case TCP:
		return isLoopbackHost(r.Address)
	default:
		return false
	}
}

func isLoopbackHost(address string) bool {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return false
	}
	if host == "localhost" {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.Unmap().IsLoopback()
}

// checkAddress returns the address in the one form in which Build writes it.
func checkAddress(network, address string) (string, error) {
	if address == "" {
		return "", fmt.Errorf("%w: it is empty", ErrAddress)
	}
	if !utf8.ValidString(address) || strings.ContainsFunc(address, unicode.IsControl) || strings.Contains(address, "|") {
		return "", fmt.Errorf("%w: %s holds invalid UTF-8, a control character or a |", ErrAddress, quote(address))
	}
	if network == Unix {
		return checkUnix(address)
	}
	return checkTCP(address)
}

// checkUnix refuses relative paths, which mean one thing in the plugin's folder and another in the host's, and with them
// abstract names ("@name"), which every process on the machine can open.
func checkUnix(address string) (string, error) {
	path := UnixPath(address)
	if !strings.HasPrefix(path, "/") {
		return "", fmt.Errorf("%w: %s is not an absolute path", ErrAddress, quote(address))
	}
	return path, nil
}

func checkTCP(address string) (string, error) {
	host, digits, err := net.SplitHostPort(address)
	if err != nil {
		return "", fmt.Errorf("%w: %s is not host:port", ErrAddress, quote(address))
	}
	port, err := parseDigits(digits, 16)
	if err != nil || port == 0 {
		return "", fmt.Errorf("%w: port %s is not within 1 and 65535", ErrAddress, quote(digits))
	}
	name, err := checkHost(host)
	if err != nil {
		return "", err
	}
	return net.JoinHostPort(name, strconv.Itoa(port)), nil
}

// checkHost takes no names but localhost: a plugin must not make its host ask a name server.
func checkHost(host string) (string, error) {
	if strings.EqualFold(host, "localhost") {
		return "localhost", nil
	}
	ip, err := netip.ParseAddr(host)
	if err != nil {
		return "", fmt.Errorf("%w: host %s is neither an IP address nor localhost", ErrAddress, quote(host))
	}
	return ip.String(), nil
}
