package broker

import (
	"context"
	"net"

	"github.com/plugingen/plugingen/runtime/internal/wire"
)

// Accept listens for the connections that the peer dials under id, and tells the peer. ctx bounds that, not the
// listener's life: 5 s when it has no deadline (see Config.Timeout). The listener is closed when its owner closes it, when
// nobody has connected within Config.Expiry, when the broker closes, and when the peer is gone and the last connection
// with it; its Accept then returns ErrClosed, ErrNotDialed or ErrLost in an *Error, or net.ErrClosed after its own Close.
// Call its Accept, or serve on it, at once. The peer may hold 64 connections to it; further ones are closed.
//
// The peer's Dial speaks TLS when this broker has Config.ServerTLS: a gRPC server on the listener needs
// [Broker.ServerOptions]. The error is an *Error.
func (b *Broker) Accept(ctx context.Context, id uint32) (net.Listener, error) {
	if b == nil {
		return nil, failed("accept", id, ErrNoBroker)
	}
	l, err := b.accept(ctx, wanted{id: id})
	if err != nil {
		return nil, failed("accept", id, err)
	}
	return l, nil
}

// wanted is a listener to be.
type wanted struct {
	id   uint32
	lane uint32 // the version that it takes beside gRPC; 0 for none
}

func (b *Broker) accept(ctx context.Context, w wanted) (*listener, error) {
	ctx, cancel := b.bound(ctx)
	defer cancel()
	k, err := b.link(ctx)
	if err != nil {
		return nil, err
	}
	if b.cfg.Mux != nil {
		return k.acceptStreams(w)
	}
	return k.acceptSockets(ctx, w)
}

// acceptSockets makes a listener of its own.
func (l *link) acceptSockets(ctx context.Context, w wanted) (*listener, error) {
	if l.b.cfg.Listen == nil {
		return nil, ErrNoListen
	}
	socket, err := l.b.cfg.Listen()
	if err != nil {
		return nil, err
	}
	m, err := l.announcement(w, socket.Addr())
	if err != nil {
		_ = socket.Close()
		return nil, err
	}
	open, err := l.open(w, socket)
	if err != nil {
		_ = socket.Close()
		return nil, err
	}
	if err := l.send(ctx, m); err != nil {
		open.end(err)
		return nil, err
	}
	return open, nil
}

func (l *link) announcement(w wanted, addr net.Addr) (*wire.ConnInfo, error) {
	network, address := addr.Network(), addr.String()
	if l.b.cfg.Announce != nil {
		var err error
		if network, address, err = l.b.cfg.Announce(network, address); err != nil {
			return nil, err
		}
	}
	return &wire.ConnInfo{ServiceId: w.id, Network: network, Address: address, Lane: w.lane}, nil
}

// open puts a listener under its number where knocks, expiry and the ends of link and broker find it.
func (l *link) open(w wanted, inner net.Listener) (*listener, error) {
	open := newListener(l, w, inner)
	if err := l.enter(open); err != nil {
		return nil, err
	}
	if !l.undialed.put(w.id, open) {
		open.end(ErrTooMany)
		return nil, l.orElse(ErrTooMany)
	}
	if !l.b.enter(open) {
		open.end(ErrClosed)
		return nil, ErrClosed
	}
	if isClosed(l.done) { // it may have ended before it could know of the listener
		open.orphan(l.why)
	}
	return open, nil
}

func (l *link) enter(open *listener) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if _, taken := l.listeners[open.id]; taken {
		return ErrInUse
	}
	l.listeners[open.id] = open
	return nil
}

// orElse is why the link has ended, or err while it has not.
func (l *link) orElse(err error) error {
	if isClosed(l.done) {
		return l.why
	}
	return err
}

func (b *Broker) enter(open *listener) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if isClosed(b.closed) {
		return false
	}
	b.listeners[open] = struct{}{}
	return true
}

// leave is the opposite of both enters.
func (l *link) leave(gone *listener) {
	l.mu.Lock()
	if l.listeners[gone.id] == gone {
		delete(l.listeners, gone.id)
		l.undialed.take(gone.id)
	}
	l.mu.Unlock()
	l.b.mu.Lock()
	delete(l.b.listeners, gone)
	l.b.mu.Unlock()
}
