package lane

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// kind says what a frame is. The high nibble is the direction: 0x0 from the caller, 0x1 from the callee.
// Kinds from firstExtension on are skipped by whoever does not know them.
type kind uint8

const (
	kindCall      kind = 0x01 // starts a call, with its whole request when that is small
	kindReqData   kind = 0x02 // a request message, or a part of one
	kindHalfClose kind = 0x03 // no more request messages
	kindCancel    kind = 0x04 // the caller has given up
	kindReqCredit kind = 0x05 // the caller takes more response bytes
	kindLast      kind = 0x06 // answers kindDrain: no call follows

	kindHead      kind = 0x11 // response header
	kindResData   kind = 0x12 // a response message, or a part of one
	kindEnd       kind = 0x13 // the end of a call, with its whole response when that is small
	kindResCredit kind = 0x14 // the callee takes more request bytes
	kindDrain     kind = 0x15 // the callee wants no more calls

	firstExtension kind = 0x80

	kindMethods kind = 0x91 // the methods that the callee serves
)

// Flags; each belongs to the kinds named.
const (
	flagMessage  uint8 = 1 << 0 // call, end: the rest of the body is a message
	flagHalf     uint8 = 1 << 1 // call: half-closed at once
	flagTimeout  uint8 = 1 << 2 // call
	flagName     uint8 = 1 << 3 // call
	flagMetadata uint8 = 1 << 4 // call, end: metadata or header
	flagTrailer  uint8 = 1 << 5 // end
	flagStatus   uint8 = 1 << 6 // end: not OK

	callFlags = flagMessage | flagHalf | flagTimeout | flagName | flagMetadata
	endFlags  = flagMessage | flagMetadata | flagTrailer | flagStatus

	flagFirst uint8 = 1 << 0 // data: the first part of a message; its total length comes first
	flagPart  uint8 = 1 << 1 // data: a further part
)

const (
	headerSize = 12
	// maxFrame bounds the body of a frame other than data: three blocks and a whole message fit.
	maxFrame = 256 << 10
	// maxBlock bounds a metadata block and a status, encoded.
	maxBlock = 64 << 10
	// maxWhole is the largest message that travels in one data frame, and the largest whose bytes are copied. It is half the smallest window, so that a peer that
	// returns credit by halves always leaves room for one.
	maxWhole = 32 << 10
	// maxSingle is the largest message of a unary call that travels with the call's first or last frame: beside it two blocks fit.
	maxSingle = 112 << 10
	// maxPart is the largest part of a message that does not fit one frame. Other calls' frames wait as long as one takes.
	maxPart = 1 << 20
	// maxData bounds the body of a data frame: a part and the length before it.
	maxData = maxPart + 4
	// maxNames bounds the methods that are bound to numbers; the names of further ones travel with each call.
	maxNames = 4096
)

// ErrProtocol is what a connection ends with when the peer breaks a rule of the framing.
var ErrProtocol = errors.New("lane: peer broke the protocol")

func protocolError(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrProtocol, fmt.Sprintf(format, args...))
}

// header is what each frame begins with.
type header struct {
	size   uint32 // of the body
	id     uint32 // the call's
	kind   kind
	flags  uint8
	method uint16 // call: the method's number, or 0 for none
}

func readHeader(b []byte) header {
	_ = b[headerSize-1]
	return header{
		size: binary.LittleEndian.Uint32(b), id: binary.LittleEndian.Uint32(b[4:]),
		kind: kind(b[8]), flags: b[9], method: binary.LittleEndian.Uint16(b[10:]),
	}
}

// most is the largest body that a frame of this kind may have.
func (k kind) most() uint32 {
	if k == kindReqData || k == kindResData {
		return maxData
	}
	return maxFrame
}

func (h header) put(b []byte) {
	_ = b[headerSize-1]
	binary.LittleEndian.PutUint32(b, h.size)
	binary.LittleEndian.PutUint32(b[4:], h.id)
	b[8], b[9] = byte(h.kind), h.flags
	binary.LittleEndian.PutUint16(b[10:], h.method)
}

// appendFrame appends a frame whose body is small and ready.
func appendFrame(b []byte, h header, body ...byte) []byte {
	h.size = uint32(len(body))
	b, at := reserveHeader(b)
	h.put(b[at:])
	return append(b, body...)
}

// reserveHeader appends room for a header, to be put when the body's length is known.
func reserveHeader(b []byte) (grown []byte, at int) {
	at = len(b)
	return append(b, make([]byte, headerSize)...), at
}

// sealFrame puts the header of the frame that began at at and ends with b.
func sealFrame(b []byte, at int, h header) {
	sealFrameWith(b, at, h, 0)
}

// sealFrameWith is sealFrame of a frame whose last tail bytes are written from elsewhere.
func sealFrameWith(b []byte, at int, h header, tail int) {
	h.size = uint32(len(b) - at - headerSize + tail)
	h.put(b[at:])
}

func appendCredit(b []byte, k kind, id uint32, n int64) []byte {
	var body [4]byte
	binary.LittleEndian.PutUint32(body[:], uint32(n))
	return appendFrame(b, header{kind: k, id: id}, body[:]...)
}

func readCredit(body []byte) (int64, error) {
	if len(body) != 4 {
		return 0, protocolError("credit of %d bytes", len(body))
	}
	return int64(binary.LittleEndian.Uint32(body)), nil
}
