//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package lane

import (
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
	"syscall"
)

// firstInherited is the least descriptor that a program inherits besides its standard ones.
const firstInherited = 3

// Pair makes two connected sockets: ours to be used here, theirs for a child to inherit. Neither is inherited by accident.
func Pair() (ours net.Conn, theirs *os.File, err error) {
	syscall.ForkLock.RLock()
	fds, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM, 0)
	if err == nil {
		syscall.CloseOnExec(fds[0])
		syscall.CloseOnExec(fds[1])
	}
	syscall.ForkLock.RUnlock()
	if err != nil {
		return nil, nil, fmt.Errorf("lane: make a pair of sockets: %w", err)
	}
	theirs = os.NewFile(uintptr(fds[1]), "lane")
	if ours, err = connOf(fds[0]); err != nil {
		_ = theirs.Close()
		return nil, nil, err
	}
	return ours, theirs, nil
}

// connOf takes fd over.
func connOf(fd int) (net.Conn, error) {
	f := os.NewFile(uintptr(fd), "lane")
	defer func() { _ = f.Close() }() // the connection has a descriptor of its own
	conn, err := net.FileConn(f)
	if err != nil {
		return nil, fmt.Errorf("lane: %w", err)
	}
	return conn, nil
}

// Offer says to a child, in its environment, that it inherits theirs as descriptor fd: the version of the framing, the
// descriptor, and the socket's own number, by which the child knows that the descriptor is still what is meant.
func Offer(theirs *os.File, fd int) (string, error) {
	inode, err := inodeOf(int(theirs.Fd()))
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("%d:%d:%d", Version, fd, inode), nil
}

// ErrOffer is why an offer cannot be taken.
var ErrOffer = errors.New("lane: there is no such offer")

// Accept takes what a parent has offered. The descriptor is not inherited any further. The error is ErrOffer when the words make no
// sense or are another process's, which passed them on and not the socket; then nothing was touched.
func Accept(offer string) (net.Conn, error) {
	version, rest, _ := strings.Cut(offer, ":")
	number, inode, _ := strings.Cut(rest, ":")
	v, errV := strconv.ParseUint(version, 10, 8)
	fd, errF := strconv.ParseUint(number, 10, 31)
	want, errI := strconv.ParseUint(inode, 10, 64)
	if errors.Join(errV, errF, errI) != nil || v < Version || fd < firstInherited {
		return nil, fmt.Errorf("%w: %.40q", ErrOffer, offer)
	}
	if got, err := inodeOf(int(fd)); err != nil || got != want {
		return nil, fmt.Errorf("%w: descriptor %d is something else", ErrOffer, fd)
	}
	syscall.CloseOnExec(int(fd))
	return connOf(int(fd))
}

// inodeOf is the number of a socket; other files are an error.
func inodeOf(fd int) (uint64, error) {
	var st syscall.Stat_t
	if err := syscall.Fstat(fd, &st); err != nil {
		return 0, os.NewSyscallError("fstat", err)
	}
	if st.Mode&syscall.S_IFMT != syscall.S_IFSOCK {
		return 0, syscall.ENOTSOCK
	}
	return st.Ino, nil
}

// HasSpoken tells without waiting whether anything has come on conn, one of a Pair.
func HasSpoken(conn net.Conn) bool {
	u, ok := conn.(*net.UnixConn)
	if !ok {
		return false
	}
	raw, err := u.SyscallConn()
	if err != nil {
		return false
	}
	came := false
	err = raw.Control(func(fd uintptr) {
		for again := true; again; {
			n, _, err := syscall.Recvfrom(int(fd), make([]byte, 1), syscall.MSG_PEEK)
			again, came = errors.Is(err, syscall.EINTR), n > 0
		}
	})
	return err == nil && came
}
