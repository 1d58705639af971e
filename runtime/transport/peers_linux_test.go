package transport_test

import (
	"errors"
	"io"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/plugingen/plugingen/runtime/transport"
)

const nobody = 65534

// dialAsNobody connects as another user does: from a thread with that user's rights, which ends with the connecting.
func dialAsNobody(t *testing.T, gid int, path string) (conn net.Conn, err error) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("only root can be another user")
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread() // and never unlocked, so that no other goroutine gets this thread
		for _, call := range [][4]uintptr{
			{syscall.SYS_SETGROUPS, 0, 0, 0},
			{syscall.SYS_SETRESGID, uintptr(gid), uintptr(gid), uintptr(gid)},
			{syscall.SYS_SETRESUID, nobody, nobody, nobody},
		} {
			if _, _, errno := syscall.RawSyscall(call[0], call[1], call[2], call[3]); errno != 0 {
				err = errno
				return
			}
		}
		conn, err = net.Dial("unix", path)
	}()
	<-done
	if conn != nil {
		t.Cleanup(func() { _ = conn.Close() })
		_ = conn.SetDeadline(time.Now().Add(time.Minute))
	}
	return conn, err
}

func TestOtherUsersCannotReachTheSocket(t *testing.T) {
	own := listen(t, transport.ListenConfig{Network: "unix"})
	if _, err := dialAsNobody(t, nobody, own.Addr().String()); !errors.Is(err, fs.ErrPermission) {
		t.Errorf("in its own folder: got %v, want permission denied", err)
	}
	dir := shortDir(t)
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	shared := listen(t, transport.ListenConfig{Network: "unix", Dir: dir})
	if _, err := dialAsNobody(t, nobody, shared.Addr().String()); !errors.Is(err, fs.ErrPermission) {
		t.Errorf("in a folder open to all: got %v, want permission denied", err)
	}
}

func TestOtherUsersAreTurnedAwayWhateverTheModes(t *testing.T) {
	refused := make(chan int, 1)
	dir := shortDir(t)
	l := listen(t, transport.ListenConfig{Network: "unix", Dir: dir, Refused: func(uid int) { refused <- uid }})
	path := l.Addr().String()
	if err := errors.Join(os.Chmod(dir, 0o755), os.Chmod(path, 0o777)); err != nil {
		t.Fatal(err)
	}
	stranger, err := dialAsNobody(t, nobody, path)
	if err != nil {
		t.Fatal(err)
	}
	// The stranger is first in the queue, and only this connection comes out of it.
	checkTalk(t, l, "unix", path)
	if uid := <-refused; uid != nobody {
		t.Errorf("got user %d refused, want %d", uid, nobody)
	}
	if n, err := stranger.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
		t.Errorf("got %d, %v, want the stranger's connection closed", n, err)
	}
}

func TestAGroupsMembersAreLetIn(t *testing.T) {
	const gid = 54321
	if os.Geteuid() != 0 {
		t.Skip("only root can be another user")
	}
	l := listen(t, transport.ListenConfig{Network: "unix", Group: strconv.Itoa(gid)})
	path := l.Addr().String()
	if _, err := dialAsNobody(t, nobody, path); !errors.Is(err, fs.ErrPermission) {
		t.Errorf("no member: got %v, want permission denied", err)
	}
	member, err := dialAsNobody(t, gid, path)
	if err != nil {
		t.Fatal(err)
	}
	there := accept(t, l)
	if uid, ok := transport.PeerUID(there); !ok || uid != nobody {
		t.Errorf("got %d, %v, want %d", uid, ok, nobody)
	}
	if _, err := member.Write([]byte("x")); err != nil {
		t.Error(err)
	}
}

func TestSocketsArePrivateFromTheirFirstMoment(t *testing.T) {
	p := start(t, "bind", "SOCKET="+filepath.Join(shortDir(t), "s"))
	checkMode(t, p.line, fs.ModeSocket|0o600)
	p.end(t)
}

func TestPeerUIDOfASocketWithoutPeer(t *testing.T) {
	path := filepath.Join(shortDir(t), "s")
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	if uid, ok := transport.PeerUID(conn); ok {
		t.Errorf("got user %d", uid)
	}
}

// descriptors counts what this process has open.
func descriptors(t *testing.T) int {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(entries)
}

func TestNoDescriptorIsLeft(t *testing.T) {
	long, file := longDir(t), filepath.Join(shortDir(t), "file")
	round := func() {
		l, err := transport.Listen(transport.ListenConfig{Network: "unix", Dir: long})
		if err != nil {
			t.Fatal(err)
		}
		conn, err := transport.Dial(t.Context(), "unix", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		there, err := l.Accept()
		if err != nil {
			t.Fatal(err)
		}
		_, _, _ = conn.Close(), there.Close(), l.Close()
		_, err = transport.Dial(t.Context(), "unix", l.Addr().String())
		checkError(t, err, fs.ErrNotExist)
		_, err = transport.Listen(transport.ListenConfig{Network: "unix", Dir: file})
		checkError(t, err, fs.ErrNotExist)
		_, err = transport.NewSocketDirIn(file, long)
		checkError(t, err, transport.ErrSocketDir)
	}
	round() // opens what stays open, such as the poller
	before := descriptors(t)
	for range 20 {
		round()
	}
	if after := descriptors(t); after > before {
		t.Errorf("got %d descriptors, %d before", after, before)
	}
}
