package broker

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"net"
	"slices"
	"sync"
	"time"

	"github.com/hashicorp/yamux"
)

// Mux carries many connections over one. [MuxDialer] and [MuxListener] are the two there are.
type Mux interface {
	// sessionOf is the session of a peer; nil when there is none.
	sessionOf(from net.Addr) *session
}

// MuxDialer is the host's side of a multiplexed connection. NewMuxDialer makes it; its methods may be used concurrently.
type MuxDialer struct {
	dial func(context.Context) (net.Conn, error)
	log  *slog.Logger

	dialing chan struct{} // full while somebody dials
	mu      sync.Mutex
	current *session
	closed  bool
}

// NewMuxDialer returns a dialer of streams over a connection that dial makes, at the first Dial and whenever that connection
// has ended. A nil logger means slog.Default.
func NewMuxDialer(dial func(context.Context) (net.Conn, error), logger *slog.Logger) *MuxDialer {
	return &MuxDialer{dial: dial, log: orDefault(logger), dialing: make(chan struct{}, 1)}
}

func orDefault(logger *slog.Logger) *slog.Logger {
	if logger == nil {
		return slog.Default()
	}
	return logger
}

// Dial opens the main connection, which carries the plugin's own services. It is for grpc.WithContextDialer. ctx bounds the
// opening. After Close it returns net.ErrClosed.
func (d *MuxDialer) Dial(ctx context.Context) (net.Conn, error) {
	select {
	case d.dialing <- struct{}{}:
		defer func() { <-d.dialing }()
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	s, err := d.session(ctx)
	if err != nil {
		return nil, err
	}
	t, err := s.takeTurn(ctx, nil)
	if err != nil {
		return nil, err
	}
	defer t.end()
	if err := t.settle(ctx); err != nil {
		return nil, err
	}
	return t.open(ctx)
}

// session returns the one there is, or a new one.
func (d *MuxDialer) session(ctx context.Context) (*session, error) {
	if s := d.sessionOf(nil); s != nil {
		return s, nil
	}
	conn, err := d.dial(ctx)
	if err != nil {
		return nil, err
	}
	s, err := newSession(conn, clientSession, func(c net.Conn) { _ = c.Close() }, d.log)
	if err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	s.isHosts = true
	if !d.use(s) {
		s.close()
		return nil, net.ErrClosed
	}
	return s, nil
}

func (d *MuxDialer) use(s *session) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if !d.closed {
		d.current = s
	}
	return !d.closed
}

func (d *MuxDialer) sessionOf(net.Addr) *session {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.current == nil || d.current.isOver() {
		return nil
	}
	return d.current
}

// Close ends the connection with all its streams. It may be called more than once.
func (d *MuxDialer) Close() error {
	d.mu.Lock()
	s := d.current
	d.closed, d.current = true, nil
	d.mu.Unlock()
	if s != nil {
		s.close()
	}
	return nil
}

// MuxListener is the plugin's side: it accepts the main connections of all hosts. NewMuxListener makes it; its methods may be
// used concurrently. End it when it is no longer needed: closing it, as servers do, is not enough.
type MuxListener struct {
	inner net.Listener
	log   *slog.Logger
	main  *queue
	errs  chan error
	all   sync.WaitGroup

	mu       sync.Mutex
	sessions map[*session]struct{}
	closed   bool
}

// NewMuxListener takes the connections that inner accepts, each of them multiplexed. It owns inner. A nil logger means
// slog.Default.
func NewMuxListener(inner net.Listener, logger *slog.Logger) *MuxListener {
	l := &MuxListener{
		inner:    inner,
		log:      orDefault(logger),
		main:     newQueue(inner.Addr()),
		errs:     make(chan error),
		sessions: map[*session]struct{}{},
	}
	l.all.Go(l.run)
	return l
}

// Accept waits for the next main connection.
func (l *MuxListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.main.conns:
		return c, nil
	case err := <-l.errs:
		return nil, err
	case <-l.main.done:
		return nil, net.ErrClosed
	}
}

// Addr is the address that hosts dial.
func (l *MuxListener) Addr() net.Addr { return l.inner.Addr() }

// Close stops listening. Connections that there are go on, and so do their streams, until End; new main connections find
// nobody. It may be called more than once.
func (l *MuxListener) Close() error {
	l.mu.Lock()
	l.closed = true
	l.mu.Unlock()
	err := l.inner.Close()
	_ = l.main.Close() // only ever nil
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}

// End closes the listener and all connections with their streams. Nothing is left when it returns. It may be called more
// than once.
func (l *MuxListener) End() error {
	err := l.Close()
	l.mu.Lock()
	open := slices.Collect(maps.Keys(l.sessions))
	l.mu.Unlock()
	for _, s := range open {
		s.close()
	}
	l.all.Wait()
	return err
}

// run accepts until the listener is closed. gRPC knows which errors pass, and waits in between.
func (l *MuxListener) run() {
	for {
		c, err := l.inner.Accept()
		if err == nil {
			l.begin(c)
			continue
		}
		select {
		case l.errs <- err:
		case <-l.main.done:
			return
		}
	}
}

func (l *MuxListener) begin(c net.Conn) {
	s, err := newSession(c, serverSession, l.take, l.log)
	if err != nil {
		_ = c.Close()
		return
	}
	if !l.use(s) {
		s.close()
		return
	}
	l.all.Go(func() { <-s.gone; l.forget(s) })
}

func (l *MuxListener) use(s *session) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.closed {
		l.sessions[s] = struct{}{}
	}
	return !l.closed
}

func (l *MuxListener) forget(s *session) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.sessions, s)
}

func (l *MuxListener) take(c net.Conn) {
	if !l.main.give(c) {
		_ = c.Close()
	}
}

func (l *MuxListener) sessionOf(from net.Addr) *session {
	if a, ok := from.(*muxAddr); ok && !a.session.isOver() {
		return a.session
	}
	return nil
}

// queue is a listener whose connections others bring.
type queue struct {
	at    net.Addr
	conns chan net.Conn
	done  chan struct{}

	mu     sync.Mutex
	closed bool
}

func newQueue(at net.Addr) *queue {
	return &queue{at: at, conns: make(chan net.Conn, mostExpected), done: make(chan struct{})}
}

// give returns false when the queue is full or closed.
func (q *queue) give(c net.Conn) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		return false
	}
	select {
	case q.conns <- c:
		return true
	default:
		return false
	}
}

// Accept waits for the next connection.
func (q *queue) Accept() (net.Conn, error) {
	select {
	case c := <-q.conns:
		return c, nil
	case <-q.done:
		return nil, net.ErrClosed
	}
}

// Addr is the main connection's.
func (q *queue) Addr() net.Addr { return q.at }

// Close closes the queue with what is still in it.
func (q *queue) Close() error {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		return nil
	}
	q.closed = true
	close(q.done)
	for {
		select {
		case c := <-q.conns:
			_ = c.Close()
		default:
			return nil
		}
	}
}

// muxConn is a stream.
type muxConn struct {
	*yamux.Stream
	session *session
}

// Close ends reads and writes at once, as net.Conn demands; yamux's own lets reads wait for the peer's end.
func (c *muxConn) Close() error {
	err := c.Stream.Close()
	return errors.Join(err, c.SetDeadline(time.Unix(1, 0)))
}

// NetConn is the connection that carries the stream.
func (c *muxConn) NetConn() net.Conn { return c.session.conn }

// RemoteAddr also says by which session the stream came.
func (c *muxConn) RemoteAddr() net.Addr { return &muxAddr{c.Stream.RemoteAddr(), c.session} }

type muxAddr struct {
	net.Addr
	session *session
}
