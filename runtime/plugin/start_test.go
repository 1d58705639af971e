package plugin_test

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/plugingen/plugingen/runtime/internal/wire"
)

func TestHandshakeLine(t *testing.T) {
	dir := socketDir(t)
	c, cc := open(t, "plain", "PLUGIN_UNIX_SOCKET_DIR="+dir)
	if filepath.Dir(c.resp.Address) != dir {
		t.Errorf("the socket is %s, want one in %s", c.resp.Address, dir)
	}
	info, err := os.Stat(c.resp.Address)
	if err != nil {
		t.Fatal(err)
	}
	if mode := info.Mode().Perm(); mode != 0o600 {
		t.Errorf("the socket's mode is %v, want 0600", mode)
	}
	if err := wire.Check(guarded(t), cc); err != nil {
		t.Errorf("health: %v", err)
	}
	stop(t, c, cc)
	if rest := c.rest(); rest != "" {
		t.Errorf("after the line, standard output has %q", rest)
	}
}

func TestHandshakeLineBytes(t *testing.T) {
	tests := []struct {
		name, mode string
		env        []string
		want       string // with %s for the address
	}{
		{"unix", "plain", nil, "1|1|unix|%s|grpc|\n"},
		{"multiplexed", "plain", []string{"PLUGIN_MULTIPLEX_GRPC=true"}, "1|1|unix|%s|grpc||true\n"},
		{"multiplexed tcp", "plain", []string{"PLUGIN_MULTIPLEX_GRPC=1", "PLUGIN_TRANSPORTS=tcp"}, "1|1|tcp|%s|grpc||true\n"},
		{"not multiplexed", "plain", []string{"PLUGIN_MULTIPLEX_GRPC=false"}, "1|1|unix|%s|grpc|\n"},
		{"nothing that can be understood", "plain", []string{"PLUGIN_MULTIPLEX_GRPC=maybe"}, "1|1|unix|%s|grpc|\n"},
		{"empty", "plain", []string{"PLUGIN_MULTIPLEX_GRPC="}, "1|1|unix|%s|grpc|\n"},
		{"tcp", "plain", []string{"PLUGIN_TRANSPORTS=tcp"}, "1|1|tcp|%s|grpc|\n"},
		{"unix before tcp", "plain", []string{"PLUGIN_TRANSPORTS=tcp,unix"}, "1|1|unix|%s|grpc|\n"},
		{"highest in common", "versions", []string{"PLUGIN_PROTOCOL_VERSIONS=1,2,3"}, "1|2|unix|%s|grpc|\n"},
		{"any order", "versions", []string{"PLUGIN_PROTOCOL_VERSIONS=9, 4,1"}, "1|4|unix|%s|grpc|\n"},
		{"none in common", "versions", []string{"PLUGIN_PROTOCOL_VERSIONS=3,5"}, "1|1|unix|%s|grpc|\n"},
		{"no list", "versions", []string{"PLUGIN_PROTOCOL_VERSIONS="}, "1|1|unix|%s|grpc|\n"},
		{"odd items", "versions", []string{"PLUGIN_PROTOCOL_VERSIONS=x,,2,-4,\x1b[31m,99999999999999999999"}, "1|2|unix|%s|grpc|\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := start(t, tt.mode, append(hostEnv(), tt.env...)...)
			got := c.handshake()
			if want := fmt.Sprintf(tt.want, c.resp.Address); got != want {
				t.Errorf("line %q, want %q", got, want)
			}
			stop(t, c, c.dial())
		})
	}
}

func TestOddVersionsAreReported(t *testing.T) {
	c := start(t, "versions", append(hostEnv(), "PLUGIN_PROTOCOL_VERSIONS=\x1b[31m,7")...)
	c.handshake()
	c.stderr.await(t, "no protocol version that this plugin serves")
	got := c.stderr.String()
	for _, want := range []string{`x1b[31m`, "offered=7", "served=1,2,4", "announced=1"} {
		if !strings.Contains(got, want) {
			t.Errorf("standard error lacks %q:\n%s", want, got)
		}
	}
	if strings.Contains(got, "\x1b") {
		t.Errorf("standard error has an escape character: %q", got)
	}
}

func TestByHand(t *testing.T) {
	for _, env := range [][]string{nil, {cookieKey + "="}} {
		c := start(t, "versions", env...)
		if code := c.wait(); code != 1 {
			t.Errorf("exit code %d, want 1", code)
		}
		if rest := c.rest(); rest != "" {
			t.Errorf("standard output has %q", rest)
		}
		for _, want := range []string{"is a plugin", "a host program starts it", "test.Echo (protocol version 4)", "go test"} {
			if got := c.stderr.String(); !strings.Contains(got, want) {
				t.Errorf("standard error lacks %q:\n%s", want, got)
			}
		}
	}
}

// A start that fails exits with 1 and says why in one line, without the cookie's value.
func TestStartFails(t *testing.T) {
	missing := filepath.Join(t.TempDir(), "missing")
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	busy := busyPort(t)
	tests := []struct {
		name, mode string
		env        []string
		want       []string
	}{
		{"wrong cookie", "plain", []string{cookieKey + "=other-not-to-be-printed"}, []string{"magic cookie does not match", cookieKey}},
		{"no cookie configured", "no cookie", nil, []string{"magic cookie key is not configured"}},
		{"no services", "empty", nil, []string{"no Services"}},
		{"version without a service", "no service", nil, []string{"no implementation in Services for protocol version 3"}},
		{"service that is never served", "unserved", nil, []string{"protocol version 5 in Services is not one of"}},
		{"socket folder that would break the line", "plain", []string{"PLUGIN_UNIX_SOCKET_DIR=/no\nsuch\x1b[31m/dir"}, []string{`/no; such\x1b[31m/dir`}},
		{"service twice, wrong type", "twice", nil, []string{"test.Echo is registered twice", "test.Other: int is not a"}},
		{"a service of the runtime", "reserved", nil, []string{"plugin.GRPCController is registered twice, or is one of the runtime's own"}},
		{"TLS", "plain", []string{"PLUGIN_CLIENT_CERT=-----BEGIN CERTIFICATE-----\nMIIB"}, []string{"mutual TLS", "PLUGIN_CLIENT_CERT"}},
		{"no transport in common", "plain", []string{"PLUGIN_TRANSPORTS=pigeon"}, []string{"no transport in common", "pigeon"}},
		{"socket folder missing", "plain", []string{"PLUGIN_UNIX_SOCKET_DIR=" + missing}, []string{missing, "no such file"}},
		{"socket folder is a file", "plain", []string{"PLUGIN_UNIX_SOCKET_DIR=" + file}, []string{file, "not a directory"}},
		{"socket group unknown", "plain", []string{"PLUGIN_UNIX_SOCKET_GROUP=no-such-group"}, []string{"no-such-group"}},
		{"port range exhausted", "plain", []string{"PLUGIN_TRANSPORTS=tcp", "PLUGIN_MIN_PORT=" + busy, "PLUGIN_MAX_PORT=" + busy}, []string{"no free port", busy}},
		{"ports reversed", "plain", []string{"PLUGIN_TRANSPORTS=tcp", "PLUGIN_MIN_PORT=20", "PLUGIN_MAX_PORT=10"}, []string{"PLUGIN_MIN_PORT 20 is above PLUGIN_MAX_PORT 10"}},
		{"port not a number", "plain", []string{"PLUGIN_TRANSPORTS=tcp", "PLUGIN_MIN_PORT=ten"}, []string{`PLUGIN_MIN_PORT is "ten"`}},
		{"port too large", "plain", []string{"PLUGIN_TRANSPORTS=tcp", "PLUGIN_MAX_PORT=65536"}, []string{`PLUGIN_MAX_PORT is "65536"`}},
		{"half a port range", "plain", []string{"PLUGIN_TRANSPORTS=tcp", "PLUGIN_MIN_PORT="}, []string{`PLUGIN_MIN_PORT is ""`}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := start(t, tt.mode, append(hostEnv(), tt.env...)...)
			if code := c.wait(); code != 1 {
				t.Errorf("exit code %d, want 1", code)
			}
			got := c.stderr.String()
			if strings.Count(got, "\n") != 1 || !strings.HasSuffix(got, "\n") || !strings.Contains(got, "cannot start the plugin: ") {
				t.Errorf("standard error is not one plain line:\n%s", got)
			}
			for _, want := range tt.want {
				if !strings.Contains(got, want) {
					t.Errorf("standard error lacks %q:\n%s", want, got)
				}
			}
			if strings.Contains(got, "not-to-be-printed") {
				t.Errorf("standard error has a cookie's value:\n%s", got)
			}
			if rest := c.rest(); rest != "" {
				t.Errorf("standard output has %q", rest)
			}
		})
	}
}

func TestPortRange(t *testing.T) {
	busy := busyPort(t)
	lowest, err := strconv.Atoi(busy)
	if err != nil {
		t.Fatal(err)
	}
	highest := min(lowest+50, 65535)
	c, cc := open(t, "plain", "PLUGIN_TRANSPORTS=tcp", "PLUGIN_MIN_PORT="+busy, "PLUGIN_MAX_PORT="+strconv.Itoa(highest))
	_, port, err := net.SplitHostPort(c.resp.Address)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := strconv.Atoi(port); err != nil || got <= lowest || got > highest {
		t.Errorf("port %s, want one above %d and not above %d", port, lowest, highest)
	}
	if !c.resp.IsLoopback() {
		t.Errorf("address %s is not on loopback", c.resp.Address)
	}
	if got := do(t, cc, "hello"); got != "hello" {
		t.Errorf("got %q", got)
	}
	stop(t, c, cc)
}

// busyPort is a port of 127.0.0.1 on which somebody listens.
func busyPort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	_, port, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return port
}

// socketDir is a private folder with a short path.
func socketDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "pg") //nolint:usetesting // a socket's path must be short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

func TestEnvironmentIsClean(t *testing.T) {
	dir := socketDir(t)
	c, cc := open(t, "plain", "PLUGIN_UNIX_SOCKET_DIR="+dir, "PLUGIN_TRANSPORTS=unix", "PLUGIN_MULTIPLEX_GRPC=true", "PLUGIN_OF_MINE=1")
	for line := range strings.SplitSeq(do(t, cc, "environ"), "\n") {
		key, _, _ := strings.Cut(line, "=")
		if strings.HasPrefix(key, "PLUGIN_") && key != "PLUGIN_OF_MINE" {
			t.Errorf("a child would inherit %s", key)
		}
	}
	if !strings.Contains(do(t, cc, "environ"), "PLUGIN_OF_MINE=1") {
		t.Error("a variable that is not the protocol's is gone")
	}
	stop(t, c, cc)
}
