package handshake_test

import (
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"strings"
	"testing"

	"github.com/plugingen/plugingen/runtime/handshake"
)

// vectors is pyvider.json.
type vectors struct {
	About   []string `json:"about"`
	Vectors []vector `json:"vectors"`
}

type vector struct {
	Fn      string          `json:"fn"` // pyvider's name
	In      json.RawMessage `json:"in"`
	Note    string          `json:"note,omitempty"`
	Pyvider json.RawMessage `json:"pyvider"`
	Ours    any             `json:"ours"`            // in pyvider's terms; {"error": text} where ours refuses
	Parse   any             `json:"parse,omitempty"` // what Parse does where ParseStrict, which is ours, does not agree
	Why     string          `json:"why,omitempty"`   // ours is not pyvider's
}

// refusal is how a golden shows an error.
type refusal struct {
	Error string `json:"error"`
}

func TestPyviderVectors(t *testing.T) {
	const name = "pyvider.json"
	var golden vectors
	old := readGolden(t, name, &golden)
	for i := range golden.Vectors {
		v := &golden.Vectors[i]
		v.Ours, v.Parse = v.run(t)
		v.checkWhy(t)
	}
	checkGolden(t, name, old, golden)
}

// checkWhy keeps reasons and differences together, and holds us to refusing what is marked as pyvider's weakness.
func (v *vector) checkWhy(t *testing.T) {
	t.Helper()
	_, refused := v.Ours.(refusal)
	differs := compact(t, v.Ours) != compact(t, v.Pyvider)
	if refused {
		differs = compact(t, v.Pyvider) != `"error"`
	}
	if differs != (v.Why != "") {
		t.Errorf("%s %s: pyvider %s, ours %s, why %q", v.Fn, v.In, v.Pyvider, compact(t, v.Ours), v.Why)
	}
	if strings.Contains(v.Note, "(weakness)") && !refused && v.Ours != false {
		t.Errorf("%s %s: a weakness of pyvider, and ours accepts it: %s", v.Fn, v.In, compact(t, v.Ours))
	}
}

// run does with our functions what the vector's function is for.
func (v *vector) run(t *testing.T) (ours, parse any) {
	t.Helper()
	switch v.Fn {
	case "parse_handshake_response":
		return v.parse(t)
	case "is_valid_handshake_parts":
		_, err := handshake.ParseStrict(strings.Join(input[[]string](t, v), "|"))
		return err == nil, nil
	case "negotiate_protocol_version":
		return v.negotiateVersion(t), nil
	case "negotiate_transport":
		return v.negotiateTransport(t), nil
	case "build_handshake_response":
		return v.build(t), nil
	case "normalize_unix_path":
		return handshake.UnixPath(input[string](t, v)), nil
	default:
		t.Fatalf("no function of ours for %s", v.Fn)
		return nil, nil
	}
}

func input[T any](t *testing.T, v *vector) (in T) {
	t.Helper()
	if err := json.Unmarshal(v.In, &in); err != nil {
		t.Fatalf("%s %s: %v", v.Fn, v.In, err)
	}
	return in
}

func outcome[T any](value T, err error) any {
	if err != nil {
		return refusal{err.Error()}
	}
	return value
}

func (v *vector) parse(t *testing.T) (strict, lenient any) {
	t.Helper()
	line := input[string](t, v)
	r, err := handshake.ParseStrict(line)
	strict = outcome(fields(r), err)
	r, err = handshake.Parse(line)
	lenient = outcome(fields(r), err)
	if _, refused := lenient.(refusal); refused || compact(t, lenient) == compact(t, strict) {
		lenient = nil
	}
	return strict, lenient
}

// fields is the tuple that pyvider returns.
func fields(r handshake.Response) []any {
	tuple := []any{r.CoreVersion, r.ProtocolVersion, r.Network, r.Address, r.Protocol, nil}
	if r.Certificate != nil {
		tuple[5] = base64.StdEncoding.EncodeToString(r.Certificate)
	}
	return tuple
}

func (v *vector) negotiateVersion(t *testing.T) any {
	t.Helper()
	in := input[struct {
		Offered []int `json:"server_versions"` // what the host sent, whatever pyvider calls it
		Served  []int `json:"supported"`
	}](t, v)
	version, ok := handshake.NegotiateVersion(in.Served, in.Offered)
	if !ok {
		return fmt.Sprintf("%d, not in common", version)
	}
	return version
}

// negotiateTransport has pyvider's class name beside the transport's, since that is what pyvider returns.
func (v *vector) negotiateTransport(t *testing.T) any {
	t.Helper()
	name, err := handshake.NegotiateTransport(input[[]string](t, v), nil)
	class := map[string]string{handshake.Unix: "UnixSocketTransport", handshake.TCP: "TCPSocketTransport"}[name]
	return outcome([]string{name, class}, err)
}

func (v *vector) build(t *testing.T) any {
	t.Helper()
	in := input[struct {
		Version     int     `json:"plugin_version"`
		Network     string  `json:"transport_name"`
		Transport   string  `json:"transport"`
		Certificate *string `json:"server_cert_pem"`
		Port        *int    `json:"port"`
	}](t, v)
	_, address, _ := strings.Cut(strings.ReplaceAll(in.Transport, "listen()->", "endpoint="), "endpoint=")
	if in.Network == handshake.TCP {
		address = fmt.Sprintf("127.0.0.1:%d", *in.Port)
	}
	line, err := handshake.Build(handshake.Response{
		ProtocolVersion: in.Version, Network: in.Network, Address: address, Certificate: der(in.Certificate),
	})
	return outcome(strings.TrimSuffix(line, "\n"), err)
}

// der is what Build takes in place of PEM; text that is no PEM goes as it is.
func der(text *string) []byte {
	if text == nil {
		return nil
	}
	if block, _ := pem.Decode([]byte(*text)); block != nil {
		return block.Bytes
	}
	return []byte(*text)
}
