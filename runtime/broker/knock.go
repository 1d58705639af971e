package broker

import (
	"context"
	"fmt"
	"net"
	"time"

	"github.com/plugingen/plugingen/runtime/internal/wire"
)

// knocking is a Dial that waits for the peer's answer.
type knocking struct {
	id     uint32
	answer chan answer
}

// answer is what the peer says to a knock.
type answer struct {
	refusal string // empty when it opens the door
	lane    bool   // the stream behind the door may speak the lane
}

// acceptStreams listens for the streams that the peer knocks for.
func (l *link) acceptStreams(w wanted) (*listener, error) {
	if l.session == nil {
		return nil, ErrUnsupported
	}
	open, err := l.open(w, newQueue(l.session.addr()))
	if err != nil {
		return nil, err
	}
	if _, held := l.knocks.take(w.id); held {
		l.openDoor(open)
	}
	return open, nil
}

// knocked opens the door to a listener, or lets the peer wait for one while it may still be waiting.
func (l *link) knocked(id uint32) {
	if l.session == nil {
		l.refuse(id, "this side does not multiplex")
		return
	}
	l.mu.Lock() // so that the knock is not put aside at the moment in which Accept looks for one
	open, ok := l.listeners[id]
	held := !ok && l.knocks.put(id, struct{}{})
	l.mu.Unlock()
	switch {
	case ok:
		l.openDoor(open)
	case !held:
		l.ignore("more knocks than it may leave unanswered")
		l.refuse(id, "too many knocks wait for an answer")
	}
}

// openDoor answers the peer, whose next stream then belongs to the listener.
func (l *link) openDoor(open *listener) {
	q, ok := open.Listener.(*queue)
	if !ok || !l.session.expect(q, func() bool { return l.post(letIn(open)) }) {
		l.refuse(open.id, "too many knocks")
	}
}

// refuse tells the peer not to wait. A peer that does not read its answers gets none.
func (l *link) refuse(id uint32, why string) { l.post(refusal(id, why)) }

func refusal(id uint32, why string) *wire.ConnInfo {
	return &wire.ConnInfo{ServiceId: id, Knock: &wire.ConnInfo_Knock{Knock: true, Ack: true, Error: why}}
}

func letIn(to *listener) *wire.ConnInfo {
	m := refusal(to.id, "")
	m.Lane = to.lane
	return m
}

// answered gives the peer's answer to the Dial that waits for it. When none does any more, the peer has opened a door
// that the next stream, whoever's it is, would go through.
func (l *link) answered(id uint32, a answer) {
	l.mu.Lock()
	k := l.knocking
	defer l.mu.Unlock()
	switch {
	case k != nil && k.id == id:
		l.knocking = nil
		k.answer <- a // has room
	case a.refusal == "" && l.session != nil:
		l.session.addStale()
	}
}

// knock asks the peer for a stream of id, and opens it. Answers and streams belong together by their order alone, so there is
// one at a time on a session.
func (l *link) knock(ctx context.Context, id uint32) (conn net.Conn, lane bool, err error) {
	if l.session == nil {
		return nil, false, ErrUnsupported
	}
	t, err := l.session.takeTurn(ctx, l.done)
	if err != nil {
		return nil, false, l.orElse(err)
	}
	defer t.end()
	if err := t.settle(ctx); err != nil {
		return nil, false, err
	}
	lane, err = l.ask(ctx, t, id)
	if err != nil {
		return nil, false, err
	}
	if l.session.isHosts && !lane {
		letAccept(ctx)
	}
	conn, err = t.open(ctx)
	return conn, lane, err
}

// acceptPause is what a plugin of another make gets between its answer and the stream: go-plugin's answers a knock that came
// before its Accept a moment before it can take the stream, and serves nobody any more when the stream comes first.
const acceptPause = 2 * time.Millisecond

func letAccept(ctx context.Context) {
	pause := time.NewTimer(acceptPause)
	defer pause.Stop()
	select {
	case <-pause.C:
	case <-ctx.Done():
	}
}

// ask returns no error when the peer has opened the door.
func (l *link) ask(ctx context.Context, t *turn, id uint32) (lane bool, err error) {
	k := &knocking{id: id, answer: make(chan answer, 1)}
	l.setKnocking(k)
	defer l.giveUp(k)
	if err := l.send(ctx, &wire.ConnInfo{ServiceId: id, Knock: &wire.ConnInfo_Knock{Knock: true}}); err != nil {
		return false, err
	}
	for {
		select {
		case a := <-k.answer:
			if a.refusal != "" {
				return false, fmt.Errorf("%w: %.200q", ErrRefused, a.refusal)
			}
			return a.lane, nil
		case <-l.session.stale:
			if err := t.settleOne(ctx); err != nil {
				return false, err
			}
		case <-l.done:
			return false, l.why
		case <-l.b.closed:
			return false, ErrClosed
		case <-ctx.Done():
			return false, noAnswer(ctx)
		}
	}
}

// giveUp also takes an answer that came at the last moment: it is nobody's now.
func (l *link) giveUp(k *knocking) {
	l.setKnocking(nil)
	select {
	case a := <-k.answer:
		if a.refusal == "" {
			l.session.addStale()
		}
	default:
	}
}

func (l *link) setKnocking(k *knocking) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.knocking = k
}
