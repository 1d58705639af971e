//go:build unix

package transport_test

import (
	"errors"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"testing"

	"github.com/plugingen/plugingen/runtime/handshake"
	"github.com/plugingen/plugingen/runtime/transport"
)

func listenLate(t *testing.T, dir string) net.Listener {
	t.Helper()
	l, err := transport.Listen(transport.ListenConfig{Network: handshake.Unix, Dir: dir, Late: true})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Lstat(l.Addr().String()); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the socket is there at once: %v", err)
	}
	return l
}

func TestLateSocketIsMadeByAccept(t *testing.T) {
	dir := shortDir(t)
	l := listenLate(t, dir)
	accepted := make(chan error, 1)
	go func() {
		conn, err := l.Accept()
		if err == nil {
			err = conn.Close()
		}
		accepted <- err
	}()
	conn := dialUntilThere(t, l.Addr())
	if err := errors.Join(<-accepted, conn.Close(), l.Close(), l.Close()); err != nil {
		t.Error(err)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("left: %v, %v", left, err)
	}
}

// dialUntilThere is what whoever reads the address does.
func dialUntilThere(t *testing.T, to net.Addr) net.Conn {
	t.Helper()
	for {
		conn, err := transport.Dial(t.Context(), to.Network(), to.String())
		if err == nil {
			return conn
		}
		if t.Context().Err() != nil {
			t.Fatal(err)
		}
	}
}

func TestLateSocketThatIsClosedFirst(t *testing.T) {
	dir := shortDir(t)
	l := listenLate(t, dir)
	if err := l.Close(); err != nil {
		t.Error(err)
	}
	if _, err := l.Accept(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("accept: %v, want net.ErrClosed", err)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("left: %v, %v", left, err)
	}
}

func TestLateSocketThatCannotBeMade(t *testing.T) {
	l := listenLate(t, filepath.Join(shortDir(t), "none"))
	for range 2 {
		if _, err := l.Accept(); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("accept: %v, want fs.ErrNotExist", err)
		}
	}
	if err := l.Close(); err != nil {
		t.Error(err)
	}
}
