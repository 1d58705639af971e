package generator

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
)

func TestHandshakeVersions(t *testing.T) {
	for _, c := range []struct {
		name, handshake string
		want            []int
	}{
		{"one", `var Handshake = handshake.Config{MagicCookieKey: "K", ProtocolVersions: []int{2}}`, []int{2}},
		{"several", `var Handshake = handshake.Config{ProtocolVersions: []int{3, 2, 3}}`, []int{3, 2}},
		{"among others", `var Other, Handshake = 1, handshake.Config{ProtocolVersions: []int{4}}`, []int{4}},
		{"none", `var Handshake = handshake.Config{MagicCookieKey: "K"}`, []int{1}},
		{"empty", `var Handshake = handshake.Config{ProtocolVersions: []int{}}`, []int{1}},
		{"a name", `var Handshake = handshake.Config{ProtocolVersions: []int{newest}}`, []int{1}},
		{"a function", `var Handshake = makeHandshake()`, []int{1}},
		{"another variable", `var Shake = handshake.Config{ProtocolVersions: []int{2}}`, []int{1}},
		{"no Go", `var Handshake = `, []int{1}},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			source := "package greeter\n\n" + c.handshake + "\n"
			if err := os.WriteFile(filepath.Join(dir, "greeter.go"), []byte(source), 0o600); err != nil {
				t.Fatal(err)
			}
			if got := handshakeVersions(dir); !slices.Equal(got, c.want) {
				t.Errorf("got %v, want %v", got, c.want)
			}
		})
	}
	if got := handshakeVersions(filepath.Join(t.TempDir(), "none")); !slices.Equal(got, []int{1}) {
		t.Errorf("no folder: got %v", got)
	}
}
