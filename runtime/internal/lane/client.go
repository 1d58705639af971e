package lane

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/status"
)

// What a client's connection ends with beside [ErrProtocol] and the carrier's errors.
var (
	// ErrClosed: Close was called.
	ErrClosed = errors.New("lane: the client connection is closing")
	// ErrDrained: the server asked for no more calls, and the last one has ended.
	ErrDrained = errors.New("lane: the server is shutting down")
)

// lastRead is how long after a failed write replies are still read that the peer sent before it went.
const lastRead = time.Second

// Client makes calls over one carrier. It implements [grpc.ClientConnInterface]; its methods may be called by many
// goroutines. A lost connection stays lost: calls fail with codes.Unavailable.
//
// Instead of grpc.WaitForReady's waiting calls fail at once on a lost connection. Compression, codecs other than proto,
// and authority overrides are refused with codes.Unimplemented.
type Client struct {
	cfg      ClientConfig
	defaults callOptions
	bad      error // the defaults cannot be honoured
	invoke   grpc.UnaryInvoker
	stream   grpc.Streamer

	carrier Carrier
	peer    peer.Peer
	r       *frameReader
	w       writer
	buffers buffers
	budget  *budget
	reserve reserve
	calls   sync.Pool
	table   table

	names  map[string]uint16 // the numbers of methods; guarded by w
	sealed bool              // no call may be sent any more; guarded by w

	served  atomic.Pointer[methodNames] // nil until the peer tells
	callers atomic.Int32                // in unary calls

	theirs settings      // valid once ready is closed
	ready  chan struct{} // closed when the peer's preface has been read
	done   chan struct{} // closed when the connection is lost
	token  chan struct{} // makes the background the reader
	watch  streamWatch
	fed    *clientStream // whom the last message was for; the reader's

	alone       atomic.Pointer[clientStream] // the stream whose receiver reads
	interrupter interrupter                  // the carrier's; nil: only the background reads for streams

	mu  sync.Mutex
	err error // why done is closed
}

var _ grpc.ClientConnInterface = (*Client)(nil)

// NewClient starts a client on carrier, which it owns from now on. It does not wait for the peer: the first calls are
// sent at once, and [Client.Ready] waits for the answer.
func NewClient(carrier Carrier, cfg ClientConfig) *Client {
	cfg = cfg.withDefaults()
	c := &Client{
		cfg: cfg, defaults: defaultCallOptions(cfg.MaxMessageSize),
		carrier: carrier, r: newFrameReader(carrier), budget: newBudget(cfg.MaxBuffered),
		peer:  peer.Peer{Addr: carrier.RemoteAddr(), LocalAddr: carrier.LocalAddr(), AuthInfo: authOf(carrier, cfg.AuthInfo)},
		names: map[string]uint16{}, theirs: floorSettings(),
		ready: make(chan struct{}), done: make(chan struct{}),
	}
	c.bad = c.defaults.apply(cfg.CallOptions)
	c.invoke = chainUnary(cfg.UnaryInterceptors, c.directInvoke)
	c.stream = chainStream(cfg.StreamInterceptors, c.directStream)
	c.table.limit = floorCalls
	c.r.spin, c.r.rest = newSpinner(carrier), newSpinner(carrier)
	c.calls.New = func() any { return &call{answered: make(chan struct{}, 1)} }
	c.w = writer{out: carrier, failed: c.writeFailed}
	c.token = make(chan struct{}, 1)
	c.watch.kick = make(chan struct{}, 1)
	c.interrupter, _ = carrier.(interrupter)
	c.table.reading = true // the background, or this, which reads the preface
	if !cfg.Greeted {
		c.w.mu.Lock()
		c.w.buf = cfg.settings().preface()
		c.w.flush()
	}
	if c.r.hasPreface() {
		if err := c.readPreface(); err != nil {
			c.lost(err)
			return c
		}
	}
	go c.background()
	return c
}

// Invoke makes a unary call.
func (c *Client) Invoke(ctx context.Context, method string, args, reply any, opts ...grpc.CallOption) error {
	return c.invoke(ctx, method, args, reply, c.cfg.Outer, opts...)
}

// NewStream starts a stream.
func (c *Client) NewStream(ctx context.Context, desc *grpc.StreamDesc, method string, opts ...grpc.CallOption) (grpc.ClientStream, error) {
	return c.stream(ctx, desc, c.cfg.Outer, method, opts...)
}

// Ready waits until the peer has shown that it speaks the lane. The errors are the context's and the connection's.
func (c *Client) Ready(ctx context.Context) error {
	select {
	case <-c.ready:
		return nil
	case <-c.done:
		return c.Err()
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// Done is closed when the connection is lost or closed.
func (c *Client) Done() <-chan struct{} { return c.done }

// Err is why Done is closed; nil before.
func (c *Client) Err() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.err
}

// Close ends the connection. Calls in flight fail with codes.Canceled. Later calls of Close do nothing.
func (c *Client) Close() error {
	c.fail(ErrClosed)
	return c.carrier.Close()
}

func (c *Client) writeFailed(error) {
	time.AfterFunc(lastRead, func() { _ = c.carrier.Close() })
}

// fail ends the connection and every call on it; the first reason stays.
func (c *Client) fail(err error) {
	c.mu.Lock()
	if c.err != nil {
		c.mu.Unlock()
		return
	}
	c.err = err
	close(c.done)
	c.mu.Unlock()
	c.w.fail(err)
	for _, s := range c.table.close(err) {
		if s.call != nil {
			s.call.fail(lostError(err))
		}
		if s.stream != nil {
			s.stream.finish(status.Convert(lostError(err)), nil)
		}
	}
}

// lostError is what a call returns that the connection's end err has cut off.
func lostError(err error) error {
	code := codes.Unavailable
	if errors.Is(err, ErrClosed) {
		code = codes.Canceled
	}
	return status.Error(code, err.Error())
}

// drained tells whether the server had asked to end and nothing was in flight.
func (c *Client) drained() bool {
	c.w.mu.Lock()
	sealed := c.sealed
	c.w.mu.Unlock()
	return sealed && c.table.idle()
}
