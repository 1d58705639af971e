package lane

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/status"
)

// serverCall is a call that a handler serves. It is the handler's context, too: what a handler does not ask for, such as
// a Done channel or a timer, is never made. It is not used again, because a handler may keep its context.
type serverCall struct {
	conn     *serverConn
	id       uint32
	method   *method
	md       metadata.MD
	deadline time.Time     // zero means none
	in       *inbox        // nil when the whole request came with the first frame
	got      bool          // a request message was received; the handler's
	drained  bool          // io.EOF was received, which stays so; the handler's
	crashing bool          // the handler's panic is ending the process; the handler's
	waited   atomic.Bool   // for a message, since the last one was sent
	lent     atomic.Uint64 // the inliner's turn by which the reading is the handler's; zero means none

	mu      sync.Mutex
	std     context.Context // what the context's methods come to, once somebody asks
	cancel  context.CancelFunc
	cause   error // why the context has ended
	window  *sendWindow
	header  metadata.MD
	trailer metadata.MD
	headed  bool // the header was sent, or is about to be
	over    bool // no message may be sent any more
}

var (
	_ context.Context            = (*serverCall)(nil)
	_ grpc.ServerStream          = (*serverStream)(nil)
	_ grpc.ServerTransportStream = (*transportStream)(nil)
)

// Deadline is the caller's.
func (k *serverCall) Deadline() (time.Time, bool) { return k.deadline, !k.deadline.IsZero() }

// Done is closed when the caller gives up, its deadline passes, the connection ends or the handler returns.
func (k *serverCall) Done() <-chan struct{} { return k.standard().Done() }

// Err is why Done is closed.
func (k *serverCall) Err() error {
	k.mu.Lock()
	defer k.mu.Unlock()
	switch {
	case k.std != nil:
		return k.std.Err()
	case k.cause != nil:
		return k.cause
	case !k.deadline.IsZero() && !time.Now().Before(k.deadline):
		return context.DeadlineExceeded
	}
	return nil
}

// Value gives grpc, metadata and peer what they look for.
func (k *serverCall) Value(key any) any { return k.standard().Value(key) }

// standard makes the context out of the standard ones.
func (k *serverCall) standard() context.Context {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.std != nil {
		return k.std
	}
	ctx := context.Background()
	if k.deadline.IsZero() {
		ctx, k.cancel = context.WithCancel(ctx)
	} else {
		ctx, k.cancel = context.WithDeadline(ctx, k.deadline)
	}
	if k.cause != nil {
		k.cancel()
	}
	md := k.md
	if md == nil {
		md = metadata.MD{}
	}
	ctx = metadata.NewIncomingContext(peer.NewContext(ctx, &k.conn.peer), md)
	k.std = grpc.NewContextWithServerTransportStream(ctx, (*transportStream)(k))
	return k.std
}

// cut ends what the handler sees of a call that is over: its context ends, and nothing more comes or goes.
func (k *serverCall) cut() {
	k.mu.Lock()
	if k.cause == nil {
		k.cause = context.Canceled
	}
	if k.cancel != nil {
		k.cancel()
	}
	k.shut()
	k.mu.Unlock()
	if k.in != nil {
		k.in.abandon()
		k.conn.interrupt(k)
	}
}

// stop ends a call from outside of its handler. The context ends before sending fails, so that a handler whose message is
// not taken finds why there.
func (k *serverCall) stop(st *status.Status) {
	mine := k.conn.take(k)
	k.cut()
	if mine {
		k.endTaken(st)
	}
}

// sendWindow is made when it is first needed: calls with small replies never do.
func (k *serverCall) sendWindow() *sendWindow {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.window == nil {
		k.window = newSendWindow(k.conn.theirs.window)
		k.window.closed = k.over
		k.window.starve = k.returnReading
	}
	return k.window
}

// shut ends the sending of messages and header. Called with mu.
func (k *serverCall) shut() {
	k.over = true
	if k.window != nil {
		k.window.close()
	}
}

func (k *serverCall) isOver() bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.over
}

// end sends the end of the call, unless that was done before.
func (k *serverCall) end(st *status.Status) {
	if k.conn.take(k) {
		k.endTaken(st)
	}
}

// endTaken is end for who has taken the call.
func (k *serverCall) endTaken(st *status.Status) {
	_ = k.sendEnd(st, nil, true)
	k.conn.ended()
}

// sendEnd appends the end frame, with the reply if m is not nil. Without flush the caller sees to that soon. An error
// means that the reply could not be encoded, and that nothing was appended.
func (k *serverCall) sendEnd(st *status.Status, m *sized, flush bool) error {
	w := &k.conn.w
	if w.begin() != nil {
		return nil // nobody to tell
	}
	b, rest, err := k.appendEnd(w.buf, st, m)
	if err == nil {
		w.buf = b
	}
	switch {
	case len(rest.b) > 0:
		k.flushEnd(rest, flush)
	case !flush:
		w.hold()
	case k.conn.many():
		w.flushTogether()
	default:
		w.flush()
	}
	return err
}

// flushEnd writes what was appended, and rest. Only with wait it waits for the client.
func (k *serverCall) flushEnd(rest tail, wait bool) {
	done := k.conn.done
	if !wait {
		done = closedChannel()
	}
	k.conn.w.flushWith(rest.b, done)
	k.conn.s.buffers.put(rest.from)
}

func closedChannel() chan struct{} {
	c := make(chan struct{})
	close(c)
	return c
}

// appendEnd appends the end frame; rest is to be written after it.
func (k *serverCall) appendEnd(b []byte, st *status.Status, m *sized) (grown []byte, rest tail, err error) {
	b, at := reserveHeader(b)
	h := header{kind: kindEnd, id: k.id}
	k.mu.Lock()
	k.shut() // nothing may follow the end
	if !k.headed && len(k.header) > 0 {
		h.flags |= flagMetadata
		b = appendMetadata(b, k.header)
	}
	k.headed = true
	if len(k.trailer) > 0 {
		h.flags |= flagTrailer
		b = appendMetadata(b, k.trailer)
	}
	k.mu.Unlock()
	if st.Err() != nil {
		h.flags |= flagStatus
		b = appendStatus(b, st)
	} else if m != nil {
		h.flags |= flagMessage
		if b, rest, err = m.appendHeadTo(b, &k.conn.s.buffers); err != nil {
			return nil, tail{}, err
		}
	}
	sealFrameWith(b, at, h, len(rest.b))
	return b, rest, nil
}
