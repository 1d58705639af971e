package handshake

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strings"
	"unicode"
	"unicode/utf8"
)

// EnvAttach is the environment variable by which a person makes a host attach to plugins that run already, instead of starting them:
// see ParseAttachments. A host must have been told to heed it.
const EnvAttach = "PLUGINGEN_ATTACH"

// EnvDebug is the environment variable by which a person who runs a plugin by hand makes it serve, for hosts that attach. It counts when
// it is set to anything, and no host has set the magic cookie.
const EnvDebug = "PLUGINGEN_DEBUG"

// What an Attachment says about TLS.
const (
	TLSNone   = ""       // none, or nothing is known of it
	TLSOwn    = "own"    // with certificates of the contract's: hosts need a configuration of their own
	TLSMutual = "mutual" // with keys of one start: only the host that started the plugin can talk to it
)

// Attachment describes a running plugin to a host that wants to attach to it. As JSON it is what plugins made with hashicorp/go-plugin
// are attached to with (in TF_REATTACH_PROVIDERS, for one), and a few fields more:
//
//	{"Protocol":"grpc","ProtocolVersion":1,"Pid":4711,"Test":true,"Addr":{"Network":"unix","String":"/tmp/s"},"Start":"99"}
type Attachment struct {
	Protocol        string // ProtocolGRPC or ProtocolNetRPC
	ProtocolVersion int    // of the contract
	Network         string // Unix or TCP
	Address         string // as in a Response
	PID             int    // of the plugin's process; 0 when it is not known
	// Start tells the process from a later one with the same number; the system's own words, empty when they are not known.
	Start string
	TLS   string // TLSNone, TLSOwn or TLSMutual
	// MagicCookieKey tells the contract from others; empty when it is not known.
	MagicCookieKey string
	// Multiplex says that the plugin carries all connections over one: hosts that attach do the same.
	Multiplex bool
	// Lane is the highest version of the lane's framing that the plugin takes beside gRPC on its unix socket; 0 when it takes none, or it is
	// not known. What it is for, runtime/PROTOCOL.md says.
	Lane int
	// Test says that the plugin belongs to a test or a debugger: hosts come and go, and do not end it.
	Test bool
}

// wireAttachment is an Attachment as JSON. The first five names are go-plugin's.
type wireAttachment struct {
	Protocol        string
	ProtocolVersion int
	Pid             int
	Test            bool
	Addr            wireAddress
	Start           string `json:",omitempty"`
	TLS             string `json:",omitempty"`
	MagicCookieKey  string `json:",omitempty"`
	Multiplex       bool   `json:",omitempty"`
	Lane            int    `json:",omitempty"`
}

type wireAddress struct{ Network, String string }

// String is the Attachment as JSON, on one line, without anything that a shell's single quotes would not hold. It does not say whether
// ParseAttachment takes it.
func (a Attachment) String() string {
	text, _ := a.MarshalJSON()
	return string(text)
}

// MarshalJSON never fails.
func (a Attachment) MarshalJSON() ([]byte, error) {
	text, err := json.Marshal(wireAttachment{
		Protocol: a.Protocol, ProtocolVersion: a.ProtocolVersion, Pid: a.PID, Test: a.Test,
		Addr:  wireAddress{a.Network, a.Address},
		Start: a.Start, TLS: a.TLS, MagicCookieKey: a.MagicCookieKey, Multiplex: a.Multiplex, Lane: a.Lane,
	})
	return []byte(strings.ReplaceAll(string(text), "'", `\u0027`)), err
}

// UnmarshalJSON takes what ParseAttachment takes.
func (a *Attachment) UnmarshalJSON(text []byte) error {
	parsed, err := ParseAttachment(string(text))
	if err != nil {
		return err
	}
	*a = parsed
	return nil
}

// ParseAttachment reads the JSON of one Attachment. Fields that it does not know mean nothing; no protocol means netrpc, as with
// go-plugin. The error is ErrAttachment, ErrVersion, ErrNetwork, ErrAddress, ErrProtocol or ErrTooLong.
func ParseAttachment(text string) (Attachment, error) {
	a, err := parseAttachment(text)
	if err != nil {
		return Attachment{}, &Error{Op: "parse attachment", Hint: "take the description as the plugin printed it", Err: err}
	}
	return a, nil
}

func parseAttachment(text string) (Attachment, error) {
	if len(text) > MaxLine {
		return Attachment{}, fmt.Errorf("%w: %d bytes, at most %d", ErrTooLong, len(text), MaxLine)
	}
	if !utf8.ValidString(text) {
		return Attachment{}, fmt.Errorf("%w: not UTF-8: %s", ErrAttachment, quote(text))
	}
	var w wireAttachment
	if err := json.Unmarshal([]byte(text), &w); err != nil {
		return Attachment{}, fmt.Errorf("%w: %s: %s", ErrAttachment, quote(err.Error()), quote(text))
	}
	if w.Protocol == "" {
		w.Protocol = ProtocolNetRPC
	}
	r, err := Response{ProtocolVersion: w.ProtocolVersion, Network: w.Addr.Network, Address: w.Addr.String, Protocol: w.Protocol}.withDefaults().validated()
	if err != nil {
		return Attachment{}, err
	}
	a := Attachment{
		Protocol: r.Protocol, ProtocolVersion: r.ProtocolVersion, Network: r.Network, Address: r.Address,
		PID: w.Pid, Start: w.Start, TLS: w.TLS, MagicCookieKey: w.MagicCookieKey, Multiplex: w.Multiplex, Lane: w.Lane, Test: w.Test,
	}
	return a, a.validate()
}

// longestStart is enough for the digits of any clock.
const longestStart = 20

func (a Attachment) validate() error {
	switch {
	case len(a.String()) > MaxLine:
		return fmt.Errorf("%w: more than %d bytes", ErrTooLong, MaxLine)
	case a.Lane < 0 || a.Lane > math.MaxUint8:
		return fmt.Errorf("%w: version %d of the lane is not within 0 and %d", ErrAttachment, a.Lane, math.MaxUint8)
	case a.PID < 0 || a.PID > math.MaxInt32:
		return fmt.Errorf("%w: process %d is not within 0 and %d", ErrAttachment, a.PID, math.MaxInt32)
	case len(a.Start) > longestStart || strings.ContainsFunc(a.Start, func(r rune) bool { return r < '0' || r > '9' }):
		return fmt.Errorf("%w: start %s is not made of %d digits at most", ErrAttachment, quote(a.Start), longestStart)
	case a.TLS != TLSNone && a.TLS != TLSOwn && a.TLS != TLSMutual:
		return fmt.Errorf("%w: TLS %s is neither empty, own nor mutual", ErrAttachment, quote(a.TLS))
	case strings.ContainsFunc(a.MagicCookieKey, func(r rune) bool { return unicode.IsControl(r) || r == '=' }):
		return fmt.Errorf("%w: %s cannot name an environment variable", ErrAttachment, quote(a.MagicCookieKey))
	}
	return nil
}

// ParseAttachments reads what EnvAttach holds: a JSON object with the Attachment of each program, by the base name of its path without
// ".exe". The error is that of ParseAttachment.
func ParseAttachments(text string) (map[string]Attachment, error) {
	var all map[string]Attachment
	err := json.Unmarshal([]byte(text), &all)
	if err == nil {
		return all, nil
	}
	if inner, ok := errors.AsType[*Error](err); ok {
		return nil, inner
	}
	return nil, &Error{
		Op:   "parse attachments",
		Hint: EnvAttach + ` must hold {"PROGRAM":DESCRIPTION}, with the description as the plugin printed it`,
		Err:  fmt.Errorf("%w: %s", ErrAttachment, quote(err.Error())),
	}
}

// FormatAttachments is the inverse of ParseAttachments, in the form of Attachment.String.
func FormatAttachments(all map[string]Attachment) string {
	text, _ := json.Marshal(all) // of strings and numbers, so it never fails
	return strings.ReplaceAll(string(text), "'", `\u0027`)
}
