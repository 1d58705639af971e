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
	more    bool                // messages are sent in a row: another is likely to follow
}

// send sends m. It returns errStopped when the call ended or done came first, the connection's error, or a status error
// when m cannot be encoded.
func (s *sender) send(m sized, done <-chan struct{}) error {
	if m.size <= maxWhole {
		return s.sendWhole(m, done)
	}
	b := s.buffers.get(m.size)
	defer s.buffers.put(b)
	encoded, err := m.appendTo(b.b[:0])
	if err != nil {
		return err
	}
	return s.sendParts(encoded, done)
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
	if s.more {
		s.w.flushSoon()
	} else {
		s.w.flush()
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

// sendParts sends a message in parts. One that is not completed is the last: only the call's end can follow it.
func (s *sender) sendParts(message []byte, done <-chan struct{}) error {
	err := s.tryParts(message, done)
	if err != nil {
		s.window.close()
	}
	return err
}

func (s *sender) tryParts(message []byte, done <-chan struct{}) error {
	rest, cost, flags := message, messageCost, flagFirst
	for len(rest) > 0 {
		most := min(len(rest), maxPart)
		n, err := s.window.take(int64(min(most, leastPart)+cost), int64(most+cost), done)
		if err != nil {
			return err
		}
		part := rest[:int(n)-cost]
		if err := s.begin(done); err != nil {
			return err
		}
		b, at := reserveHeader(s.prefix())
		if flags == flagFirst {
			b = binary.LittleEndian.AppendUint32(b, uint32(len(message)))
		}
		b = append(b, part...)
		sealFrame(b, at, header{kind: s.kind, id: s.id, flags: flags})
		s.w.buf = b
		s.w.flush()
		rest, cost, flags = rest[len(part):], 0, flagPart
	}
	return nil
}
