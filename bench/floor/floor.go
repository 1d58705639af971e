// Package floor carries the bench's work by nothing but a socket: the least that any library can cost.
//
// A frame is an operation (one byte), a length (four bytes, little-endian) and a body. Each caller has a connection of its
// own, so nothing is matched, locked or handed over, and the body of a small message is copied, not encoded.
package floor

import (
	"encoding/binary"
	"fmt"
	"io"

	"github.com/plugingen/plugingen/bench/load"
)

// Operations.
const (
	opEcho byte = iota + 1
	opPut
	opGet
	opHold
	opPrint
	opUsage
	opError // of a reply alone; the body is the text
)

const headSize = 5

// frames reads and writes frames through buffers that it keeps.
type frames struct {
	conn io.ReadWriter
	in   []byte
	out  []byte
}

// write sends a frame whose body is made of parts, by one system call where the body is small.
func (f *frames) write(op byte, parts ...[]byte) error {
	size := 0
	for _, p := range parts {
		size += len(p)
	}
	f.out = append(f.out[:0], op)
	f.out = binary.LittleEndian.AppendUint32(f.out, uint32(size))
	for _, p := range parts {
		f.out = append(f.out, p...)
	}
	_, err := f.conn.Write(f.out)
	return err
}

// read returns a body that is good until the next read.
func (f *frames) read() (op byte, body []byte, err error) {
	if cap(f.in) < 4096 {
		f.in = make([]byte, 4096)
	}
	f.in = f.in[:cap(f.in)]
	have, err := io.ReadAtLeast(f.conn, f.in, headSize)
	if err != nil {
		return 0, nil, err
	}
	op, size := f.in[0], int(binary.LittleEndian.Uint32(f.in[1:]))
	if size > load.MaxPayload+headSize {
		return 0, nil, fmt.Errorf("floor: a frame of %d bytes", size)
	}
	if err := f.fill(have, headSize+size); err != nil {
		return 0, nil, err
	}
	return op, f.in[headSize : headSize+size], nil
}

// fill reads on until total bytes are there.
func (f *frames) fill(have, total int) error {
	if len(f.in) < total {
		grown := make([]byte, total)
		copy(grown, f.in[:have])
		f.in = grown
	}
	if have >= total {
		return nil
	}
	_, err := io.ReadFull(f.conn, f.in[have:total])
	return err
}
