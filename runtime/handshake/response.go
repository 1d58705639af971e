package handshake

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Response is what a plugin's handshake line says.
type Response struct {
	CoreVersion     int    // of the line; CoreVersion. Build takes zero for that
	ProtocolVersion int    // of the contract, as negotiated
	Network         string // Unix or TCP
	Address         string // absolute socket path, or host:port with an IP address or localhost
	Protocol        string // ProtocolGRPC or ProtocolNetRPC. Build takes "" for ProtocolGRPC
	Certificate     []byte // DER of the plugin's leaf certificate; nil without TLS
	Multiplex       bool   // whether the plugin multiplexes brokered connections
}

const (
	maxVersion = 1<<31 - 1

	fieldsStrict = 6
	fieldsLeast  = 4 // go-plugin before gRPC
	fieldsMost   = 7 // go-plugin with multiplexing
)

// Build returns the line for r, with its newline: six fields, or seven with Multiplex. It refuses what Parse would.
func Build(r Response) (string, error) {
	line, err := build(r)
	if err != nil {
		return "", &Error{Op: "build line", Hint: "this is a fault of the plugin's own program", Err: err}
	}
	return line, nil
}

func build(r Response) (string, error) {
	r, err := r.withDefaults().validated()
	if err != nil {
		return "", err
	}
	certificate, err := buildCertificate(r.Certificate)
	if err != nil {
		return "", err
	}
	line := strconv.Itoa(r.CoreVersion) + "|" + strconv.Itoa(r.ProtocolVersion) + "|" + r.Network + "|" + r.Address + "|" +
		r.Protocol + "|" + certificate
	if r.Multiplex {
		line += "|true"
	}
	if len(line) > MaxLine {
		return "", fmt.Errorf("%w: %d bytes, at most %d", ErrTooLong, len(line), MaxLine)
	}
	return line + "\n", nil
}

func (r Response) withDefaults() Response {
	if r.CoreVersion == 0 {
		r.CoreVersion = CoreVersion
	}
	if r.Protocol == "" {
		r.Protocol = ProtocolGRPC
	}
	return r
}

// validated checks what both directions check, and returns r with its address in the one form that is written.
func (r Response) validated() (Response, error) {
	if r.CoreVersion != CoreVersion {
		return r, fmt.Errorf("%w: %d, want %d", ErrUnsupportedCore, r.CoreVersion, CoreVersion)
	}
	if r.ProtocolVersion < 0 || r.ProtocolVersion > maxVersion {
		return r, fmt.Errorf("%w: %d is not within 0 and %d", ErrVersion, r.ProtocolVersion, maxVersion)
	}
	if r.Network != Unix && r.Network != TCP {
		return r, fmt.Errorf("%w: %s, want unix or tcp", ErrNetwork, quote(r.Network))
	}
	if !isProtocol(r.Protocol) {
		return r, fmt.Errorf("%w: %s, want grpc or netrpc", ErrProtocol, quote(r.Protocol))
	}
	var err error
	r.Address, err = checkAddress(r.Network, r.Address)
	return r, err
}

// Parse reads a line of four to seven fields, with or without its line ending. Four fields mean netrpc, as the oldest
// go-plugin plugins write; a certificate field of 50 characters or fewer is none. Addresses come back without "unix:" prefixes.
// The error is ErrMalformed, ErrUnsupportedCore, ErrNetwork, ErrAddress, ErrProtocol, ErrCertificate or ErrTooLong.
func Parse(line string) (Response, error) {
	return parseError(parse(line))
}

// ParseStrict is Parse for lines as today's plugins write them, and as pyvider's hosts insist on: exactly six fields, gRPC, and a
// last field that is empty or a certificate.
func ParseStrict(line string) (Response, error) {
	return parseError(parseStrict(line))
}

func parseError(r Response, err error) (Response, error) {
	if err != nil {
		return Response{}, &Error{Op: "parse line", Hint: hintFor(err), Err: err}
	}
	return r, nil
}

func hintFor(err error) string {
	switch {
	case errors.Is(err, ErrMalformed), errors.Is(err, ErrTooLong):
		return "the first line on the plugin's stdout must be CORE|VERSION|NETWORK|ADDRESS|PROTOCOL|CERTIFICATE; is the program a plugin?"
	case errors.Is(err, ErrUnsupportedCore):
		return "the plugin speaks another generation of the protocol; rebuild it, or update the host"
	default:
		return "the plugin's handshake line is wrong; update the plugin"
	}
}

func parse(line string) (Response, error) {
	fields, err := split(line, fieldsLeast, fieldsMost)
	if err != nil {
		return Response{}, err
	}
	return parseFields(fields)
}

func parseStrict(line string) (Response, error) {
	fields, err := split(line, fieldsStrict, fieldsStrict)
	if err != nil {
		return Response{}, err
	}
	r, err := parseFields(fields)
	if err != nil {
		return Response{}, err
	}
	if r.Protocol != ProtocolGRPC {
		return Response{}, fmt.Errorf("%w: %s, want grpc", ErrProtocol, quote(r.Protocol))
	}
	if r.Certificate == nil && fields[5] != "" {
		return Response{}, fmt.Errorf("%w: %s is too short for one", ErrCertificate, quote(fields[5]))
	}
	return r, nil
}

func split(line string, least, most int) ([]string, error) {
	line = strings.TrimSpace(line)
	if len(line) > MaxLine {
		return nil, fmt.Errorf("%w: %d bytes, at most %d: %s", ErrTooLong, len(line), MaxLine, quote(line))
	}
	if !utf8.ValidString(line) {
		return nil, fmt.Errorf("%w: not UTF-8: %s", ErrMalformed, quote(line))
	}
	fields := strings.Split(line, "|")
	if len(fields) < least || len(fields) > most {
		return nil, fmt.Errorf("%w: %d fields, want %s: %s", ErrMalformed, len(fields), span(least, most), quote(line))
	}
	return fields, nil
}

func span(least, most int) string {
	if least == most {
		return strconv.Itoa(least)
	}
	return strconv.Itoa(least) + " to " + strconv.Itoa(most)
}

// parseFields takes at least four fields.
func parseFields(fields []string) (Response, error) {
	r := Response{Network: fields[2], Address: fields[3], Protocol: ProtocolNetRPC}
	var err error
	if r.CoreVersion, err = parseVersion(fields[0]); err != nil {
		return Response{}, fmt.Errorf("%w: core version %s is not a number", ErrMalformed, quote(fields[0]))
	}
	if r.ProtocolVersion, err = parseVersion(fields[1]); err != nil {
		return Response{}, fmt.Errorf("%w: protocol version %s is not a number", ErrMalformed, quote(fields[1]))
	}
	if len(fields) > 4 {
		r.Protocol = fields[4]
	}
	if r, err = r.validated(); err != nil {
		return Response{}, err
	}
	return parseOptional(r, fields)
}

func parseOptional(r Response, fields []string) (_ Response, err error) {
	if len(fields) > 5 {
		if r.Certificate, err = parseCertificate(fields[5]); err != nil {
			return Response{}, err
		}
	}
	if len(fields) > 6 && fields[6] != "" {
		if r.Multiplex, err = strconv.ParseBool(fields[6]); err != nil {
			return Response{}, fmt.Errorf("%w: multiplex field %s is not true or false", ErrMalformed, quote(fields[6]))
		}
	}
	return r, nil
}

func parseVersion(s string) (int, error) { return parseDigits(s, 31) }

// parseDigits takes ASCII digits alone: no sign, no blanks, none of Unicode's other digits.
func parseDigits(s string, bits int) (int, error) {
	n, err := strconv.ParseUint(s, 10, bits)
	return int(n), err
}
