package lane

import (
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
)

// handle takes one frame in. An error ends the connection.
func (c *Client) handle(h header) error {
	switch h.kind {
	case kindEnd:
		return c.handleEnd(h)
	case kindHead, kindResData, kindResCredit:
		return c.handleStream(h)
	case kindDrain:
		c.seal()
		return c.r.discard(int(h.size))
	}
	if h.kind == kindMethods {
		return c.handleMethods(h)
	}
	if h.kind >= firstExtension {
		return c.r.discard(int(h.size))
	}
	return protocolError("frame of kind %#x", h.kind)
}

// seal answers the server's wish for no more calls: what was sent before the answer is still served.
func (c *Client) seal() {
	c.table.refuse(ErrDrained)
	if c.w.begin() != nil {
		return
	}
	if !c.sealed {
		c.sealed = true
		c.w.buf = appendFrame(c.w.buf, header{kind: kindLast})
	}
	c.w.flush()
}

func (c *Client) handleEnd(h header) error {
	body, own, err := c.r.takeOwn(int(h.size), &c.reserve)
	if err != nil {
		return err
	}
	if s, _ := c.table.get(h.id); s.stream != nil {
		s.stream.send.window.close() // before the id is free: nothing more may be sent for this call
	}
	s, ok := c.table.end(h.id)
	switch {
	case !ok:
		return protocolError("end of call %d, which is not in use", h.id)
	case s.call != nil:
		s.call.answer(h.flags, body, own)
		return nil
	case s.stream != nil:
		return s.stream.handleEnd(h.flags, body, own)
	}
	return nil // given up
}

// end is what an end frame says.
type end struct {
	header  metadata.MD // nil when it brings none
	trailer metadata.MD
	status  *status.Status // nil means OK
	message []byte
	whole   bool // message is there
}

func parseEnd(flags uint8, body []byte) (e end, err error) {
	if flags&^endFlags != 0 {
		return e, protocolError("end with flags %#x", flags)
	}
	if flags&flagMetadata != 0 {
		if e.header, body, err = cutMetadata(body); err != nil {
			return e, err
		}
	}
	if flags&flagTrailer != 0 {
		if e.trailer, body, err = cutMetadata(body); err != nil {
			return e, err
		}
	}
	if flags&flagStatus != 0 {
		if e.status, body, err = cutStatus(body); err != nil {
			return e, err
		}
	}
	e.message, e.whole = body, flags&flagMessage != 0
	if !e.whole && len(body) > 0 || e.whole && e.status != nil {
		return e, protocolError("end with flags %#x and %d bytes left over", flags, len(body))
	}
	return e, nil
}

// handleStream takes in what belongs to a stream; a unary call that gets it becomes one.
func (c *Client) handleStream(h header) error {
	s, ok := c.table.get(h.id)
	if !ok {
		return protocolError("frame of kind %#x for call %d, which is not in use", h.kind, h.id)
	}
	stream := s.stream
	if s.call != nil {
		stream = c.promote(h.id, s.call)
	}
	if stream == nil {
		return c.r.discard(int(h.size))
	}
	if h.kind == kindResData {
		c.fed = stream
		return stream.handleData(h, c.r)
	}
	body, err := c.r.take(int(h.size))
	if err != nil {
		return err
	}
	if h.kind == kindHead {
		return stream.handleHead(body)
	}
	n, err := readCredit(body)
	if err != nil {
		return err
	}
	return stream.send.window.grant(n)
}

// promote makes a stream of a unary call whose answer does not come in one frame; nil when its caller has given up.
func (c *Client) promote(id uint32, k *call) *clientStream {
	s := c.newClientStream(unaryDesc())
	s.in.eager, s.reported = true, true // nothing to report before it is adopted
	s.in.limit = k.limit
	if !c.table.promote(id, k, s) {
		return nil
	}
	k.stream = s
	k.answered <- struct{}{}
	return s
}
