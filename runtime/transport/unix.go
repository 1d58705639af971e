//go:build unix

package transport

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"

	"github.com/plugingen/plugingen/runtime/handshake"
)

func listenUnix(cfg ListenConfig) (net.Listener, error) {
	gid, err := lookupGroup(cfg.Group)
	if err != nil {
		return nil, &Error{Op: "listen", Address: handshake.Unix, Err: err}
	}
	if cfg.Dir == "" {
		return listenInOwnDir(cfg, gid)
	}
	if cfg.Late {
		return newLateListener(cfg, gid)
	}
	l, err := listenIn(cfg, gid, cfg.Dir)
	if err != nil {
		return nil, cfg.failed(err)
	}
	return l, nil
}

func (c ListenConfig) failed(err error) error {
	return &Error{
		Op: "listen", Address: handshake.Unix, Err: err,
		Hint: "check that the folder " + c.Dir + " exists, has room and can be written to",
	}
}

// listenInOwnDir makes the socket while a folder is looked for: whether one can be made there is what tells a good folder.
func listenInOwnDir(cfg ListenConfig, gid int) (net.Listener, error) {
	var l *unixListener
	dir, err := newSocketDir(candidates(""), gid, func(path string) (err error) {
		l, err = listenIn(cfg, gid, path)
		return err
	})
	if err != nil {
		return nil, err
	}
	l.folder = dir
	return l, nil
}

func listenIn(cfg ListenConfig, gid int, folder string) (*unixListener, error) {
	folder, err := filepath.Abs(folder)
	if err != nil {
		return nil, err
	}
	inner, path, err := bindNew(folder)
	if err != nil {
		return nil, fmt.Errorf("in %s: %w", folder, err)
	}
	return newUnixListener(cfg, gid, inner, path)
}

// newUnixListener gives the socket at path to whom it is for.
func newUnixListener(cfg ListenConfig, gid int, inner *net.UnixListener, path string) (*unixListener, error) {
	l := &unixListener{inner: inner, path: path, shared: gid >= 0, refused: cfg.Refused}
	l.close = sync.OnceValue(l.cleanUp)
	if err := giveTo(path, gid, 0o600, 0o660); err != nil {
		return nil, errors.Join(err, l.Close())
	}
	return l, nil
}

// bindAttempts bounds the search for a free name; one is nearly always enough.
const bindAttempts = 8

// bindNew binds a socket with a new name. What sits at a path already, a link too, is never followed or replaced.
func bindNew(folder string) (l *net.UnixListener, path string, err error) {
	for range bindAttempts {
		path = newPath(folder)
		if l, err = bind(path); !errors.Is(err, syscall.EADDRINUSE) {
			break
		}
	}
	return l, path, err
}

func newPath(folder string) string {
	return filepath.Join(folder, "plugin-"+strings.ToLower(rand.Text()[:10]))
}

func bind(path string) (*net.UnixListener, error) {
	short, release, err := shorten(path)
	if err != nil {
		return nil, err
	}
	defer release()
	config := net.ListenConfig{Control: closeToOthers}
	l, err := config.Listen(context.Background(), "unix", short)
	if err != nil {
		return nil, err
	}
	inner := l.(*net.UnixListener)
	inner.SetUnlinkOnClose(false) // it knows the socket by its shortened path, which may mean another file by then
	return inner, nil
}

// giveTo sets the mode of a file, and its group when gid is not negative, whatever the umask is.
func giveTo(path string, gid int, private, shared fs.FileMode) error {
	if gid < 0 {
		return os.Chmod(path, private)
	}
	if err := os.Chown(path, -1, gid); err != nil {
		return err
	}
	return os.Chmod(path, shared)
}

// unixListener turns other users away and cleans up after itself.
type unixListener struct {
	inner   *net.UnixListener
	path    string
	folder  *SocketDir // to be removed too; may be nil
	shared  bool       // with a group: the file's mode alone says who may connect
	refused func(uid int)
	close   func() error
}

func (l *unixListener) cleanUp() error {
	err := errors.Join(l.inner.Close(), removeFile(l.path))
	if l.folder != nil {
		err = errors.Join(err, l.folder.Remove())
	}
	return err
}

func removeFile(path string) error {
	if err := os.Remove(path); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// Accept waits for a peer that may connect. Its errors are the system's own, so that servers can tell temporary ones.
func (l *unixListener) Accept() (net.Conn, error) {
	for {
		conn, err := l.inner.AcceptUnix()
		if err != nil {
			return nil, err
		}
		uid, ok := PeerUID(conn)
		if l.admits(uid, ok) {
			return conn, nil
		}
		_ = conn.Close()
		if l.refused != nil {
			l.refused(uid)
		}
	}
}

// admits fails closed where the system should know the peer but does not.
func (l *unixListener) admits(uid int, ok bool) bool {
	if l.shared || !knowsPeers {
		return true
	}
	return ok && (uid == os.Geteuid() || uid == 0)
}

// Close is idempotent, and all calls return when the first has cleaned up.
func (l *unixListener) Close() error { return l.close() }

// Addr is the socket's real path, however it was bound.
func (l *unixListener) Addr() net.Addr { return &net.UnixAddr{Name: l.path, Net: handshake.Unix} }

func dialUnix(ctx context.Context, path string) (net.Conn, error) {
	if !filepath.IsAbs(path) {
		return nil, fmt.Errorf("%w: %q", ErrAddress, path)
	}
	short, release, err := shorten(path)
	if err != nil {
		return nil, err
	}
	defer release()
	return new(net.Dialer).DialContext(ctx, "unix", short)
}

func tooLong(path string) error {
	return fmt.Errorf("%w: %d bytes, at most %d", ErrPathTooLong, len(path), maxSocketPath)
}

func portTakenErrors() []error { return []error{syscall.EADDRINUSE, syscall.EACCES} }
