//go:build unix

package transport

import (
	"fmt"
	"net"
	"path/filepath"
	"sync"

	"github.com/plugingen/plugingen/runtime/handshake"
)

// lateListener is a unix socket that the first Accept makes.
type lateListener struct {
	path string
	make func() (net.Listener, error)

	mu     sync.Mutex
	closed bool
	inner  net.Listener // nil until it is made
	err    error        // why it could not be made
}

func newLateListener(cfg ListenConfig, gid int) (net.Listener, error) {
	folder, err := filepath.Abs(cfg.Dir)
	if err != nil {
		return nil, cfg.failed(err)
	}
	path := newPath(folder)
	return &lateListener{path: path, make: func() (net.Listener, error) {
		inner, err := bind(path)
		if err != nil {
			return nil, cfg.failed(fmt.Errorf("in %s: %w", folder, err))
		}
		l, err := newUnixListener(cfg, gid, inner, path)
		if err != nil {
			return nil, cfg.failed(err)
		}
		return l, nil
	}}, nil
}

// Accept waits for a peer as unixListener's does.
func (l *lateListener) Accept() (net.Conn, error) {
	inner, err := l.made()
	if err != nil {
		return nil, err
	}
	return inner.Accept()
}

func (l *lateListener) made() (net.Listener, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.inner == nil && l.err == nil {
		if l.closed {
			return nil, net.ErrClosed
		}
		l.inner, l.err = l.make()
	}
	return l.inner, l.err
}

// Close is idempotent. A socket that was not made yet will not be.
func (l *lateListener) Close() error {
	l.mu.Lock()
	l.closed = true
	inner := l.inner
	l.mu.Unlock()
	if inner == nil {
		return nil
	}
	return inner.Close()
}

// Addr is the path that the socket has, or will have.
func (l *lateListener) Addr() net.Addr { return &net.UnixAddr{Name: l.path, Net: handshake.Unix} }
