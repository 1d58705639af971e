package lane

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"

	"google.golang.org/grpc"
)

// A side connection is a further socket between two sides that have a lane already. Who makes it says first which call of the
// lane it is for: by a key that went with that call, which nobody else knows. Then frames run on it, in whichever direction the
// call says, as on any other connection.

const (
	// sideMagic begins a side connection: neither HTTP/2 nor TLS nor the lane begins so.
	sideMagic = "\xf1side"
	// SideKeySize is the length of a key.
	SideKeySize = 32
)

// ErrNoSide is why a side connection cannot be used: the peer does not want it, or has no room for it.
var ErrNoSide = errors.New("lane: the peer does not take the connection")

// JoinSide makes a carrier of conn, which it owns from now on, for the call that has sent key. It waits for the peer's first
// word, until ctx ends. The peer has called [Expect].
func JoinSide(ctx context.Context, conn net.Conn, key string) (Carrier, error) {
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	if len(key) != SideKeySize {
		stop()
		_ = conn.Close()
		return nil, fmt.Errorf("lane: a key of %d bytes, want %d", len(key), SideKeySize)
	}
	var first byte
	whole := conn
	_, err := io.WriteString(conn, sideMagic+key)
	if err == nil {
		first, whole = peekFirst(conn)
	}
	if !stop() || first != magic[0] {
		_ = conn.Close()
		return nil, errors.Join(ErrNoSide, err, context.Cause(ctx))
	}
	return NewCarrier(whole), nil
}

// sides are the side connections that a server's calls wait for.
type sides struct {
	mu      sync.Mutex
	doors   int // listeners by which they come in
	waiting map[string]chan net.Conn
}

// Side is a side connection that is on its way.
type Side struct {
	of  *sides
	key string
	in  chan net.Conn // holds one
}

// Expect has the server whose handler has the context ctx take the side connection with key. It returns nil when none can come:
// the handler is not the lane's, the server shares no listener, see [Server.Beside], or the key is none or another's.
func Expect(ctx context.Context, key string) *Side {
	t, ok := grpc.ServerTransportStreamFromContext(ctx).(*transportStream)
	if !ok || len(key) != SideKeySize {
		return nil
	}
	s := &t.conn.s.sides
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.doors == 0 || s.waiting[key] != nil {
		return nil
	}
	if s.waiting == nil {
		s.waiting = map[string]chan net.Conn{}
	}
	side := &Side{s, key, make(chan net.Conn, 1)}
	s.waiting[key] = side.in
	return side
}

// Carrier waits for the connection until ctx ends, whose cause is then the error. It is called once.
func (s *Side) Carrier(ctx context.Context) (Carrier, error) {
	select {
	case conn := <-s.in:
		return NewCarrier(conn), nil
	case <-ctx.Done():
		s.Forget()
		return nil, context.Cause(ctx)
	}
}

// Forget says that the connection is not wanted any more. A nil s is fine.
func (s *Side) Forget() {
	if s == nil {
		return
	}
	s.of.mu.Lock()
	defer s.of.mu.Unlock()
	delete(s.of.waiting, s.key)
	select {
	case conn := <-s.in:
		_ = conn.Close()
	default:
	}
}

func (s *sides) open(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.doors += n
}

// admit hands conn, of which nothing but the first byte has been seen, to the call that waits for it.
func (s *sides) admit(conn net.Conn, timeout time.Duration) error {
	_ = conn.SetReadDeadline(time.Now().Add(timeout))
	var hello [len(sideMagic) + SideKeySize]byte
	if _, err := io.ReadFull(conn, hello[:]); err != nil {
		return err
	}
	_ = conn.SetReadDeadline(time.Time{})
	if string(hello[:len(sideMagic)]) != sideMagic {
		return ErrNoSide
	}
	key := string(hello[len(sideMagic):])
	s.mu.Lock()
	defer s.mu.Unlock()
	in := s.waiting[key]
	if in == nil {
		return ErrNoSide
	}
	delete(s.waiting, key)
	in <- conn
	return nil
}
