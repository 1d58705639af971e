package interop

import (
	"crypto/x509"
	"encoding/base64"
	"errors"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/plugingen/plugingen/runtime/handshake"
)

// verdict is what a host makes of a handshake line that it takes.
type verdict struct {
	version           int
	network, address  string
	protocol          string
	certificate       string // DER
	multiplex         bool
	multiplexIsNoBool bool // matters only to a host that asked for it
}

var errLine = errors.New("go-plugin's host refuses the line")

// goPluginLine is the oracle: what go-plugin's host 1.8, with automatic TLS and both protocols allowed, makes of a line. It takes every
// version, and does not ask a name server.
func goPluginLine(line string) (verdict, error) {
	if len(line) >= 64<<10 { // its scanner gives up
		return verdict{}, errLine
	}
	return goPluginFields(fieldsOf(line))
}

func fieldsOf(line string) []string { return strings.Split(strings.TrimSpace(line), "|") }

func goPluginFields(fields []string) (verdict, error) {
	if len(fields) < 4 {
		return verdict{}, errLine
	}
	core, coreErr := strconv.Atoi(fields[0])
	version, versionErr := strconv.Atoi(fields[1])
	v := verdict{version: version, network: fields[2], address: fields[3], protocol: "netrpc"}
	if len(fields) > 4 {
		v.protocol = fields[4]
	}
	if coreErr != nil || versionErr != nil || core != 1 || v.protocol != "netrpc" && v.protocol != "grpc" {
		return verdict{}, errLine
	}
	if v.network != "unix" && (v.network != "tcp" || !resolves(v.address)) {
		return verdict{}, errLine
	}
	if len(fields) > 5 && len(fields[5]) > 50 {
		der, err := base64.RawStdEncoding.DecodeString(fields[5])
		if err != nil {
			return verdict{}, errLine
		}
		if _, err := x509.ParseCertificate(der); err != nil {
			return verdict{}, errLine
		}
		v.certificate = string(der)
	}
	if len(fields) > 6 {
		is, err := strconv.ParseBool(fields[6])
		v.multiplex, v.multiplexIsNoBool = is, err != nil
	}
	return v, nil
}

// resolves says whether net.ResolveTCPAddr takes the address, if every name has an IP address.
func resolves(address string) bool {
	if address == "" {
		return true // an address without anything, which fails when it is dialled
	}
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return false
	}
	if _, err := net.LookupPort("tcp", port); err != nil {
		return false
	}
	return host == "" || !strings.ContainsRune(host, 0)
}

// relaxed are the line's fields as go-plugin's host has to see it to take what our host takes: our host also takes a certificate field with
// padding, blanks, and line breaks, escaped or real.
func relaxed(line string) []string {
	fields := fieldsOf(line)
	if len(fields) < 6 {
		return fields
	}
	text := strings.NewReplacer(`\n`, "", `\r`, "", "\n", "", "\r", "", " ", "", "\t", "").Replace(fields[5])
	if len(text) > 50 {
		text = strings.TrimRight(text, "=")
		if len(text) <= 50 {
			text += strings.Repeat("=", 51-len(text)) // padding counts when it is decided whether there is one
		}
	}
	fields[5] = text
	return fields
}

// strictness are the ways in which our host is stricter than go-plugin's, by name. A line to which one of them applies is refused;
// every other one that go-plugin's host takes is taken.
func strictness() map[string]func(line string, fields []string) bool {
	return map[string]func(string, []string) bool{
		"longer than 16 KiB":     func(line string, _ []string) bool { return len(strings.TrimSpace(line)) > handshake.MaxLine },
		"not UTF-8":              func(line string, _ []string) bool { return !utf8.ValidString(strings.TrimSpace(line)) },
		"more than seven fields": func(_ string, f []string) bool { return len(f) > 7 },
		"a number with a sign":   func(_ string, f []string) bool { return !isDigits(f[0]) || !isDigits(f[1]) },
		"a version of 2^31 and more": func(_ string, f []string) bool {
			n, err := strconv.ParseInt(f[1], 10, 64)
			return err == nil && n > 1<<31-1
		},
		"control characters": func(_ string, f []string) bool { return strings.ContainsFunc(f[3], unicode.IsControl) },
		"no address":         func(_ string, f []string) bool { return f[3] == "" },
		"a path that is not absolute": func(_ string, f []string) bool {
			return f[2] == "unix" && !strings.HasPrefix(strings.TrimPrefix(f[3], "unix:"), "/")
		},
		"a host name, or none": func(_ string, f []string) bool { return f[2] == "tcp" && !isAddress(f[3]) },
		"a port by name, or 0": func(_ string, f []string) bool { return f[2] == "tcp" && !isPort(f[3]) },
		"a seventh field that is no boolean": func(_ string, f []string) bool {
			if len(f) < 7 || f[6] == "" {
				return false
			}
			_, err := strconv.ParseBool(f[6])
			return err != nil
		},
	}
}

func isDigits(s string) bool {
	return s != "" && strings.Trim(s, "0123456789") == ""
}

func isAddress(address string) bool {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return false
	}
	_, err = netip.ParseAddr(host)
	return err == nil || strings.EqualFold(host, "localhost")
}

func isPort(address string) bool {
	_, port, err := net.SplitHostPort(address)
	if err != nil || !isDigits(port) {
		return false
	}
	n, err := strconv.Atoi(port)
	return err == nil && n > 0 && n <= 65535
}

// sameAddress says whether both addresses are the same place: paths without a unix: prefix and with one slash in front, IP
// addresses in any spelling.
func sameAddress(network, theirs, ours string) bool {
	if network == "unix" {
		path := strings.TrimPrefix(theirs, "unix:")
		return ours == "/"+strings.TrimLeft(path, "/")
	}
	theirHost, theirPort, _ := net.SplitHostPort(theirs)
	ourHost, ourPort, _ := net.SplitHostPort(ours)
	a, errA := strconv.Atoi(theirPort)
	b, errB := strconv.Atoi(ourPort)
	if errors.Join(errA, errB) != nil || a != b {
		return false
	}
	x, errX := netip.ParseAddr(theirHost)
	y, errY := netip.ParseAddr(ourHost)
	if errX != nil || errY != nil {
		return strings.EqualFold(theirHost, ourHost)
	}
	return x == y
}
