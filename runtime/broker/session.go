package broker

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"sync"
	"time"

	"github.com/hashicorp/yamux"
)

const (
	mostExpected = 64 // streams that a peer may have knocked for and not opened
	mostStale    = 16 // answers that came too late and are not settled yet
	openFor      = 5 * time.Second
	backlog      = 256 // streams between the session and those who accept
)

// session is one multiplexed connection. A stream is the main connection's, unless the peer has knocked before it opened it.
type session struct {
	conn  net.Conn // that it is on
	yamux *yamux.Session
	main  func(net.Conn) // takes streams that nobody knocked for
	turn  chan struct{}  // full while somebody opens a stream
	stale chan struct{}  // one for each door that the peer has opened and nobody goes through any more
	gone  chan struct{}  // closed when the session has ended and run has returned

	isHosts bool

	mu       sync.Mutex
	expected []expected
}

// expected is a listener to which the next stream belongs.
type expected struct {
	by    *queue
	until time.Time
}

func newSession(conn net.Conn, open func(c net.Conn, cfg *yamux.Config) (*yamux.Session, error), main func(net.Conn), log *slog.Logger) (*session, error) {
	y, err := open(conn, muxConfig(log))
	if err != nil {
		return nil, err
	}
	s := &session{
		conn: conn, yamux: y, main: main,
		turn: make(chan struct{}, 1), stale: make(chan struct{}, mostStale), gone: make(chan struct{}),
	}
	go s.run()
	return s, nil
}

func clientSession(c net.Conn, cfg *yamux.Config) (*yamux.Session, error) {
	return yamux.Client(c, cfg)
}

func serverSession(c net.Conn, cfg *yamux.Config) (*yamux.Session, error) {
	return yamux.Server(c, cfg)
}

// muxConfig is not built on yamux's default, which reads os.Stderr while a plugin may be about to replace it. A local
// peer's end shows at once, so there are no pings: they would end a plugin that is stopped in a debugger. A stream that the
// peer takes long to accept must not end the others either.
func muxConfig(log *slog.Logger) *yamux.Config {
	return &yamux.Config{
		AcceptBacklog:          backlog,
		KeepAliveInterval:      time.Minute, // must be set, and is not used
		ConnectionWriteTimeout: 10 * time.Second,
		MaxStreamWindowSize:    256 << 10,
		StreamCloseTimeout:     5 * time.Minute,
		Logger:                 slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}
}

// run gives away the streams that the peer opens, until the session ends.
func (s *session) run() {
	defer close(s.gone)
	for {
		stream, err := s.yamux.AcceptStream()
		if err != nil {
			if !s.yamux.IsClosed() {
				continue // this stream's alone
			}
			return
		}
		s.route(&muxConn{Stream: stream, session: s})
	}
}

func (s *session) route(c net.Conn) {
	q, ok := s.next()
	switch {
	case !ok:
		s.main(c)
	case !q.give(c):
		_ = c.Close()
	}
}

// next is the listener that has waited for longest for its stream.
func (s *session) next() (*queue, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.dropOverdue()
	if len(s.expected) == 0 {
		return nil, false
	}
	q := s.expected[0].by
	s.expected = s.expected[1:]
	return q, true
}

// dropOverdue forgets streams that the peer seems not to open any more.
func (s *session) dropOverdue() {
	for now := time.Now(); len(s.expected) > 0 && now.After(s.expected[0].until); {
		s.expected = s.expected[1:]
	}
}

// expect makes the next stream q's, if the peer can be told to open it.
func (s *session) expect(q *queue, tell func() bool) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.dropOverdue()
	if len(s.expected) >= mostExpected || !tell() {
		return false
	}
	s.expected = append(s.expected, expected{q, time.Now().Add(openFor)})
	return true
}

func (s *session) addr() net.Addr { return s.yamux.Addr() }

func (s *session) isOver() bool { return s.yamux.IsClosed() }

func (s *session) close() {
	_ = s.yamux.Close() // only ever nil
	<-s.gone
}

// turn is the right to open streams, one after the other.
type turn struct {
	s    *session
	late chan opened // what an opening that took too long will come to
}

type opened struct {
	stream *yamux.Stream
	err    error
}

func (s *session) takeTurn(ctx context.Context, done <-chan struct{}) (*turn, error) {
	select {
	case s.turn <- struct{}{}:
		return &turn{s: s}, nil
	case <-s.yamux.CloseChan():
		return nil, ErrLost
	case <-done:
		return nil, ErrLost
	case <-ctx.Done():
		return nil, noAnswer(ctx)
	}
}

// end gives the turn to the next; after an opening that took too long, not before that has come to something.
func (t *turn) end() {
	if t.late == nil {
		<-t.s.turn
		return
	}
	go func() { // ends with the session at the latest
		if o := <-t.late; o.err == nil {
			discard(t.s, o.stream)
		}
		<-t.s.turn
	}()
}

func discard(s *session, stream *yamux.Stream) { _ = (&muxConn{Stream: stream, session: s}).Close() }

// open opens a stream. It is the turn's last deed when it fails.
func (t *turn) open(ctx context.Context) (net.Conn, error) {
	done := make(chan opened, 1)
	go func() { // yamux's way to open knows no context
		stream, err := t.s.yamux.OpenStream()
		done <- opened{stream, err}
	}()
	select {
	case o := <-done:
		if o.err != nil {
			return nil, errors.Join(ErrLost, o.err)
		}
		return &muxConn{Stream: o.stream, session: t.s}, nil
	case <-ctx.Done():
		t.late = done
		return nil, noAnswer(ctx)
	}
}

// addStale notes a door that the peer has opened for a Dial that has given up.
func (s *session) addStale() {
	select {
	case s.stale <- struct{}{}:
	default: // no honest peer gets here
	}
}

// settle goes through all doors that are open for nobody, so that the next stream is not taken for theirs.
func (t *turn) settle(ctx context.Context) error {
	for {
		select {
		case <-t.s.stale:
			if err := t.settleOne(ctx); err != nil {
				return err
			}
		default:
			return nil
		}
	}
}

func (t *turn) settleOne(ctx context.Context) error {
	c, err := t.open(ctx)
	if err != nil {
		return err
	}
	return c.Close()
}
