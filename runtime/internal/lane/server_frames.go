package lane

import (
	"encoding/binary"
	"math"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
)

// handle takes one frame in. mine is false when another goroutine reads by now. An error ends the connection.
func (c *serverConn) handle(h header, r *frameReader) (mine bool, err error) {
	switch h.kind {
	case kindCall:
		return c.handleCall(h, r)
	case kindReqData:
		return true, c.handleData(h, r)
	}
	body, err := r.take(int(h.size))
	if err == nil {
		err = c.handleSmall(h, body)
	}
	return true, err
}

func (c *serverConn) handleSmall(h header, body []byte) error {
	switch h.kind {
	case kindHalfClose:
		return c.handleHalfClose(h.id)
	case kindCancel:
		c.handleCancel(h.id)
		return nil
	case kindReqCredit:
		return c.handleCredit(h.id, body)
	case kindLast:
		c.lastCall()
		return nil
	}
	if h.kind >= firstExtension {
		return nil
	}
	return protocolError("frame of kind %#x", h.kind)
}

// begun is what a call's first frame says.
type begun struct {
	method   *binding
	deadline time.Time // zero means none
	md       metadata.MD
	message  []byte
	own      bool // message is its own memory
}

func (c *serverConn) handleCall(h header, r *frameReader) (mine bool, err error) {
	body, own, err := r.takeOwn(int(h.size), &c.s.reserve)
	if err != nil {
		return true, err
	}
	if h.flags&^callFlags != 0 {
		return true, protocolError("call with flags %#x", h.flags)
	}
	if int64(h.id) >= int64(c.s.cfg.MaxCalls) {
		return true, protocolError("call %d of at most %d", h.id, c.s.cfg.MaxCalls)
	}
	b, err := c.parseCall(h, body)
	if err != nil {
		return true, err
	}
	b.own = own
	return c.begin(h, b, r)
}

// begin serves a call in the way that suits it.
func (c *serverConn) begin(h header, b begun, r *frameReader) (mine bool, err error) {
	k := &serverCall{conn: c, id: h.id, method: b.method.method, md: b.md, deadline: b.deadline}
	if b.method.unknown != nil {
		return true, c.refuse(k, b.method.unknown)
	}
	if n := len(b.message); n > c.s.cfg.MaxMessageSize {
		return true, c.refuse(k, status.Convert(tooLarge("receive", n, c.s.cfg.MaxMessageSize)))
	}
	const whole = flagMessage | flagHalf
	if k.method.unary == nil || h.flags&whole != whole {
		return true, c.dispatchStream(k, h.flags, b.message)
	}
	if !c.fits(k, r) {
		return true, c.dispatch(k, b)
	}
	if c.get(k.id) != nil {
		return true, protocolError("call %d begins twice", k.id)
	}
	return c.runInline(k, b, r), nil
}

// parseCall reads the body of a call's first frame.
func (c *serverConn) parseCall(h header, body []byte) (b begun, err error) {
	if h.flags&flagTimeout != 0 {
		if len(body) < 8 {
			return b, protocolError("timeout cut short")
		}
		if n := binary.LittleEndian.Uint64(body); n < math.MaxInt64/2 {
			b.deadline = time.Now().Add(time.Duration(n))
		}
		body = body[8:]
	}
	if b.method, body, err = c.parseMethod(h, body); err != nil {
		return b, err
	}
	if h.flags&flagMetadata != 0 {
		if b.md, body, err = cutMetadata(body); err != nil {
			return b, err
		}
	}
	if b.message = body; h.flags&flagMessage == 0 && len(body) > 0 {
		return b, protocolError("call with %d bytes left over", len(body))
	}
	return b, nil
}

// parseMethod finds the method, and binds its number if the frame does.
func (c *serverConn) parseMethod(h header, body []byte) (*binding, []byte, error) {
	if h.flags&flagName == 0 {
		if h.method == 0 || int(h.method) > len(c.bound) {
			return nil, nil, protocolError("method number %d of %d", h.method, len(c.bound))
		}
		return c.bound[h.method-1], body, nil
	}
	if len(body) < 2 {
		return nil, nil, protocolError("method name cut short")
	}
	n := int(binary.LittleEndian.Uint16(body))
	if n > maxName || n > len(body)-2 {
		return nil, nil, protocolError("method name of %d bytes", n)
	}
	b := &binding{}
	b.method, b.unknown = c.s.find(string(body[2 : 2+n]))
	if h.method != 0 {
		if int(h.method) != len(c.bound)+1 || int(h.method) > maxNames {
			return nil, nil, protocolError("method number %d bound after %d", h.method, len(c.bound))
		}
		c.bound = append(c.bound, b)
	}
	return b, body[2+n:], nil
}

// refuse ends a call that no handler has seen.
func (c *serverConn) refuse(k *serverCall, st *status.Status) error {
	if err := c.add(k); err != nil {
		return err
	}
	k.end(st)
	return nil
}

func (c *serverConn) handleData(h header, r *frameReader) error {
	k := c.get(h.id)
	if k == nil { // ended meanwhile
		return r.discard(int(h.size))
	}
	if k.in == nil {
		return protocolError("data for call %d, which was half-closed", h.id)
	}
	c.lender.fed = k
	size, err := k.in.data(h, r)
	if err == nil && size > 0 {
		k.stop(status.Convert(tooLarge("receive", size, k.in.limit)))
	}
	return err
}

func (c *serverConn) handleHalfClose(id uint32) error {
	k := c.get(id)
	if k == nil {
		return nil
	}
	if k.in == nil || k.in.cutShort() {
		return protocolError("call %d half-closed out of place", id)
	}
	k.in.finish()
	return nil
}

func (c *serverConn) handleCancel(id uint32) {
	if k := c.get(id); k != nil {
		k.stop(status.New(codes.Canceled, "lane: the caller has given up"))
	}
}

func (c *serverConn) handleCredit(id uint32, body []byte) error {
	n, err := readCredit(body)
	if err != nil {
		return err
	}
	if k := c.get(id); k != nil {
		return k.sendWindow().grant(n)
	}
	return nil
}
