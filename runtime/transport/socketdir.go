//go:build unix

package transport

import (
	"fmt"
	"net"
	"os"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
)

// roomForName is what a socket's name may need in a SocketDir: go-plugin's have up to 16 bytes, ours 17.
const roomForName = 20

// SocketDir is a folder for the sockets of one plugin, private to this user or to a group. It may be used concurrently.
type SocketDir struct {
	path  string
	swept <-chan struct{} // closed when the sweep that this folder's making has begun is over; nil without
}

// NewSocketDir makes a private folder (0700, 0770 with a group) with an unpredictable name in base, where it has proved within the last
// minute that a socket can be made. Where that is impossible, since base is full, not writable, no folder, or makes paths too long for sockets, it tries
// $TMPDIR, $XDG_RUNTIME_DIR, on Linux shared memory where that is better than the disk, and the system's folders for temporary files; an empty base starts with those. The error is ErrSocketDir
// and names each folder that was tried with its reason.
//
// group is a name or a number, empty for none; the error is ErrGroup when it does not exist.
//
// Folders that killed processes of this user left behind in the same place are removed meanwhile, by the first that is made there
// and then once an hour; Remove waits for that.
func NewSocketDir(base, group string) (*SocketDir, error) {
	gid, err := lookupGroup(group)
	if err != nil {
		return nil, &Error{Op: "make socket folder", Err: err}
	}
	return newSocketDir(candidates(base), gid, known.probe)
}

// runtimeDir is the user's own folder for sockets. After a change of user the variable may name another's, who could replace
// what is made there.
func runtimeDir() string {
	if dir := os.Getenv("XDG_RUNTIME_DIR"); dir != "" && isOurs(dir) {
		return dir
	}
	return ""
}

// newSocketDir makes a folder in the first of bases where it can be used.
func newSocketDir(bases []string, gid int, use func(path string) error) (*SocketDir, error) {
	self, failed := known.self(), ErrSocketDir
	for _, base := range bases {
		path, err := makeSocketDir(base, self.prefix(), gid)
		if err == nil {
			err = use(path)
		}
		if err == nil {
			return &SocketDir{path: path, swept: known.sweep(base, self)}, nil
		}
		failed = fmt.Errorf("%w; in %s: %w", failed, base, err)
		if path != "" {
			_ = os.RemoveAll(path)
		}
	}
	return nil, &Error{
		Op:   "make socket folder",
		Hint: "set TMPDIR to a folder with a short path that has room and can be written to",
		Err:  failed,
	}
}

// Path is the absolute path of the folder.
func (d *SocketDir) Path() string { return d.path }

// Remove removes the folder and all in it. It may be called again, and then does nothing.
func (d *SocketDir) Remove() error {
	if d.swept != nil {
		<-d.swept
	}
	return os.RemoveAll(d.path)
}

// candidates has the user's folder for sockets and shared memory before folders on a disk that nobody has asked for.
func candidates(base string) []string {
	var list []string
	for _, dir := range append([]string{base, os.Getenv("TMPDIR"), runtimeDir(), known.memory(), os.TempDir()}, filepath.SplitList(systemTempDirs)...) {
		if dir != "" && !slices.Contains(list, dir) {
			list = append(list, dir)
		}
	}
	return list
}

// makeSocketDir returns a path also with an error where the folder was made.
func makeSocketDir(base, prefix string, gid int) (string, error) {
	base, err := filepath.Abs(base)
	if err != nil {
		return "", err
	}
	if longest := len(filepath.Join(base, prefix+"4294967295")) + len("/") + roomForName; longest > maxSocketPath {
		return "", fmt.Errorf("%w: up to %d bytes, at most %d", ErrPathTooLong, longest, maxSocketPath)
	}
	path, err := os.MkdirTemp(base, prefix)
	if err != nil {
		return "", err
	}
	return path, giveTo(path, gid, 0o700, 0o770)
}

// probe makes a socket, and lets it go.
func probe(folder string) error {
	l, err := net.Listen("unix", filepath.Join(folder, "probe"))
	if err != nil {
		return err
	}
	return l.Close()
}

// lookupGroup returns -1 for no group.
func lookupGroup(group string) (int, error) {
	if group == "" {
		return -1, nil
	}
	if gid, err := strconv.ParseUint(group, 10, 31); err == nil {
		return int(gid), nil
	}
	g, err := user.LookupGroup(group)
	if err != nil {
		return 0, fmt.Errorf("%w: %q: %w", ErrGroup, group, err)
	}
	return strconv.Atoi(g.Gid)
}
