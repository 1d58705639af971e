package relay

import (
	"bytes"
	"io"
	"time"
	"unicode/utf8"
)

const (
	firstRead = 4 << 10  // what an idle stream costs
	maxRead   = 64 << 10 // a Linux pipe holds no more
	maxEmpty  = 100      // reads that return neither bytes nor an error
)

// reader cuts a stream into lines and hands them on. It never waits for anything but its source and, briefly, the queue.
type reader struct {
	max    int // bytes in a line
	q      *queue
	tail   *tail
	pieces uint64 // handed on

	buf        []byte
	start, end int // what is in buf and not handed on
	from       int // the first byte that may be a newline
	part       int // of the line that start is in
	at         int64
}

func newReader(maxLine int, q *queue, t *tail) *reader {
	return &reader{max: maxLine, q: q, tail: t, buf: make([]byte, firstRead)}
}

// run reads until src returns an error, and returns that error.
func (r *reader) run(src io.Reader) error {
	for empty := 0; empty < maxEmpty; empty++ {
		n, err := src.Read(r.buf[r.end:])
		if n > 0 {
			empty = 0
			r.at = time.Now().UnixNano()
			r.end += n
			r.lines()
			r.makeRoom()
		}
		if err != nil {
			r.flush()
			return err
		}
	}
	r.flush()
	return io.ErrNoProgress
}

// lines hands on every line that is complete, and as much of the last one as is too long anyway.
func (r *reader) lines() {
	for {
		i := bytes.IndexByte(r.buf[r.from:r.end], '\n')
		if i < 0 {
			break
		}
		r.line(r.buf[r.start : r.from+i])
		r.start = r.from + i + 1
		r.from = r.start
	}
	r.from = r.end
	// One byte more may be the \r of a line that just fits.
	for r.end-r.start > r.max+1 {
		r.start += r.split(r.buf[r.start:r.end])
	}
}

func (r *reader) line(text []byte) {
	text = bytes.TrimSuffix(text, []byte{'\r'})
	for len(text) > r.max {
		text = text[r.split(text):]
	}
	r.hand(text, false)
}

// split hands on the beginning of a long line, without cutting a rune, and returns how long it was.
func (r *reader) split(text []byte) int {
	n := r.max
	for i := 1; i < utf8.UTFMax; i++ {
		if utf8.RuneStart(text[r.max-i]) {
			if !utf8.FullRune(text[r.max-i : r.max]) {
				n = r.max - i
			}
			break
		}
	}
	r.hand(text[:n], true)
	return n
}

func (r *reader) hand(text []byte, more bool) {
	if more || r.part > 0 {
		r.part++
	}
	r.pieces++
	r.tail.add(text, r.part)
	r.q.push(piece{part: r.part, more: more, at: r.at}, text)
	if !more {
		r.part = 0
	}
}

// makeRoom moves the half line to the front, and makes the buffer larger when the plugin fills it.
func (r *reader) makeRoom() {
	full := r.end == len(r.buf)
	copy(r.buf, r.buf[r.start:r.end])
	r.end -= r.start
	r.from -= r.start
	r.start = 0
	if limit := r.max + 2 + maxRead; full && len(r.buf) < limit {
		grown := make([]byte, min(4*len(r.buf), limit))
		copy(grown, r.buf[:r.end])
		r.buf = grown
	}
}

// flush hands on a last line that has no newline.
func (r *reader) flush() {
	if r.end > r.start {
		r.line(r.buf[r.start:r.end])
	}
	r.start, r.end, r.from = 0, 0, 0
}
