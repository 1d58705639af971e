package plugin

import (
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

func listenUnix(t *testing.T) net.Listener {
	t.Helper()
	dir, err := os.MkdirTemp("", "pg") //nolint:usetesting // a socket's path must be short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	l, err := net.Listen("unix", filepath.Join(dir, "s"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return l
}

// join connects a peer that says word, and accepts it.
func join(t *testing.T, l *conns, word string) (peer, accepted net.Conn) {
	t.Helper()
	peer, err := net.Dial("unix", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = peer.Close() })
	if _, err := io.WriteString(peer, word); err != nil {
		t.Fatal(err)
	}
	accepted, err = l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = accepted.Close() })
	if _, err := io.ReadFull(accepted, make([]byte, len(word))); err != nil {
		t.Fatal(err)
	}
	return peer, accepted
}

func isOpen(t *testing.T, peer net.Conn) bool {
	t.Helper()
	_ = peer.SetReadDeadline(time.Now().Add(10 * time.Millisecond)) // an open one says nothing
	_, err := peer.Read(make([]byte, 1))
	return os.IsTimeout(err)
}

// isClosed waits for the end that must have come: a short wait would be over before a busy machine looks.
func isClosed(t *testing.T, peer net.Conn) bool {
	t.Helper()
	_ = peer.SetReadDeadline(time.Now().Add(time.Minute))
	_, err := peer.Read(make([]byte, 1))
	return err != nil && !os.IsTimeout(err)
}

const preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"

func TestSilentConnectionsMakeRoom(t *testing.T) {
	l := newConns(listenUnix(t), 3)
	host, _ := join(t, l, preface)
	oldest, _ := join(t, l, "PRI")
	younger, _ := join(t, l, "")
	newcomer, _ := join(t, l, preface)
	for name, peer := range map[string]net.Conn{"host": host, "younger": younger, "newcomer": newcomer} {
		if !isOpen(t, peer) {
			t.Errorf("%s: was closed", name)
		}
	}
	if !isClosed(t, oldest) {
		t.Error("the oldest silent connection was left open")
	}
}

func TestNewcomerWaitsWhenAllHaveSpoken(t *testing.T) {
	l := newConns(listenUnix(t), 2)
	first, accepted := join(t, l, preface)
	second, _ := join(t, l, preface)
	refused, err := net.Dial("unix", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer refused.Close()
	next := make(chan net.Conn, 1)
	go func() { c, _ := l.Accept(); next <- c }()
	if _, err := refused.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
		t.Errorf("the newcomer reads %v, want io.EOF", err)
	}
	if !isOpen(t, first) || !isOpen(t, second) {
		t.Error("a connection that is in use was closed")
	}
	_ = accepted.Close() // room again
	welcome, err := net.Dial("unix", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer welcome.Close()
	if c := <-next; c == nil {
		t.Error("no room after a connection has closed")
	} else {
		_ = c.Close()
	}
}

func TestCloseEndsSilentConnectionsAlone(t *testing.T) {
	l := newConns(listenUnix(t), 9)
	silent, _ := join(t, l, "")
	host, _ := join(t, l, preface)
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if !isClosed(t, silent) || !isOpen(t, host) {
		t.Error("Close must end the silent connection, and it alone")
	}
	l.closeAll()
	if !isClosed(t, host) || l.count() != 0 {
		t.Error("closeAll left a connection")
	}
}

// starved is a listener of a process that has run out of descriptors until one is closed.
type starved struct {
	net.Listener
	times int
}

func (s *starved) Accept() (net.Conn, error) {
	if s.times > 0 {
		s.times--
		return nil, &net.OpError{Op: "accept", Err: os.NewSyscallError("accept4", syscall.EMFILE)}
	}
	return s.Listener.Accept()
}

func TestOutOfDescriptors(t *testing.T) {
	inner := &starved{Listener: listenUnix(t)}
	l := newConns(inner, 9)
	silent, _ := join(t, l, "")
	inner.times = 1
	host, _ := join(t, l, preface)
	if !isClosed(t, silent) || !isOpen(t, host) {
		t.Error("the silent connection must make room")
	}
	inner.times = 1
	if _, err := l.Accept(); !isOutOfDescriptors(err) {
		t.Errorf("with nothing to give up Accept returns %v, want EMFILE", err)
	}
}
