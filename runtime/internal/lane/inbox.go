package lane

import (
	"encoding/binary"
	"sync"
	"sync/atomic"
)

// message is one that has arrived whole.
type message struct {
	body  []byte
	from  *buffer // where body lives, to be given back; nil when body is its own
	owed  int64   // window to return once it is consumed
	claim *claim  // budget to return then
}

// inbox is what has arrived on a call: whole messages in a queue, and perhaps parts of the next. The connection's reader
// fills it, one goroutine takes from it.
//
// A message may be larger than the window. The rest of it is granted from the connection's budget, and only while
// somebody waits for it: a call that nobody reads holds its window and not a byte more.
type inbox struct {
	limit   int // bytes of one message
	window  int64
	eager   bool // somebody always waits: a unary call
	buffers *buffers
	budget  *budget
	reserve *reserve
	credit  func(n int64) // sends credit to the peer; does not wait
	asking  *atomic.Int32 // counts the inboxes that have not ended; nil means nothing

	wake chan struct{} // holds a token when queue or ended has changed

	mu      sync.Mutex
	queue   []message
	head    int
	allowed int64 // what the peer may still send
	unpaid  int64 // consumed and not yet returned as credit
	waiting bool
	ended   bool
	part    partial
	grown   int64  // by how much the window was widened
	growth  *claim // the budget behind that

	body []byte // what part has of its message; the reader's alone
}

// partial is the message that is being put together.
type partial struct {
	total   int
	got     int
	active  bool
	asked   bool   // for the credit that it needs beyond the window
	whole   bool   // that credit was granted: room for all of it may be made
	prepaid int64  // credit given ahead
	claim   *claim // the budget behind prepaid
}

func (in *inbox) init(window int) {
	in.window, in.allowed = int64(window), int64(window)
	in.wake = make(chan struct{}, 1)
	if in.asking != nil {
		in.asking.Add(1)
	}
}

// data reads a data frame's body. tooLarge tells that the message exceeds the limit: the call is to be ended. An error
// ends the connection.
func (in *inbox) data(h header, r *frameReader) (tooLarge int, err error) {
	n := int(h.size)
	switch {
	case h.flags == 0:
		return in.readWhole(r, n)
	case h.flags == flagFirst && n > 4:
		b, err := r.take(4)
		if err != nil {
			return 0, err
		}
		total := binary.LittleEndian.Uint32(b)
		n -= 4
		if int64(total) > int64(in.limit) {
			return int(total), r.discard(n)
		}
		return 0, in.readFirst(r, n, int(total))
	case h.flags == flagPart && n > 0:
		return 0, in.readPart(r, n)
	}
	return 0, protocolError("data with flags %#x and %d bytes", h.flags, n)
}

func (in *inbox) readWhole(r *frameReader, n int) (tooLarge int, err error) {
	if n > in.limit {
		return n, r.discard(n)
	}
	if err := in.account(n, messageCost, false); err != nil {
		return 0, err
	}
	body, err := r.take(n)
	if err != nil {
		return 0, err
	}
	in.push(body, int64(n+messageCost))
	return 0, nil
}

// push queues a copy of body.
func (in *inbox) push(body []byte, owed int64) {
	b := in.buffers.get(len(body))
	copy(b.b, body)
	in.add(message{body: b.b, from: b, owed: owed})
}

func (in *inbox) add(m message) {
	in.mu.Lock()
	if in.ended {
		in.mu.Unlock()
		in.buffers.put(m.from)
		in.budget.drop(m.claim)
		return
	}
	in.queue = append(in.queue, m)
	in.mu.Unlock()
	poke(in.wake)
}

// account takes n bytes and their cost off what the peer may send. further tells that they continue a message.
func (in *inbox) account(n, cost int, further bool) error {
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.ended {
		return nil
	}
	if in.part.active != further {
		return protocolError("parts of a message out of order")
	}
	if in.allowed -= int64(n + cost); in.allowed < 0 {
		return protocolError("%d bytes more than the window allows", -in.allowed)
	}
	return nil
}

func (in *inbox) readFirst(r *frameReader, n, total int) error {
	if n > total {
		return protocolError("part of %d bytes of a message of %d", n, total)
	}
	if err := in.account(n, messageCost, false); err != nil {
		return err
	}
	in.mu.Lock()
	in.part = partial{total: total, active: true}
	in.mu.Unlock()
	in.body = nil
	return in.fill(r, n)
}

func (in *inbox) readPart(r *frameReader, n int) error {
	if err := in.account(n, 0, true); err != nil {
		return err
	}
	return in.fill(r, n)
}

// fill reads the next n bytes of the message that is being put together into place.
func (in *inbox) fill(r *frameReader, n int) error {
	in.mu.Lock()
	if in.ended {
		in.mu.Unlock()
		return r.discard(n)
	}
	at := in.part.got
	in.part.got += n
	in.mu.Unlock()
	in.want()
	in.mu.Lock()
	total, whole := in.part.total, in.part.whole || in.part.total <= int(in.window)
	ended := in.ended
	in.mu.Unlock()
	if ended {
		return r.discard(n)
	}
	if at+n > total {
		return protocolError("parts exceed their message of %d bytes", total)
	}
	in.makeRoom(at, n, total, whole)
	if err := r.readInto(in.body[at : at+n]); err != nil {
		return err
	}
	if at+n == total {
		in.complete()
	}
	return nil
}

// makeRoom makes body hold n bytes from at on: the whole message when the peer has leave to send it, otherwise no more
// than the window lets come.
func (in *inbox) makeRoom(at, n, total int, whole bool) {
	switch {
	case len(in.body) >= at+n:
	case whole:
		in.reserve.ensure()
		body := messageMemory(total)
		copy(body, in.body[:at])
		in.body = body
	default:
		in.body = append(in.body[:at], make([]byte, n)...)
	}
}

func (in *inbox) complete() {
	body := in.body
	in.body = nil
	in.mu.Lock()
	p := in.part
	if !in.ended {
		in.part = partial{}
	}
	in.mu.Unlock()
	in.add(message{body: body, owed: int64(len(body)) + messageCost - p.prepaid, claim: p.claim})
}

// want grants the rest of a message that somebody waits for and that does not fit what the peer may still send.
func (in *inbox) want() {
	in.mu.Lock()
	p := &in.part
	if !p.active || p.asked || in.ended || (!in.eager && (!in.waiting || in.head != len(in.queue))) {
		in.mu.Unlock()
		return
	}
	p.asked = true
	need := int64(p.total-p.got) - in.allowed
	var now int64
	if need > 0 { // first what is owed anyway
		now, in.unpaid = in.unpaid, 0
		in.allowed += now
		need -= now
	}
	if need > 0 {
		// Noted before it is asked for: with the answer the message may be complete at once.
		p.claim = &claim{n: need, ready: func() { in.prepay(need) }}
	}
	p.whole = need <= 0
	c := p.claim
	in.mu.Unlock()
	if now > 0 {
		in.credit(now)
	}
	if c != nil {
		in.budget.submit(c)
	}
}

// prepay lets the peer send n bytes beyond the window.
func (in *inbox) prepay(n int64) {
	in.mu.Lock()
	if in.ended {
		in.mu.Unlock()
		return
	}
	in.allowed += n
	in.part.whole, in.part.prepaid = true, n
	in.mu.Unlock()
	in.credit(n)
}
