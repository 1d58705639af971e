package host

import (
	"fmt"
	"io"
	"sync"

	"github.com/plugingen/plugingen/runtime/relay"
)

const lastBytes = 64 // of stdout that an error quotes

// tap counts what came through it, for the error that says how far a start came.
type tap struct {
	r     io.Reader
	total int64
	last  []byte
}

// Read is io.Reader's.
func (t *tap) Read(p []byte) (int, error) {
	n, err := t.r.Read(p)
	t.total += int64(n)
	t.last = append(t.last, p[:n]...)
	if cut := len(t.last) - lastBytes; cut > 0 {
		t.last = append(t.last[:0], t.last[cut:]...)
	}
	return n, err
}

func (t *tap) errorAt(err error) error {
	if t.total == 0 {
		return fmt.Errorf("%w: nothing came on its stdout", err)
	}
	return fmt.Errorf("%w: no whole handshake line among %d bytes on its stdout, which end in %+q", err, t.total, t.last)
}

// noise relays the lines that come before the handshake line. Most plugins have none, so it starts with the first.
type noise struct {
	c     *child
	start sync.Once
	w     *io.PipeWriter
}

func (n *noise) line(line []byte) {
	n.start.Do(func() {
		r, w := io.Pipe()
		n.w = w
		n.c.relay(relay.New(relayConfig(n.c.cfg, "stdout")), r)
	})
	_, _ = n.w.Write(append(line[:len(line):len(line)], '\n')) // the relay reads to the end, whatever its logger does
}

func (n *noise) end() {
	if n.w != nil {
		_ = n.w.Close() // never fails
	}
}
