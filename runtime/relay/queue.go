package relay

import (
	"encoding/binary"
	"sync"
	"sync/atomic"
	"time"
)

// piece says what a queued text is: a line, or a part of a long one.
type piece struct {
	part int   // counts from 1; 0 is a whole line
	more bool  // another part follows
	at   int64 // when it was read, in nanoseconds since 1970
}

const (
	pieceHeader = 4 + 4 + 1 + 8
	keptBuffer  = 64 << 10
)

func appendPiece(buf []byte, p piece, text []byte) []byte {
	buf = binary.LittleEndian.AppendUint32(buf, uint32(len(text)))
	buf = binary.LittleEndian.AppendUint32(buf, uint32(p.part))
	more := byte(0)
	if p.more {
		more = 1
	}
	buf = append(buf, more)
	buf = binary.LittleEndian.AppendUint64(buf, uint64(p.at))
	return append(buf, text...)
}

func cutPiece(buf []byte) (p piece, text, rest []byte) {
	end := pieceHeader + int(binary.LittleEndian.Uint32(buf))
	p.part = int(binary.LittleEndian.Uint32(buf[4:]))
	p.more = buf[8] == 1
	p.at = int64(binary.LittleEndian.Uint64(buf[9:]))
	return p, buf[pieceHeader:end], buf[end:]
}

// batch is what the sink takes at once: pieces in order, then a number of lines that were dropped after them.
type batch struct {
	pieces  []byte
	dropped uint64
	end     bool // nothing comes after it
}

// queue stands between one reader, which must not wait for long, and one sink, which may. It has two buffers: one fills
// while the other is logged. So room comes half a Buffer at a time, and a lock is taken once for many lines by the sink.
type queue struct {
	limit    int // bytes in a buffer
	patience time.Duration
	wake     chan struct{} // for the sink: there is something to take
	room     chan struct{} // for the reader: a buffer was taken

	mu      sync.Mutex
	first   func() // starts the sink, once there is something for it; nil from then on
	buf     []byte
	spare   []byte
	dropped uint64
	closed  bool // the reader is done

	dead atomic.Bool // the sink is done; set with mu held
}

func newQueue(limit int, patience time.Duration) *queue {
	return &queue{limit: limit, patience: patience, wake: make(chan struct{}, 1), room: make(chan struct{}, 1)}
}

// push copies text into the queue, or counts it as dropped. Once it has dropped, it drops until the sink takes what is
// there: so that the place of the gap is known.
func (q *queue) push(p piece, text []byte) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.first != nil {
		q.first()
		q.first = nil
	}
	if !q.fits(text) && q.dropped == 0 {
		q.waitForRoom(text)
	}
	if q.dropped > 0 || !q.fits(text) {
		q.dropped++
		return
	}
	if len(q.buf) == 0 {
		signal(q.wake)
	}
	q.buf = appendPiece(q.buf, p, text)
}

func (q *queue) fits(text []byte) bool {
	return !q.dead.Load() && (len(q.buf) == 0 || len(q.buf)+pieceHeader+len(text) <= q.limit)
}

// waitForRoom holds up the reader, and so the plugin, for at most the queue's patience. It is called with the lock held.
func (q *queue) waitForRoom(text []byte) {
	timer := time.NewTimer(q.patience)
	defer timer.Stop()
	for !q.fits(text) && !q.dead.Load() {
		q.mu.Unlock()
		expired := false
		select {
		case <-q.room:
		case <-timer.C:
			expired = true
		}
		q.mu.Lock()
		if expired {
			return
		}
	}
}

// take waits for something to log; used is the buffer of the batch before. It returns false when idle fires first.
func (q *queue) take(used []byte, idle <-chan time.Time) (batch, bool) {
	q.recycle(used)
	for {
		if b, ok := q.tryTake(); ok {
			return b, true
		}
		select {
		case <-q.wake:
		case <-idle:
			return batch{}, false
		}
	}
}

// recycle keeps a buffer for later, unless a burst has made it larger than what comes now needs.
func (q *queue) recycle(used []byte) {
	if cap(used) == 0 || cap(used) > keptBuffer && len(used) < cap(used)/4 {
		return
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	q.spare = used[:0]
}

func (q *queue) tryTake() (batch, bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.dead.Load() {
		return batch{end: true}, true
	}
	if len(q.buf) == 0 && q.dropped == 0 {
		return batch{end: true}, q.closed
	}
	b := batch{pieces: q.buf, dropped: q.dropped}
	q.buf, q.spare, q.dropped = q.spare, nil, 0
	signal(q.room)
	return b, true
}

// close says that nothing more will be pushed, and returns whether there was anything for the sink.
func (q *queue) close() (begun bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed = true
	signal(q.wake)
	return q.first == nil
}

// abandon ends the queue from the sink's side: whatever is pushed is dropped at once.
func (q *queue) abandon() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.dead.Store(true)
	signal(q.wake)
	signal(q.room)
}

func signal(c chan<- struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
