package lane

import "encoding/binary"

// sender sends the messages of one call in one direction. One goroutine uses it at a time, but for window.
type sender struct {
	w       *writer
	window  *sendWindow
	buffers *buffers
	id      uint32
	kind    kind                // of the data frames
	before  func([]byte) []byte // appends what goes before a message; nil means nothing
	many    bool                // many calls are in flight: others are likely to send, too
	answers bool                // the last message was waited for: no other is likely to follow this one
	more    func() bool         // whether others follow, and whoever sends them flushes; nil means never
}

// send sends m. It returns errStopped when the call ended or done came first, the connection's error, or a status error
// when m cannot be encoded.
func (s *sender) send(m sized, done <-chan struct{}) error {
	if m.size <= maxWhole {
		return s.sendWhole(m, done)
	}
	if prefix, bulk, ok := splitBulk(m); ok {
		return s.sendParts(prefix, bulk, done)
	}
	b := s.buffers.get(m.size)
	defer s.buffers.put(b)
	encoded, err := m.appendTo(b.b[:0])
	if err != nil {
		return err
	}
	return s.sendParts(nil, encoded, done)
}

func (s *sender) sendWhole(m sized, done <-chan struct{}) error {
	cost := int64(m.size + messageCost)
	if _, err := s.window.take(cost, cost, done); err != nil {
		return err
	}
	if err := s.begin(done); err != nil {
		return err
	}
	b, at := reserveHeader(s.prefix())
	b, err := m.appendTo(b)
	if err != nil {
		s.w.hold()
		return err
	}
	sealFrame(b, at, header{kind: s.kind, id: s.id})
	s.w.buf = b
	switch {
	case s.more != nil && len(b) < mostCorked && s.more():
		s.w.hold()
	case s.many:
		s.w.flushTogether()
	case s.answers:
		s.w.flush()
	default:
		s.w.flushRapid()
	}
	return nil
}

// begin locks the writer when there is room and the call has not ended: after the end its id may be another's.
func (s *sender) begin(done <-chan struct{}) error {
	if err := s.w.beginWithRoom(done); err != nil {
		return err
	}
	if s.window.isClosed() {
		s.w.hold()
		return errStopped
	}
	return nil
}

// prefix is what has been appended, with what goes before a message.
func (s *sender) prefix() []byte {
	if s.before != nil {
		s.w.buf = s.before(s.w.buf)
	}
	return s.w.buf
}

// sendParts sends the message prefix + bulk in parts. One that is not completed is the last: only the call's end can
// follow it.
func (s *sender) sendParts(prefix, bulk []byte, done <-chan struct{}) error {
	err := s.tryParts(prefix, bulk, done)
	if err != nil {
		s.window.close()
	}
	return err
}

func (s *sender) tryParts(prefix, bulk []byte, done <-chan struct{}) error {
	total, cost, flags := len(prefix)+len(bulk), messageCost, flagFirst
	for len(bulk) > 0 {
		most := min(len(prefix)+len(bulk), maxPart)
		n, err := s.window.take(int64(min(most, leastPart)+cost), int64(most+cost), done)
		if err != nil {
			return err
		}
		part := bulk[:int(n)-cost-len(prefix)]
		if err := s.begin(done); err != nil {
			return err
		}
		b, at := reserveHeader(s.prefix())
		h := header{kind: s.kind, id: s.id, flags: flags, size: uint32(len(prefix) + len(part))}
		if flags == flagFirst {
			h.size += 4
			b = binary.LittleEndian.AppendUint32(b, uint32(total))
		}
		h.put(b[at:])
		s.w.buf = append(b, prefix...)
		s.w.flushWith(part, done)
		bulk, prefix, cost, flags = bulk[len(part):], nil, 0, flagPart
	}
	return nil
}
