//go:build unix

package host_test

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/plugingen/plugingen/runtime/host"
)

// TestPorts has plugins of ours on tcp, in the range that the host gives.
func TestPorts(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = taken.Close() }()
	least := min(taken.Addr().(*net.TCPAddr).Port, 65535-100)
	for _, c := range []struct{ least, most, wantLeast, wantMost int }{
		{0, 0, host.DefaultMinPort, host.DefaultMaxPort},
		{least, least + 100, least, least + 100},
	} {
		t.Run(fmt.Sprint(c.least, " to ", c.most), func(t *testing.T) {
			s := newStage(t)
			cfg := s.config("good")
			cfg.Handshake.Transports = []string{"tcp"}
			cfg.MinPort, cfg.MaxPort = c.least, c.most
			p := s.open(cfg)
			_, digits, _ := net.SplitHostPort(p.Attachment().Address)
			if port, err := strconv.Atoi(digits); err != nil || port < c.wantLeast || port > c.wantMost || p.Attachment().Network != "tcp" {
				t.Errorf("address %s, want a port within %d and %d", p.Attachment().Address, c.wantLeast, c.wantMost)
			}
			if got := mustDo(t, p, "hello"); got != "hello" {
				t.Errorf("do: %q", got)
			}
		})
	}
	t.Run("none is free", func(t *testing.T) {
		s := newStage(t)
		cfg := s.config("good")
		cfg.Handshake.Transports = []string{"tcp"}
		cfg.MinPort = taken.Addr().(*net.TCPAddr).Port
		cfg.MaxPort = cfg.MinPort
		if e := s.openFails(t.Context(), cfg); e.ExitCode != 1 || !strings.Contains(e.Error(), "widen the range") {
			t.Errorf("%v", e)
		}
	})
}

// TestSocketModes looks at what a plugin of ours makes where the host wants it.
func TestSocketModes(t *testing.T) {
	group := os.Getgid()
	if os.Geteuid() == 0 {
		group = 12345 // any will do
	}
	for _, c := range []struct {
		group        string
		folder, sock os.FileMode
		gid          int
	}{
		{"", os.ModeDir | 0o700, os.ModeSocket | 0o600, os.Getegid()},
		{strconv.Itoa(group), os.ModeDir | 0o770, os.ModeSocket | 0o660, group},
	} {
		t.Run("group "+c.group, func(t *testing.T) {
			s := newStage(t)
			cfg := s.config("good")
			cfg.SocketGroup = c.group
			p := s.open(cfg)
			socket := p.Attachment().Address
			if filepath.Dir(filepath.Dir(socket)) != s.dir {
				t.Errorf("socket %s, want it in %s", socket, s.dir)
			}
			checkFile(t, filepath.Dir(socket), c.folder, c.gid)
			if err := p.Reachable(guarded(t)); err != nil { // with a lane the socket is there a moment later
				t.Fatal(err)
			}
			checkFile(t, socket, c.sock, c.gid)
			if got := mustDo(t, p, "hello"); got != "hello" {
				t.Errorf("do: %q", got)
			}
		})
	}
}

func checkFile(t *testing.T, path string, mode os.FileMode, gid int) {
	t.Helper()
	info, err := os.Lstat(path)
	if err != nil {
		t.Fatal(err)
	}
	if got := int(info.Sys().(*syscall.Stat_t).Gid); info.Mode() != mode || got != gid {
		t.Errorf("%s: mode %v of group %d, want %v of group %d", path, info.Mode(), got, mode, gid)
	}
}
