package lane

import (
	"encoding/binary"
	"maps"
	"slices"
	"strings"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// methodNames are the methods that a server has told a client that it serves, by full name. nil: it has told nothing.
type methodNames map[string]struct{}

// appendMethods appends the frame that tells which methods are served; nothing when they do not fit one.
func appendMethods(b []byte, methods map[string]*method) []byte {
	framed, at := reserveHeader(b)
	for _, name := range slices.Sorted(maps.Keys(methods)) {
		if len(name) > maxName {
			continue // no client can call it
		}
		framed = binary.LittleEndian.AppendUint16(framed, uint16(len(name)))
		framed = append(framed, name...)
	}
	if len(framed)-at-headerSize > maxFrame {
		return b
	}
	sealFrame(framed, at, header{kind: kindMethods})
	return framed
}

func parseMethods(body []byte) (methodNames, error) {
	names := methodNames{}
	for len(body) > 0 {
		if len(body) < 2 {
			return nil, protocolError("names of methods end within a length")
		}
		n := int(binary.LittleEndian.Uint16(body))
		if body = body[2:]; n > len(body) || n > maxName {
			return nil, protocolError("name of a method of %d bytes, with %d left", n, len(body))
		}
		names[string(body[:n])] = struct{}{}
		body = body[n:]
	}
	return names, nil
}

// missing is the status of a call of a method that the server lacks; nil when it has the method, or has not told.
func (names methodNames) missing(method string) error {
	if _, has := names[method]; has || names == nil {
		return nil
	}
	return unknownMethod(method, func(service string) bool {
		for name := range names {
			if strings.HasPrefix(name, "/"+service+"/") {
				return true
			}
		}
		return false
	}).Err()
}

// unknownMethod says what of a method's name is not served.
func unknownMethod(name string, has func(service string) bool) *status.Status {
	cut := strings.LastIndex(name, "/")
	if !strings.HasPrefix(name, "/") || cut < 1 {
		return status.Newf(codes.Unimplemented, "malformed method name: %q", name)
	}
	service := name[1:cut]
	if !has(service) {
		return status.Newf(codes.Unimplemented, "unknown service %v", service)
	}
	return status.Newf(codes.Unimplemented, "unknown method %v for service %v", name[cut+1:], service)
}

// handleMethods learns what the server serves.
func (c *Client) handleMethods(h header) error {
	body, err := c.r.take(int(h.size))
	if err != nil {
		return err
	}
	names, err := parseMethods(body)
	if err == nil {
		c.served.Store(&names)
	}
	return err
}

// missing is why a method cannot be called; nil when it may be.
func (c *Client) missing(method string) error {
	if names := c.served.Load(); names != nil {
		return names.missing(method)
	}
	return nil
}
