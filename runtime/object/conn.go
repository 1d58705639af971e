package object

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	plugingen "github.com/plugingen/plugingen/runtime"
	"github.com/plugingen/plugingen/runtime/internal/lane"
)

const (
	connectMethod = "/" + Service + "/Connect"
	callMethod    = "/" + Service + "/Call"

	sessionMetadata = "plugingen-session" // of streams and calls: the session's secret
	callKey         = "plugingen-call"    // the caller's number of a call whose results are objects
	helloKey        = "plugingen-objects" // in the header of Connect: the version of all this
)

// connectTimeout bounds how long a plugin may take to take the first stream.
const connectTimeout = time.Minute

// Conn is a connection whose calls may have objects among their parameters and results.
type Conn struct {
	grpc.ClientConnInterface
	link *link
}

// Connect prepares a client's connection for objects. It opens nothing: the first object does. A connection that has a method
// Keep(key any, first func() any) any, returning one value for each key, lets all its clients share a session.
func Connect(conn grpc.ClientConnInterface) grpc.ClientConnInterface {
	switch conn.(type) {
	case *Conn, *Handle:
		return conn
	}
	if k, ok := conn.(interface {
		Keep(key any, first func() any) any
	}); ok {
		return &Conn{conn, k.Keep(linkKey{}, func() any { return newLink(conn) }).(*link)}
	}
	return &Conn{conn, newLink(conn)}
}

type linkKey struct{}

// CallLost hands on what methods without an error result cannot say.
func (c *Conn) CallLost(err error) { plugingen.ReportLost(c.ClientConnInterface, err) }

// link is what the clients of a connection share. When none of them and nothing of theirs is left, its session ends.
type link struct {
	*opener
}

// opener opens sessions, one after the other. It does not know its link.
type opener struct {
	conn grpc.ClientConnInterface

	mu      sync.Mutex
	current *session
	secret  string // of current
	attempt *attempt
}

// attempt is a session being opened.
type attempt struct {
	done    chan struct{}
	session *session
	err     error
}

func newLink(conn grpc.ClientConnInterface) *link {
	l := &link{&opener{conn: conn}}
	runtime.AddCleanup(l, func(o *opener) { go o.close() }, l.opener)
	return l
}

var errUnused = errors.New("nothing uses the connection for objects any more")

func (o *opener) close() {
	o.mu.Lock()
	s := o.current
	o.mu.Unlock()
	if s != nil {
		s.fail(errUnused)
	}
}

func (o *opener) token(s *session) string {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.current != s {
		return ""
	}
	return o.secret
}

// session returns the session that is open, or opens one. An attempt outlives the caller who began it, for others.
func (o *opener) session(ctx context.Context) (*session, error) {
	o.mu.Lock()
	if s := o.current; s != nil && s.lost() == nil {
		o.mu.Unlock()
		return s, nil
	}
	a := o.attempt
	if a == nil {
		a = &attempt{done: make(chan struct{})}
		o.attempt = a
		go o.open(a)
	}
	o.mu.Unlock()
	select {
	case <-a.done:
		return a.session, a.err
	case <-ctx.Done():
		return nil, status.FromContextError(ctx.Err()).Err()
	}
}

func (o *opener) open(a *attempt) {
	token := newSecret()
	s, err := o.connect(token, newSideKey(o.conn))
	if errors.Is(err, errNoSide) {
		token = newSecret()
		s, err = o.connect(token, "")
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	a.session, a.err, o.attempt = s, err, nil
	if err == nil {
		o.current, o.secret = s, token
	}
	close(a.done)
}

// connect opens the stream in which the plugin calls this side's objects.
func (o *opener) connect(token, side string) (*session, error) {
	ctx, cancel := context.WithCancel(withMetadata(context.Background(), sessionMetadata, token))
	expired := time.AfterFunc(connectTimeout, cancel)
	carrier, err := openConnect(ctx, o.conn, side, cancel)
	if !expired.Stop() && err == nil {
		err = context.DeadlineExceeded
	}
	if err != nil {
		cancel()
		return nil, err
	}
	s := newSession()
	s.caller = (&dialer{conn: o.conn, ctx: ctx, session: s}).client
	s.onEnd(cancel)
	go func() { s.fail(ended(s.server.Serve(carrier))) }()
	return s, nil
}

func openConnect(ctx context.Context, conn grpc.ClientConnInterface, side string, cancel func()) (lane.Carrier, error) {
	stream, err := conn.NewStream(withSide(ctx, side), &grpc.StreamDesc{StreamName: "Connect", ServerStreams: true, ClientStreams: true}, connectMethod)
	if err != nil {
		return nil, err
	}
	if err := hello(stream); err != nil {
		return nil, err
	}
	return clientCarrier(ctx, conn, stream, side, cancel)
}

func withSide(ctx context.Context, key string) context.Context {
	if key == "" {
		return ctx
	}
	return withMetadata(ctx, sideKey, key)
}

// withMetadata has the pair sent, whether or not the connection picks what a context carries.
func withMetadata(ctx context.Context, key, value string) context.Context {
	return metadata.AppendToOutgoingContext(plugingen.WithMetadata(ctx, key, value), key, value)
}

// hello waits until the plugin has taken the stream.
func hello(stream grpc.ClientStream) error {
	header, err := stream.Header()
	if err == nil && len(header[helloKey]) == 0 {
		if err = stream.RecvMsg(nil); err == nil {
			err = errors.New("not an answer of this protocol")
		}
	}
	if status.Code(err) == codes.Unimplemented {
		return failure(codes.Unimplemented, ErrUnsupported, err)
	}
	if err != nil {
		return fmt.Errorf("open the connection for objects: %w", err)
	}
	return nil
}

// ended gives a connection that was closed in good order a reason.
func ended(err error) error {
	if err == nil || errors.Is(err, lane.ErrServerStopped) || errors.Is(err, lane.ErrClosed) {
		return errEnded
	}
	return err
}

// dialer opens the stream in which this side calls the plugin's objects, once. It has no socket: what it says of a call of the
// contract's, that its results are lost, must not overtake that call.
type dialer struct {
	conn    grpc.ClientConnInterface
	ctx     context.Context // lasts as long as the session
	session *session

	mu   sync.Mutex
	made *lane.Client
}

func (d *dialer) client(context.Context) (*lane.Client, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.made != nil {
		return d.made, nil
	}
	ctx, cancel := context.WithCancel(d.ctx)
	stream, err := d.conn.NewStream(ctx, &grpc.StreamDesc{StreamName: "Call", ServerStreams: true, ClientStreams: true}, callMethod)
	if err != nil {
		cancel()
		return nil, err
	}
	d.made = newCaller(d.session, lane.NewStreamCarrier(stream, cancel))
	return d.made, nil
}

// newCaller makes the client whose calls reach the peer's objects. The session ends with it, and it with the session.
func newCaller(s *session, carrier lane.Carrier) *lane.Client {
	client := lane.NewClient(carrier, lane.ClientConfig{Window: copyWindow, AuthInfo: lane.NoTLS()})
	s.onEnd(func() { _ = client.Close() })
	go func() {
		<-client.Done()
		s.fail(ended(client.Err()))
	}()
	return client
}
