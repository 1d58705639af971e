package plugin

import (
	"bytes"
	"context"
	"io"
	"sync"
	"time"

	"google.golang.org/grpc"

	"github.com/plugingen/plugingen/runtime/internal/wire"
)

const (
	mostPrinted  = 1 << 20         // bytes kept for a host that does not read
	printedChunk = 32 << 10        // bytes a message at most: small enough for every peer's limit
	patience     = 2 * time.Second // how long printing waits for a host that reads but has stopped
	// firstTime is how long the end waits for a host that has not read yet, when there is something to read: one that stops the plugin as
	// soon as it has called it may not have come so far.
	firstTime = 200 * time.Millisecond
)

// printed holds what the program has printed until a host reads it. While a host reads, a full buffer makes the program
// wait, so that nothing is lost. When none does, or it stands still for longer than patience, the oldest goes: a plugin
// must not hang because nobody looks at what it prints.
type printed struct {
	turn chan struct{} // holds one token: hosts read one after the other, two would take pieces from each other
	news chan struct{} // holds a token when there may be more to read
	room chan struct{} // holds a token when there may be room again
	end  chan struct{} // closed when there is no more to come
	came chan struct{} // closed when the first host reads

	first   sync.Once
	mu      sync.Mutex
	buf     bytes.Buffer
	reading bool   // a host is at turn
	stalled bool   // and has stood still
	read    uint64 // bytes taken out of buf so far, dropped ones included
	dropped uint64
}

func newPrinted() *printed {
	p := &printed{turn: make(chan struct{}, 1), news: make(chan struct{}, 1), room: make(chan struct{}, 1), end: make(chan struct{}), came: make(chan struct{})}
	p.turn <- struct{}{}
	return p
}

// collect reads src to its end.
func (p *printed) collect(src io.Reader) {
	defer close(p.end)
	chunk := make([]byte, printedChunk)
	for {
		n, err := src.Read(chunk)
		p.add(chunk[:n])
		if err != nil {
			return
		}
	}
}

func (p *printed) add(data []byte) {
	p.awaitRoom(len(data))
	p.mu.Lock()
	if over := p.buf.Len() + len(data) - mostPrinted; over > 0 {
		p.buf.Next(over)
		p.read += uint64(over)
		p.dropped += uint64(over)
	}
	p.buf.Write(data)
	p.mu.Unlock()
	put(p.news)
}

// awaitRoom returns when n bytes fit, or when waiting for it is in vain.
func (p *printed) awaitRoom(n int) {
	var standstill <-chan time.Time
	for p.mustWait(n) {
		if standstill == nil {
			standstill = time.After(patience)
		}
		select {
		case <-p.room:
			standstill = nil
		case <-standstill:
			p.setStalled()
		}
	}
}

func (p *printed) mustWait(n int) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.reading && !p.stalled && p.buf.Len()+n > mostPrinted
}

func (p *printed) setStalled() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.stalled = true
}

func (p *printed) isReading() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.reading
}

func (p *printed) setReading(reading bool) {
	p.mu.Lock()
	p.reading, p.stalled = reading, false
	p.mu.Unlock()
	put(p.room) // whoever waits for room looks again
}

// serve sends what is printed to one host, until the host leaves or there is no more.
func (p *printed) serve(stream grpc.ServerStreamingServer[wire.StdioData]) error {
	ctx := stream.Context()
	select {
	case <-p.turn:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { p.setReading(false); p.turn <- struct{}{} }()
	p.setReading(true)
	p.first.Do(func() { close(p.came) })
	for {
		more, err := p.sendAll(stream)
		if err != nil || !more {
			return err
		}
		select {
		case <-p.news:
		case <-p.end:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// sendAll sends what there is; more is false when nothing will follow.
func (p *printed) sendAll(stream grpc.ServerStreamingServer[wire.StdioData]) (more bool, err error) {
	for {
		ended := p.hasEnded() // before looking: what came before the end is seen
		data, at := p.peek()
		if len(data) == 0 {
			return !ended, nil
		}
		err := stream.Send(&wire.StdioData{Channel: wire.StdioData_CHANNEL_STDOUT, Data: data})
		if err != nil {
			return false, err // the next host gets it
		}
		p.advance(at + uint64(len(data)))
	}
}

func (p *printed) hasEnded() bool {
	select {
	case <-p.end:
		return true
	default:
		return false
	}
}

// peek returns the oldest bytes, and where in all that was printed they stand.
func (p *printed) peek() (data []byte, at uint64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return bytes.Clone(p.buf.Bytes()[:min(p.buf.Len(), printedChunk)]), p.read
}

// advance forgets everything before to; some of it may have been dropped meanwhile.
func (p *printed) advance(to uint64) {
	p.mu.Lock()
	if to > p.read {
		p.buf.Next(int(to - p.read))
		p.read = to
	}
	p.stalled = false
	if p.buf.Len() == 0 && p.buf.Cap() > 2*printedChunk {
		p.buf = bytes.Buffer{} // a burst must not hold its memory for ever
	}
	p.mu.Unlock()
	put(p.room)
}

// handedOver waits until a host has read all, once there is no more to come. It returns early when none reads, or ctx ends.
func (p *printed) handedOver(ctx context.Context) {
	select {
	case <-p.end:
	case <-ctx.Done():
		return
	}
	p.awaitFirst(ctx)
	if !p.isReading() {
		return
	}
	select {
	case <-p.turn: // the host at turn has got all and left
		p.turn <- struct{}{}
	case <-ctx.Done():
	}
}

// awaitFirst returns when a host has begun to read, there is nothing to read, or no host will come.
func (p *printed) awaitFirst(ctx context.Context) {
	if _, waiting := p.unread(); waiting == 0 {
		return
	}
	late := time.NewTimer(firstTime)
	defer late.Stop()
	select {
	case <-p.came:
	case <-late.C:
	case <-ctx.Done():
	}
}

// unread is how many bytes were dropped, and how many nobody has read.
func (p *printed) unread() (dropped uint64, waiting int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.dropped, p.buf.Len()
}

func put(c chan<- struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
