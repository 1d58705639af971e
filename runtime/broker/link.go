package broker

import (
	"context"
	"net"
	"sync"

	"github.com/plugingen/plugingen/runtime/internal/wire"
)

const (
	outbox     = 64   // messages between those who send and the stream
	maxNetwork = 16   // bytes of a network's name that a peer may announce
	maxAddress = 4096 // bytes of an address
)

// link is the broker's stream to one peer, with all that either side has said on it and nobody has used yet.
type link struct {
	b       *Broker
	from    net.Addr // of the connection that carries the stream; nil when unknown
	session *session // nil when connections are not multiplexed
	out     chan *wire.ConnInfo
	done    chan struct{} // closed when the stream has ended, and why is known

	endOnce  sync.Once
	why      error
	complain sync.Once

	undialed *shelf[*listener] // listeners that nobody has dialled yet
	places   *shelf[place]     // announced, and not dialled yet
	knocks   *shelf[struct{}]  // held until Accept comes, or for so long that the peer still waits for the refusal

	mu        sync.Mutex
	listeners map[uint32]*listener
	waiters   map[uint32]chan place // Dials that wait for an announcement
	knocking  *knocking             // the Dial that waits for an answer; there is one at a time
}

// place is where a peer's listener is.
type place struct {
	network, address string
	lane             bool // it takes the lane too
}

func newLink(b *Broker, from net.Addr) *link {
	from = bare(from)
	l := &link{
		b:         b,
		from:      from,
		out:       make(chan *wire.ConnInfo, outbox),
		done:      make(chan struct{}),
		listeners: map[uint32]*listener{},
		waiters:   map[uint32]chan place{},
	}
	if b.cfg.Mux != nil {
		l.session = b.cfg.Mux.sessionOf(from)
	}
	most := b.cfg.MaxPending
	l.undialed = newShelf(b.cfg.Expiry, most, func(_ uint32, waiting *listener) { waiting.end(ErrNotDialed) })
	l.places = newShelf(b.cfg.Timeout, most, func(uint32, place) {})
	l.knocks = newShelf(b.cfg.Timeout*4/5, most, func(id uint32, _ struct{}) { l.refuse(id, "nobody accepts this number") })
	return l
}

// isOf says whether calls from addr are of the peer of this link.
func (l *link) isOf(addr net.Addr) bool {
	switch a := bare(addr).(type) {
	case *brokeredAddr:
		return a.link == l
	case *muxAddr:
		return a.session == l.session
	default:
		return isSame(a, l.from)
	}
}

// end closes what has no use without the stream. Connections that were made through it go on.
func (l *link) end(why error) {
	l.endOnce.Do(func() {
		l.why = why
		close(l.done)
		l.places.close()
		l.knocks.close()
		l.undialed.close()
		for _, open := range l.openListeners() {
			open.orphan(why)
		}
	})
}

func (l *link) openListeners() []*listener {
	l.mu.Lock()
	defer l.mu.Unlock()
	var open []*listener
	for _, o := range l.listeners {
		open = append(open, o)
	}
	return open
}

// speak sends what others post, until either side ends the stream.
func (l *link) speak(s stream, heard <-chan error) error {
	for {
		select {
		case m := <-l.out:
			if err := s.Send(m); err != nil {
				return <-heard // says why
			}
		case err := <-heard:
			return err
		case <-l.b.closed:
			return nil
		}
	}
}

// listen takes what the peer says, and never waits for anything else: so a peer's flood costs time alone.
func (l *link) listen(s stream) error {
	for {
		m, err := s.Recv()
		if err != nil {
			return err
		}
		l.hear(m)
	}
}

func (l *link) hear(m *wire.ConnInfo) {
	id, k := m.GetServiceId(), m.GetKnock()
	switch {
	case k.GetKnock() && k.GetAck():
		l.answered(id, answer{k.GetError(), isOurLane(m)})
	case k.GetKnock():
		l.knocked(id)
	default:
		l.announced(id, place{m.GetNetwork(), m.GetAddress(), isOurLane(m)})
	}
}

// announced gives a place to the Dial that waits for it, or keeps it for a while.
func (l *link) announced(id uint32, p place) {
	if len(p.network) > maxNetwork || len(p.address) > maxAddress || l.session != nil {
		l.ignore("an announcement that makes no sense")
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if w, ok := l.waiters[id]; ok {
		delete(l.waiters, id)
		w <- p // has room
		return
	}
	if !l.places.put(id, p) {
		l.ignore("more announcements than it may leave unused")
	}
}

// ignore is for what a peer should not have said. It is logged once: a peer that says it again must not fill the log.
func (l *link) ignore(what string) {
	l.complain.Do(func() {
		l.b.cfg.Logger.Warn("the peer's broker has sent "+what+"; this and whatever follows of the kind is ignored",
			"max_pending", l.b.cfg.MaxPending)
	})
}

// post sends m without waiting; false means that the peer is so slow that there is no room.
func (l *link) post(m *wire.ConnInfo) bool {
	select {
	case l.out <- m:
		return true
	default:
		return false
	}
}

// send waits for room.
func (l *link) send(ctx context.Context, m *wire.ConnInfo) error {
	select {
	case l.out <- m:
		return nil
	case <-l.done:
		return l.why
	case <-l.b.closed:
		return ErrClosed
	case <-ctx.Done():
		return noAnswer(ctx)
	}
}
