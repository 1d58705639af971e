package handshake_test

import (
	"crypto/sha256"
	"crypto/x509"
	"fmt"
	"testing"

	"github.com/plugingen/plugingen/runtime/handshake"
)

// lines is lines.json.
type lines struct {
	About []string     `json:"about"`
	Lines []lineGolden `json:"lines"`
}

type lineGolden struct {
	Name   string `json:"name"`
	Line   string `json:"line"`
	Parse  any    `json:"parse"`
	Strict string `json:"strict"`          // ParseStrict: "same", or its error
	Build  string `json:"build,omitempty"` // Build of what parsed: "same" as the line, or the line that it is
}

func TestLines(t *testing.T) {
	const name = "lines.json"
	var golden lines
	old := readGolden(t, name, &golden)
	for i, l := range golden.Lines {
		golden.Lines[i] = l.run(t)
	}
	checkGolden(t, name, old, golden)
}

func (l lineGolden) run(t *testing.T) lineGolden {
	t.Helper()
	r, err := handshake.Parse(l.Line)
	l.Parse, l.Strict, l.Build = outcome(describe(t, r), err), "same", ""
	if _, err := handshake.ParseStrict(l.Line); err != nil {
		l.Strict = err.Error()
	}
	if err != nil {
		return l
	}
	if l.Build, err = handshake.Build(r); err != nil {
		t.Errorf("%s: parsed, but does not build: %v", l.Name, err)
	}
	if l.Build == l.Line {
		l.Build = "same"
	}
	return l
}

// described is a Response for people.
type described struct {
	Core        int    `json:"core"`
	Version     int    `json:"version"`
	Network     string `json:"network"`
	Address     string `json:"address"`
	Loopback    bool   `json:"loopback"`
	Protocol    string `json:"protocol"`
	Certificate string `json:"certificate,omitempty"`
	Multiplex   bool   `json:"multiplex,omitempty"`
}

func describe(t *testing.T, r handshake.Response) described {
	t.Helper()
	d := described{r.CoreVersion, r.ProtocolVersion, r.Network, r.Address, r.IsLoopback(), r.Protocol, "", r.Multiplex}
	if r.Certificate == nil {
		return d
	}
	certificate, err := x509.ParseCertificate(r.Certificate)
	if err != nil {
		t.Fatal(err)
	}
	d.Certificate = fmt.Sprintf("%s, %s, %d bytes, sha256 %.16x", certificate.Subject, certificate.SignatureAlgorithm, len(r.Certificate), sha256.Sum256(r.Certificate))
	return d
}
