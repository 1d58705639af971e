// Package handshake_test holds runtime/handshake to what is written down in this folder:
//
//   - pyvider.json: inputs with what pyvider's handshake does (executed) beside what ours does, and why where they differ;
//   - lines.json: handshake lines of go-plugin (captured) and others, with what ours makes of them.
//
// With -update the tests rewrite what ours does. A difference without a reason still fails: write the reason by hand.
package handshake_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"testing"

	"github.com/rogpeppe/go-internal/diff"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func readGolden(t *testing.T, name string, into any) []byte {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(into); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return data
}

// checkGolden compares the file, whose bytes are old, with what it should hold, or rewrites it.
func checkGolden(t *testing.T, name string, old []byte, content any) {
	t.Helper()
	want := encode(t, content)
	if bytes.Equal(old, want) {
		return
	}
	if *update {
		if err := os.WriteFile(name, want, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	t.Errorf("ours has changed; if that is right, run with -update and read the diff:\n%s", diff.Diff(name, old, "now", want))
}

func encode(t *testing.T, content any) []byte {
	t.Helper()
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(content); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// compact makes JSON values comparable.
func compact(t *testing.T, value any) string {
	t.Helper()
	var b bytes.Buffer
	if err := json.Compact(&b, bytes.TrimSpace(encode(t, value))); err != nil {
		t.Fatal(err)
	}
	return b.String()
}
