//go:build unix

package transport_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/plugingen/plugingen/runtime/handshake"
	"github.com/plugingen/plugingen/runtime/transport"
)

// shortDir is t.TempDir with a path that leaves room for sockets.
func shortDir(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "t") //nolint:usetesting // t.TempDir's paths hold the test's name, which is too long here
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

// longDir is a folder in which every socket's path is too long for the system.
func longDir(t testing.TB) string {
	t.Helper()
	dir := filepath.Join(shortDir(t), strings.Repeat("l", 120))
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	return dir
}

func checkMode(t *testing.T, path string, want fs.FileMode) {
	t.Helper()
	info, err := os.Lstat(path)
	if err != nil {
		t.Fatal(err)
	}
	if got := info.Mode(); got != want {
		t.Errorf("%s: got mode %v, want %v", path, got, want)
	}
}

func checkGroup(t *testing.T, path string, want int) {
	t.Helper()
	info, err := os.Lstat(path)
	if err != nil {
		t.Fatal(err)
	}
	if got := info.Sys().(*syscall.Stat_t).Gid; int(got) != want {
		t.Errorf("%s: got group %d, want %d", path, got, want)
	}
}

func checkGone(t *testing.T, path string) {
	t.Helper()
	if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%s is left: %v", path, err)
	}
}

func checkEmpty(t *testing.T, dir string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) > 0 {
		t.Errorf("%s: got %v, %v, want nothing", dir, entries, err)
	}
}

func TestModesUnderAnyUmask(t *testing.T) {
	for _, mask := range []string{"000", "022", "077", "777"} {
		t.Run(mask, func(t *testing.T) {
			p := start(t, "listen", "UMASK="+mask)
			checkMode(t, p.line, fs.ModeSocket|0o600)
			checkMode(t, filepath.Dir(p.line), fs.ModeDir|0o700)
			dial(t, "unix", p.line)
			p.end(t)
			checkGone(t, filepath.Dir(p.line))
		})
		t.Run(mask+" in a folder", func(t *testing.T) {
			dir := shortDir(t)
			p := start(t, "listen", "UMASK="+mask, "DIR="+dir)
			checkMode(t, p.line, fs.ModeSocket|0o600)
			if got := filepath.Dir(p.line); got != dir {
				t.Errorf("got a socket in %s, want %s", got, dir)
			}
			p.end(t)
			checkEmpty(t, dir)
		})
	}
}

// aGroup is one that this process may give files to, and not the one that they get by themselves where that is possible.
func aGroup() int {
	if os.Geteuid() == 0 {
		return 54321
	}
	return os.Getegid()
}

func TestModesForAGroup(t *testing.T) {
	gid := aGroup()
	for _, mask := range []string{"000", "022", "077"} {
		t.Run(mask, func(t *testing.T) {
			p := start(t, "listen", "UMASK="+mask, "GROUP="+strconv.Itoa(gid))
			checkMode(t, p.line, fs.ModeSocket|0o660)
			checkGroup(t, p.line, gid)
			checkMode(t, filepath.Dir(p.line), fs.ModeDir|0o770)
			checkGroup(t, filepath.Dir(p.line), gid)
			p.end(t)
			checkGone(t, filepath.Dir(p.line))
		})
	}
}

func TestUnknownGroup(t *testing.T) {
	dir := shortDir(t)
	_, err := transport.Listen(transport.ListenConfig{Network: "unix", Group: "no-such-group-here"})
	checkError(t, err, transport.ErrGroup)
	_, err = transport.Listen(transport.ListenConfig{Network: "unix", Dir: dir, Group: "no-such-group-here"})
	checkError(t, err, transport.ErrGroup)
	_, err = transport.NewSocketDir(dir, "no-such-group-here")
	checkError(t, err, transport.ErrGroup)
	checkEmpty(t, dir)
}

func TestListenInAFolderThatIsNone(t *testing.T) {
	file := filepath.Join(shortDir(t), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := transport.Listen(transport.ListenConfig{Network: "unix", Dir: file})
	checkError(t, err, syscall.ENOTDIR)
	_, err = transport.Listen(transport.ListenConfig{Network: "unix", Dir: file + "s"})
	checkError(t, err, fs.ErrNotExist)
	if !strings.Contains(err.Error(), file+"s") {
		t.Errorf("got %v, want it to name %ss", err, file)
	}
}

func TestListenInARelativeFolder(t *testing.T) {
	dir := shortDir(t)
	t.Chdir(dir)
	if err := os.Mkdir("s", 0o700); err != nil {
		t.Fatal(err)
	}
	l := listen(t, transport.ListenConfig{Network: "unix", Dir: "s"})
	if got := l.Addr().String(); !filepath.IsAbs(got) {
		t.Errorf("got address %s, want an absolute path", got)
	}
	checkTalk(t, l, "unix", l.Addr().String())
}

func TestLongPaths(t *testing.T) {
	dir := longDir(t)
	l, err := transport.Listen(transport.ListenConfig{Network: "unix", Dir: dir})
	if runtime.GOOS != "linux" {
		checkError(t, err, transport.ErrPathTooLong)
		checkEmpty(t, dir)
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	path := l.Addr().String()
	if filepath.Dir(path) != dir {
		t.Errorf("got address %s, want one in %s", path, dir)
	}
	checkMode(t, path, fs.ModeSocket|0o600)
	checkTalk(t, l, "unix", path)
	checkTalk(t, l, "unix", "unix://"+path)
	if err := l.Close(); err != nil {
		t.Error(err)
	}
	checkEmpty(t, dir)
}

func TestPathsThatNothingShortens(t *testing.T) {
	_, err := transport.Dial(t.Context(), "unix", filepath.Join(shortDir(t), strings.Repeat("s", 200)))
	checkError(t, err, transport.ErrPathTooLong)
}

func TestDialLongPathInNoFolder(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("long paths are an error here anyway")
	}
	_, err := transport.Dial(t.Context(), "unix", filepath.Join(longDir(t), "missing", "s"))
	checkError(t, err, fs.ErrNotExist)
	_, err = transport.Dial(t.Context(), "unix", filepath.Join(longDir(t), "s"))
	checkError(t, err, fs.ErrNotExist)
}

func TestListenWithALongTMPDIR(t *testing.T) {
	long := longDir(t)
	t.Setenv("TMPDIR", long)
	l := listen(t, transport.ListenConfig{Network: "unix"})
	if path := l.Addr().String(); len(path) > 103 {
		t.Errorf("got %s with %d bytes, want a path that every program can dial", path, len(path))
	}
	checkTalk(t, l, "unix", l.Addr().String())
	checkEmpty(t, long)
}

func TestCloseRemovesSocketAndOwnFolder(t *testing.T) {
	l := listen(t, transport.ListenConfig{Network: "unix"})
	folder := filepath.Dir(l.Addr().String())
	if err := os.WriteFile(filepath.Join(folder, "left by somebody"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := l.Close(); err != nil {
		t.Error(err)
	}
	checkGone(t, folder)
}

func TestCloseAfterSomebodyRemovedTheFolder(t *testing.T) {
	l := listen(t, transport.ListenConfig{Network: "unix"})
	if err := os.RemoveAll(filepath.Dir(l.Addr().String())); err != nil {
		t.Fatal(err)
	}
	if err := l.Close(); err != nil {
		t.Error(err)
	}
}

func TestConnectionsOutliveTheListener(t *testing.T) {
	l := listen(t, transport.ListenConfig{Network: "unix"})
	here := dial(t, "unix", l.Addr().String())
	there := accept(t, l)
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := there.Write([]byte("x")); err != nil {
		t.Error(err)
	}
	if _, err := here.Read(make([]byte, 1)); err != nil {
		t.Error(err)
	}
}

func TestDialTakesPrefixes(t *testing.T) {
	l := listen(t, transport.ListenConfig{Network: "unix"})
	for _, prefix := range []string{"", "unix:", "unix://"} {
		checkTalk(t, l, "unix", prefix+l.Addr().String())
	}
}

func TestDialRefusesWhatIsNoPath(t *testing.T) {
	for _, address := range []string{"", "@abstract", "unix:@abstract", "\x00abstract", "relative/socket"} {
		_, err := transport.Dial(t.Context(), "unix", address)
		checkError(t, err, transport.ErrAddress)
	}
}

func TestDialSaysWhyNot(t *testing.T) {
	dir := shortDir(t)
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := transport.Dial(t.Context(), "unix", file)
	checkError(t, err, syscall.ECONNREFUSED)
	_, err = transport.Dial(t.Context(), "unix", filepath.Join(dir, "missing"))
	checkError(t, err, fs.ErrNotExist)
	if !strings.Contains(err.Error(), filepath.Join(dir, "missing")) {
		t.Errorf("got %v, want it to name the path", err)
	}
}

func TestPeerUID(t *testing.T) {
	l := listen(t, transport.ListenConfig{Network: "unix"})
	here := dial(t, "unix", l.Addr().String())
	there := accept(t, l)
	for _, conn := range []net.Conn{here, there} {
		uid, ok := transport.PeerUID(conn)
		if knows := runtime.GOOS == "linux" || runtime.GOOS == "darwin" || runtime.GOOS == "freebsd"; ok != knows || ok && uid != os.Geteuid() {
			t.Errorf("got %d, %v, want %d, %v", uid, ok, os.Geteuid(), knows)
		}
	}
	_ = here.Close()
	if uid, ok := transport.PeerUID(here); ok {
		t.Errorf("got %d of a closed connection", uid)
	}
	tcp := listen(t, transport.ListenConfig{Network: "tcp"})
	if uid, ok := transport.PeerUID(dial(t, "tcp", tcp.Addr().String())); ok {
		t.Errorf("got %d of a tcp connection", uid)
	}
}

func TestBindNeverFollowsOrReplaces(t *testing.T) {
	dir := shortDir(t)
	file, link, dangling := filepath.Join(dir, "file"), filepath.Join(dir, "link"), filepath.Join(dir, "dangling")
	if err := os.WriteFile(file, []byte("kept"), 0o600); err != nil {
		t.Fatal(err)
	}
	for path, target := range map[string]string{link: file, dangling: filepath.Join(dir, "nothing")} {
		if err := os.Symlink(target, path); err != nil {
			t.Fatal(err)
		}
	}
	for _, path := range []string{file, link, dangling} {
		if _, err := transport.Bind(path); !errors.Is(err, syscall.EADDRINUSE) {
			t.Errorf("%s: got %v, want EADDRINUSE", path, err)
		}
	}
	if data, err := os.ReadFile(file); err != nil || string(data) != "kept" {
		t.Errorf("got %q, %v", data, err)
	}
	checkGone(t, filepath.Join(dir, "nothing"))
}

func TestEachListenerHasAPathOfItsOwn(t *testing.T) {
	dir := shortDir(t)
	seen := map[string]bool{}
	for range 50 {
		seen[listen(t, transport.ListenConfig{Network: "unix", Dir: dir}).Addr().String()] = true
	}
	if len(seen) != 50 {
		t.Errorf("got %d paths, want 50", len(seen))
	}
}

func ExampleListen_unix() {
	l, err := transport.Listen(transport.ListenConfig{Network: handshake.Unix})
	if err != nil {
		fmt.Println(err)
		return
	}
	path := l.Addr().String()
	info, err := os.Lstat(path)
	fmt.Println(info.Mode(), err)

	conn, err := transport.Dial(context.Background(), handshake.Unix, path)
	fmt.Println(conn.Close(), err)

	fmt.Println(l.Close())
	_, err = os.Lstat(filepath.Dir(path))
	fmt.Println(errors.Is(err, fs.ErrNotExist))
	// Output:
	// Srw------- <nil>
	// <nil> <nil>
	// <nil>
	// true
}

func ExamplePeerUID() {
	l, err := transport.Listen(transport.ListenConfig{Network: handshake.Unix})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = l.Close() }()
	conn, err := transport.Dial(context.Background(), handshake.Unix, l.Addr().String())
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = conn.Close() }()
	uid, ok := transport.PeerUID(conn)
	fmt.Println(!ok || uid == os.Geteuid())
	// Output: true
}
