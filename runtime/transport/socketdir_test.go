//go:build unix

package transport_test

import (
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/plugingen/plugingen/runtime/transport"
)

func newSocketDir(t testing.TB, base, group string) *transport.SocketDir {
	t.Helper()
	dir, err := transport.NewSocketDir(base, group)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := dir.Remove(); err != nil {
			t.Error(err)
		}
	})
	return dir
}

func TestSocketDir(t *testing.T) {
	base := shortDir(t)
	dir := newSocketDir(t, base, "")
	if got := filepath.Dir(dir.Path()); got != base {
		t.Errorf("got a folder in %s, want %s", got, base)
	}
	checkMode(t, dir.Path(), fs.ModeDir|0o700)
	checkEmpty(t, dir.Path())

	l := listen(t, transport.ListenConfig{Network: "unix", Dir: dir.Path()})
	if err := dir.Remove(); err != nil {
		t.Error(err)
	}
	checkEmpty(t, base)
	if err := dir.Remove(); err != nil {
		t.Errorf("again: %v", err)
	}
	if err := l.Close(); err != nil {
		t.Errorf("a listener whose folder went: %v", err)
	}
}

func TestSocketDirForAGroup(t *testing.T) {
	dir := newSocketDir(t, shortDir(t), strconv.Itoa(aGroup()))
	checkMode(t, dir.Path(), fs.ModeDir|0o770)
	checkGroup(t, dir.Path(), aGroup())
}

func TestSocketDirLeavesRoomForNames(t *testing.T) {
	dir := newSocketDir(t, "", "")
	l, err := net.Listen("unix", filepath.Join(dir.Path(), "plugin4294967295"))
	if err != nil {
		t.Fatalf("a name as go-plugin makes them: %v", err)
	}
	_ = l.Close()
}

func TestSocketDirsAreMadeAtOnce(t *testing.T) {
	base := shortDir(t)
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			dir, err := transport.NewSocketDir(base, "")
			if err != nil {
				t.Error(err)
				return
			}
			if _, err := os.Stat(dir.Path()); err != nil {
				t.Error(err)
			}
			if err := dir.Remove(); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	checkEmpty(t, base)
}

// unusableBases are folders that sockets cannot be made in, each for another reason.
func unusableBases(t *testing.T) map[string]string {
	t.Helper()
	dir := shortDir(t)
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	bases := map[string]string{"file": file, "missing": filepath.Join(dir, "missing"), "long": longDir(t)}
	if os.Geteuid() != 0 { // nothing is unwritable to root
		bases["unwritable"] = filepath.Join(dir, "unwritable")
		if err := os.Mkdir(bases["unwritable"], 0o500); err != nil {
			t.Fatal(err)
		}
	}
	for name, path := range mountedBases(t) {
		bases[name] = path
	}
	return bases
}

func TestSocketDirFallsBack(t *testing.T) {
	for name, base := range unusableBases(t) {
		t.Run(name, func(t *testing.T) {
			good := shortDir(t)
			t.Setenv("TMPDIR", good)
			dir := newSocketDir(t, base, "")
			if got := filepath.Dir(dir.Path()); got != good {
				t.Errorf("got a folder in %s, want %s", got, good)
			}
			if entries, err := os.ReadDir(base); err == nil && len(entries) > 0 {
				t.Errorf("got %v left in %s", entries, base)
			}
		})
	}
}

func TestSocketDirFallsBackFromTMPDIR(t *testing.T) {
	for name, base := range unusableBases(t) {
		t.Run(name, func(t *testing.T) {
			runtimeDir := shortDir(t)
			t.Setenv("TMPDIR", base)
			t.Setenv("XDG_RUNTIME_DIR", runtimeDir)
			l := listen(t, transport.ListenConfig{Network: "unix"})
			if got := l.Addr().String(); !strings.HasPrefix(got, runtimeDir+"/") {
				t.Errorf("got %s, want it in %s", got, runtimeDir)
			}
			checkTalk(t, l, "unix", l.Addr().String())
		})
	}
}

func TestSocketDirIgnoresAnothersRuntimeDir(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can make a folder of another user")
	}
	theirs := shortDir(t)
	if err := os.Chown(theirs, 65534, 65534); err != nil {
		t.Fatal(err)
	}
	t.Setenv("TMPDIR", filepath.Join(theirs, "missing"))
	t.Setenv("XDG_RUNTIME_DIR", theirs)
	if dir := newSocketDir(t, "", ""); filepath.Dir(dir.Path()) == theirs {
		t.Errorf("got %s, in another user's folder", dir.Path())
	}
}

func TestSocketDirNamesEveryFolderThatItTried(t *testing.T) {
	dir := shortDir(t)
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	missing, long := filepath.Join(dir, "missing"), longDir(t)
	_, err := transport.NewSocketDirIn(file, missing, long)
	for _, want := range []error{transport.ErrSocketDir, syscall.ENOTDIR, syscall.ENOENT, transport.ErrPathTooLong} {
		checkError(t, err, want)
	}
	for _, want := range []string{"in " + file + ": ", "in " + missing + ": ", "in " + long + ": "} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want it to name %s", err, want)
		}
	}
}

func TestSocketDirOfAKilledProcessIsSwept(t *testing.T) {
	base := shortDir(t)
	dead := start(t, "socketdir", "BASE="+base)
	alive := start(t, "socketdir", "BASE="+base)
	dead.kill(t)
	if _, err := os.Stat(dead.line); err != nil {
		t.Fatalf("nothing to sweep: %v", err)
	}
	newSocketDir(t, base, "").AwaitSweep()
	checkGone(t, dead.line)
	if _, err := os.Stat(alive.line); err != nil {
		t.Errorf("a folder in use was swept: %v", err)
	}
	alive.end(t)
	checkGone(t, alive.line)
}

func TestSweepIsRare(t *testing.T) {
	base := shortDir(t)
	newSocketDir(t, base, "").AwaitSweep()
	dead := start(t, "socketdir", "BASE="+base)
	dead.kill(t)
	newSocketDir(t, base, "").AwaitSweep()
	if _, err := os.Stat(dead.line); err != nil {
		t.Errorf("swept again at once: %v", err)
	}
}

func TestSocketOfAKilledPluginGoesWithItsHostsFolder(t *testing.T) {
	dir := newSocketDir(t, shortDir(t), "")
	plugin := start(t, "listen", "UMASK=022", "DIR="+dir.Path())
	plugin.kill(t)
	if _, err := os.Lstat(plugin.line); err != nil {
		t.Fatalf("nothing to remove: %v", err)
	}
	if err := dir.Remove(); err != nil {
		t.Error(err)
	}
	checkGone(t, dir.Path())
}

func TestSocketOfAKilledPluginIsSweptByTheNext(t *testing.T) {
	base := shortDir(t)
	t.Setenv("TMPDIR", base)
	plugin := start(t, "listen", "UMASK=022")
	plugin.kill(t)
	if _, err := os.Lstat(plugin.line); err != nil {
		t.Fatalf("nothing to sweep: %v", err)
	}
	l := listen(t, transport.ListenConfig{Network: "unix"})
	transport.AwaitSweep(l)
	checkGone(t, filepath.Dir(plugin.line))
	checkTalk(t, l, "unix", l.Addr().String())
}

func TestSweepTakesOnlyWhatIsItsOwn(t *testing.T) {
	base := shortDir(t)
	dead := start(t, "socketdir", "BASE="+base)
	dead.kill(t)
	outside := shortDir(t)
	name := filepath.Base(dead.line)
	kept := []string{
		filepath.Join(base, name+"-more"), // a fifth part
		filepath.Join(base, "x"+name),
		filepath.Join(base, strings.TrimSuffix(name, name[len(name)-1:])+"f"), // a file
		filepath.Join(base, name[:len(name)-1]+"l"),                           // a link
	}
	for _, path := range kept[:2] {
		if err := os.Mkdir(path, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(kept[2], nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(outside, kept[3]); err != nil {
		t.Fatal(err)
	}
	newSocketDir(t, base, "").AwaitSweep()
	checkGone(t, dead.line)
	for _, path := range append(kept, outside) {
		if _, err := os.Lstat(path); err != nil {
			t.Errorf("swept away: %v", err)
		}
	}
}

func TestSweepLeavesOtherUsersFolders(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can make a folder of another user")
	}
	base := shortDir(t)
	dead := start(t, "socketdir", "BASE="+base)
	dead.kill(t)
	if err := syscall.Lchown(dead.line, 65534, 65534); err != nil {
		t.Fatal(err)
	}
	newSocketDir(t, base, "").AwaitSweep()
	if _, err := os.Stat(dead.line); err != nil {
		t.Errorf("swept away: %v", err)
	}
}

func ExampleNewSocketDir() {
	dir, err := transport.NewSocketDir("", "")
	if err != nil {
		fmt.Println(err)
		return
	}
	info, err := os.Stat(dir.Path())
	fmt.Println(info.Mode(), err)
	fmt.Println(dir.Remove())
	// Output:
	// drwx------ <nil>
	// <nil>
}
