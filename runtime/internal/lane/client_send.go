package lane

import (
	"context"
	"encoding/binary"
)

// fewCalls is how many calls in flight are not worth waiting for each other.
const fewCalls = 3

// maxName is the longest method name.
const maxName = 1 << 10

// start sends a call's first frame, with its message if m is not nil.
func (c *Client) start(ctx context.Context, id uint32, q *request, flags uint8, m *sized) error {
	rest, err := c.startLater(ctx, id, q, flags, m)
	switch {
	case err != nil:
		return err
	case len(rest.b) > 0:
		c.w.flushWith(rest.b, ctx.Done())
		c.buffers.put(rest.from)
		return nil
	}
	if c.crowded() {
		c.w.flushTogether()
	} else {
		c.w.flush()
	}
	return nil
}

// crowded tells whether so many calls are being made that their frames should share writes. A caller counts until it
// returns: those whose replies came together are likely to call again together.
func (c *Client) crowded() bool {
	return c.table.many.Load() > fewCalls || c.callers.Load() > fewCalls
}

// startLater appends a call's first frame. Without an error the writer is locked, to be flushed with rest.
func (c *Client) startLater(ctx context.Context, id uint32, q *request, flags uint8, m *sized) (rest tail, err error) {
	if err := c.w.beginWithRoom(ctx.Done()); err != nil {
		return tail{}, err
	}
	if c.sealed {
		c.w.hold()
		return tail{}, ErrDrained
	}
	if rest, err = c.appendCall(id, q, flags, m); err != nil {
		c.w.hold()
	}
	return rest, err
}

// appendCall appends a call's first frame. Called with the writer, so that the numbers of methods are bound in the order
// in which they travel. rest is to be written after what was appended.
func (c *Client) appendCall(id uint32, q *request, flags uint8, m *sized) (rest tail, err error) {
	number, bound := c.names[q.method]
	b, at := reserveHeader(c.w.buf)
	h := header{kind: kindCall, id: id, flags: flags}
	if q.timeout > 0 {
		h.flags |= flagTimeout
		b = binary.LittleEndian.AppendUint64(b, uint64(q.timeout))
	}
	if h.method = number; !bound {
		h.flags |= flagName
		h.method = c.nextNumber()
		b = binary.LittleEndian.AppendUint16(b, uint16(len(q.method)))
		b = append(b, q.method...)
	}
	if len(q.md) > 0 {
		h.flags |= flagMetadata
		b = appendMetadata(b, q.md)
	}
	if m != nil {
		if b, rest, err = m.appendHeadTo(b, &c.buffers); err != nil {
			return tail{}, err
		}
	}
	if !bound && h.method != 0 {
		c.names[q.method] = h.method
	}
	sealFrameWith(b, at, h, len(rest.b))
	c.w.buf = b
	return rest, nil
}

// nextNumber is the number for a new method, 0 when there are enough of them.
func (c *Client) nextNumber() uint16 {
	if len(c.names) >= maxNames {
		return 0
	}
	return uint16(len(c.names) + 1)
}

// sendCancel tells the peer that an abandoned call was given up, unless it has ended meanwhile: then its id may be
// another's. As a call is sent under the same lock, none can come between the look and the frame.
func (c *Client) sendCancel(id uint32, turn uint64) {
	if c.w.begin() != nil {
		return
	}
	if c.table.isTurn(id, turn) {
		c.w.buf = appendFrame(c.w.buf, header{kind: kindCancel, id: id})
	}
	c.w.flush()
}
