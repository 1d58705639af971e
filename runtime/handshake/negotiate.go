package handshake

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// NegotiateVersion picks the version that a plugin announces: the highest that it serves and its host offered.
// With none in common, or when the host offered none, that is the lowest served, and ok is false: the host objects.
// A plugin that serves nothing gets 0 and false.
func NegotiateVersion(served, offered []int) (version int, ok bool) {
	if len(served) == 0 {
		return 0, false
	}
	sorted := sortedVersions(served)
	for _, v := range slices.Backward(sorted) {
		if slices.Contains(offered, v) {
			return v, true
		}
	}
	return sorted[0], false
}

// CheckVersion tells a host whether the plugin answered with a version that it offered; the error is ErrVersion
// and names what both sides speak.
func (r Response) CheckVersion(offered []int) error {
	if slices.Contains(offered, r.ProtocolVersion) {
		return nil
	}
	return &Error{
		Op:   "check version",
		Hint: "update the plugin or the host so that they share a protocol version",
		Err:  fmt.Errorf("%w: the plugin speaks %d, the host %s", ErrVersion, r.ProtocolVersion, orNone(FormatVersions(offered))),
	}
}

// ParseVersions reads the host's list, as in PLUGIN_PROTOCOL_VERSIONS. The versions come sorted, each once. What is not a
// version is skipped and returned in bad, quoted, so that it can be printed: one odd entry must not keep a plugin from starting.
func ParseVersions(list string) (versions []int, bad []string) {
	for item := range splitList(list) {
		v, err := parseVersion(item)
		if err != nil {
			bad = append(bad, quote(item))
			continue
		}
		versions = append(versions, v)
	}
	return sortedVersions(versions), bad
}

// FormatVersions is the inverse of ParseVersions: sorted, each once, so that the same Config always gives the same environment.
func FormatVersions(versions []int) string {
	var b []byte
	for i, v := range sortedVersions(versions) {
		if i > 0 {
			b = append(b, ',')
		}
		b = strconv.AppendInt(b, int64(v), 10)
	}
	return string(b)
}

// NegotiateTransport picks the transport on which a plugin listens: one that it serves and its host offered, unix before tcp.
// An empty offered means that the host did not say, as no go-plugin host does: it takes both. Names are compared exactly, and
// unknown ones are ignored. The error is ErrTransport and names both lists.
func NegotiateTransport(served, offered []string) (string, error) {
	if len(offered) == 0 {
		offered = []string{Unix, TCP}
	}
	for _, name := range []string{Unix, TCP} {
		if slices.Contains(served, name) && slices.Contains(offered, name) {
			return name, nil
		}
	}
	return "", &Error{
		Op:   "negotiate transport",
		Hint: "the transports are unix and tcp; let host and plugin share one",
		Err:  fmt.Errorf("%w: the plugin serves %s, the host takes %s", ErrTransport, quoteList(served), quoteList(offered)),
	}
}

// ParseTransports reads the host's list, as in PLUGIN_TRANSPORTS: as it came, without blanks.
// Unknown names stay: NegotiateTransport ignores them, and names them when nothing else is left.
func ParseTransports(list string) []string {
	return slices.Collect(splitList(list))
}

// FormatTransports is the inverse of ParseTransports: unix before tcp, each once.
func FormatTransports(transports []string) string {
	return strings.Join(inOrder(transports), ",")
}

// inOrder puts unix before tcp and both before names that this version does not know.
func inOrder(transports []string) []string {
	var known []string
	for _, name := range []string{Unix, TCP} {
		if slices.Contains(transports, name) {
			known = append(known, name)
		}
	}
	for _, name := range transports {
		if !slices.Contains(known, name) {
			known = append(known, name)
		}
	}
	return known
}

func splitList(list string) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		for item := range strings.SplitSeq(list, ",") {
			if item = strings.TrimSpace(item); item != "" && !yield(item) {
				return
			}
		}
	}
}

func quoteList(names []string) string {
	if len(names) == 0 {
		return "none"
	}
	return quote(strings.Join(names, ", "))
}

func orNone(list string) string {
	if list == "" {
		return "none"
	}
	return list
}
