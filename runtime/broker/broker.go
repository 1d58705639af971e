package broker

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"reflect"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/status"

	"github.com/plugingen/plugingen/runtime/internal/wire"
)

// Broker is one side's end. [New] makes it; all its methods may be used concurrently.
//
// A plugin [Broker.Register]s it and may serve several hosts, one after the other or at once; a host [Broker.Run]s it. On a
// plugin, Accept and Dial concern the host whose call their context belongs to, be it a call over the main connection or
// over a brokered one; with another context, the host that came last. A context of a foreign gRPC server's call costs a fifth of
// Config.Timeout: use another.
type Broker struct {
	cfg       Config
	last      atomic.Uint32
	finishing chan struct{} // closed when Shutdown begins
	closed    chan struct{}
	hopeless  chan struct{}  // closed when the peer turns out to have no broker
	servers   sync.WaitGroup // of AcceptAndServe; grows under mu, and only before finishing

	mu        sync.Mutex
	links     []*link       // the live ones, the newest last
	changed   chan struct{} // closed and replaced when links grows
	listeners map[*listener]struct{}
}

// New returns a broker, which has no peer yet. It starts nothing.
func New(cfg Config) *Broker {
	return &Broker{
		cfg:       cfg.withDefaults(),
		finishing: make(chan struct{}),
		closed:    make(chan struct{}),
		hopeless:  make(chan struct{}),
		changed:   make(chan struct{}),
		listeners: map[*listener]struct{}{},
	}
}

// NextID returns a number that this broker has not returned before; it never returns zero. Only after four thousand
// million calls do numbers come again.
func (b *Broker) NextID() uint32 {
	if b == nil {
		return 1 // what comes next says what is wrong
	}
	for {
		if id := b.last.Add(1); id != 0 {
			return id
		}
	}
}

// Close ends the broker: its listeners and the servers of AcceptAndServe, with their connections, and every wait, with
// ErrClosed. Connections that Dial made are their owners'. It does not wait for calls in flight, and may be called again.
func (b *Broker) Close() error {
	for _, l := range b.shut() {
		l.end(ErrClosed)
	}
	return nil
}

// Shutdown is Close after the calls that AcceptAndServe serves have finished, as far as they do until ctx ends. No new ones are
// taken meanwhile; calls in the other direction go on.
func (b *Broker) Shutdown(ctx context.Context) error {
	b.mu.Lock()
	if !isClosed(b.finishing) {
		close(b.finishing)
	}
	b.mu.Unlock()
	finished := make(chan struct{})
	go func() { defer close(finished); b.servers.Wait() }() // ends soon after Close at the latest
	select {
	case <-finished:
	case <-ctx.Done():
	}
	return b.Close()
}

// serving counts a server, unless it comes too late.
func (b *Broker) serving() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if isClosed(b.finishing) || isClosed(b.closed) {
		return false
	}
	b.servers.Add(1)
	return true
}

func (b *Broker) shut() []*listener {
	b.mu.Lock()
	defer b.mu.Unlock()
	if isClosed(b.closed) {
		return nil
	}
	close(b.closed)
	return slices.Collect(maps.Keys(b.listeners))
}

// Register makes registrar serve the plugin's half to all hosts that connect.
func (b *Broker) Register(registrar grpc.ServiceRegistrar) { wire.RegisterBroker(registrar, b.serve) }

// stream is what both halves have.
type stream interface {
	Send(*wire.ConnInfo) error
	Recv() (*wire.ConnInfo, error)
	Context() context.Context
}

func (b *Broker) serve(s grpc.BidiStreamingServer[wire.ConnInfo, wire.ConnInfo]) error {
	var from net.Addr
	if p, ok := peer.FromContext(s.Context()); ok {
		from = p.Addr
	}
	_ = b.talk(s, from, nil) // how a host hangs up is not its business
	return nil
}

// talk is a link's life. It returns nil when this side ended it. On a host, hangUp ends the stream; on a plugin talk's return does.
func (b *Broker) talk(s stream, from net.Addr, hangUp func()) error {
	l := newLink(b, from)
	if !b.add(l) {
		return nil
	}
	heard, silent := make(chan error, 1), make(chan struct{})
	go func() { defer close(silent); heard <- l.listen(s) }() // returns with the stream
	if hangUp != nil {
		defer func() { hangUp(); <-silent }()
	}
	err := l.speak(s, heard)
	b.remove(l) // before anyone learns of the end and comes back for another
	if isClosed(b.closed) {
		l.end(ErrClosed)
		return nil
	}
	if isUnsupported(err) {
		l.end(ErrUnsupported)
	} else {
		l.end(ErrLost)
	}
	return err
}

// isUnsupported tells a peer without a broker, whose stream ends as soon as it has begun.
func isUnsupported(err error) bool { return status.Code(err) == codes.Unimplemented }

func (b *Broker) add(l *link) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if isClosed(b.closed) {
		return false
	}
	b.links = append(b.links, l)
	close(b.changed)
	b.changed = make(chan struct{})
	return true
}

func (b *Broker) remove(l *link) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.links = slices.DeleteFunc(b.links, func(other *link) bool { return other == l })
}

// link returns the link to the peer that ctx belongs to, and waits for one when there is none. A call may be faster than the
// stream of the host that makes it, so another host's link is not taken at once.
func (b *Broker) link(ctx context.Context) (*link, error) {
	grace := time.NewTimer(b.cfg.Timeout / 5)
	defer grace.Stop()
	for over := false; ; {
		l, exact, changed := b.find(ctx)
		if l != nil && (exact || over) {
			return l, nil
		}
		select {
		case <-changed:
		case <-grace.C:
			over = true
		case <-b.closed:
			return nil, ErrClosed
		case <-b.hopeless:
			return nil, ErrUnsupported
		case <-ctx.Done():
			return nil, fmt.Errorf("%w: %w", ErrNoPeer, context.Cause(ctx))
		}
	}
}

// find returns the link that ctx belongs to, exactly, or else the newest. On a host, and with a context of no call, that is
// the right one.
func (b *Broker) find(ctx context.Context) (l *link, exact bool, changed <-chan struct{}) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if isClosed(b.closed) || len(b.links) == 0 {
		return nil, false, b.changed
	}
	newest := b.links[len(b.links)-1]
	p, ok := peer.FromContext(ctx)
	if !ok || newest.from == nil {
		return newest, true, nil
	}
	if i := slices.IndexFunc(b.links, func(l *link) bool { return l.isOf(p.Addr) }); i >= 0 {
		return b.links[i], true, nil
	}
	return newest, false, b.changed
}

// isSame compares addresses by identity: those of unnamed unix sockets all look the same, but each connection has its own.
func isSame(a, b net.Addr) bool {
	return a != nil && b != nil && reflect.TypeOf(a).Comparable() && a == b
}

// bound gives a context without a deadline the default one.
func (b *Broker) bound(ctx context.Context) (context.Context, context.CancelFunc) {
	if _, ok := ctx.Deadline(); ok {
		return context.WithCancel(ctx)
	}
	return context.WithTimeout(ctx, b.cfg.Timeout)
}

func isClosed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// noAnswer tells the end of a wait from the end of the call that waits.
func noAnswer(ctx context.Context) error {
	if err := context.Cause(ctx); !errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	return fmt.Errorf("%w: %w", ErrNoAnswer, context.Cause(ctx))
}
