package lane

import (
	"errors"
	"io"
)

const (
	firstReadBuffer = 16 << 10
	// mostAtOnce is how much of a large body is read while the scheduler waits for it.
	mostAtOnce     = 256 << 10
	fullReadBuffer = headerSize + 64<<10
)

// frameReader cuts frames out of a carrier. After next, exactly one of take, readInto and discard must consume the body.
type frameReader struct {
	src  io.Reader
	buf  []byte
	r, w int // buf[r:w] is read and not consumed

	spin *spinner // nil means never
	rest *spinner // for what is left of a body; nil means never

	between bool // what is waited for is the next frame: the wait may be interrupted
}

func newFrameReader(src io.Reader) *frameReader {
	return &frameReader{src: src, buf: make([]byte, firstReadBuffer)}
}

// Read lets the preface be read through the same buffer.
func (f *frameReader) Read(p []byte) (int, error) {
	if f.r == f.w {
		if err := f.fill(1); err != nil {
			return 0, err
		}
	}
	n := copy(p, f.buf[f.r:f.w])
	f.r += n
	return n, nil
}

// next returns the next frame's header. io.EOF means that the peer closed between two frames.
func (f *frameReader) next() (header, error) {
	h, err := f.peek()
	if err != nil {
		return header{}, err
	}
	f.r += headerSize
	if h.size > h.kind.most() {
		return h, protocolError("frame of %d bytes", h.size)
	}
	return h, nil
}

// peek is next that leaves the header for next.
func (f *frameReader) peek() (header, error) {
	if f.w-f.r < headerSize {
		f.between = true
		err := f.fill(headerSize)
		f.between = false
		if err != nil {
			return header{}, err
		}
	}
	return readHeader(f.buf[f.r:]), nil
}

// buffered tells whether the whole next frame is here already.
func (f *frameReader) buffered() bool {
	if f.w-f.r < headerSize {
		return false
	}
	return f.w-f.r-headerSize >= int(readHeader(f.buf[f.r:]).size)
}

// fill reads until need bytes, which must fit the buffer, are there.
func (f *frameReader) fill(need int) error {
	if f.r == f.w {
		f.r, f.w = 0, 0
	}
	if len(f.buf)-f.r < need {
		f.w = copy(f.buf, f.buf[f.r:f.w])
		f.r = 0
	}
	for f.w-f.r < need {
		n, err := f.wait(f.buf[f.w:])
		f.w += n
		if err != nil && f.w-f.r < need {
			if errors.Is(err, io.EOF) && f.w > f.r {
				err = io.ErrUnexpectedEOF
			}
			return err
		}
	}
	return nil
}

// poll waits for bytes by spinning alone; false: none came. The next read tells of errors.
func (f *frameReader) poll() bool {
	if f.spin == nil {
		return false
	}
	if f.r == f.w {
		f.r, f.w = 0, 0
	}
	if f.w == len(f.buf) {
		return true
	}
	n, err := f.spin.read(f.buf[f.w:])
	f.w += n
	return n > 0 || err != nil
}

// hasPreface tells, before anything was read, whether the peer's whole preface has come. It does not wait.
func (f *frameReader) hasPreface() bool {
	try, can := f.src.(Carrier)
	if !can {
		return false
	}
	f.w, _ = try.TryRead(f.buf) // the next read tells of errors
	return f.w >= prefaceSize && f.w-prefaceSize >= settingsSize(f.buf)
}

// wait reads at least one byte.
func (f *frameReader) wait(p []byte) (int, error) {
	n, err := f.waitOnce(p)
	for !f.between && errors.Is(err, errInterrupted) {
		n, err = f.waitOnce(p)
	}
	return n, err
}

func (f *frameReader) waitOnce(p []byte) (int, error) {
	if f.spin != nil {
		if n, err := f.spin.read(p); n > 0 || err != nil {
			return n, err
		}
	}
	return f.src.Read(p)
}

// take returns the next n bytes, valid until the reader is used again.
func (f *frameReader) take(n int) ([]byte, error) {
	if f.w-f.r < n {
		if n > fullReadBuffer {
			b := make([]byte, n)
			return b, f.readInto(b)
		}
		if n > len(f.buf) {
			bigger := make([]byte, fullReadBuffer)
			f.w = copy(bigger, f.buf[f.r:f.w])
			f.r, f.buf = 0, bigger
		}
		if err := f.fill(n); err != nil {
			return nil, noEOF(err)
		}
	}
	b := f.buf[f.r : f.r+n : f.r+n]
	f.r += n
	return b, nil
}

// takeOwn is take, but what is large is the caller's to keep.
func (f *frameReader) takeOwn(n int, r *reserve) (b []byte, own bool, err error) {
	if n <= maxWhole {
		b, err = f.take(n)
		return b, false, err
	}
	r.ensure()
	b = freshMemory(n)
	return b, true, f.readInto(b)
}

// readInto fills p: first with what is buffered, then straight from the carrier.
func (f *frameReader) readInto(p []byte) error {
	n := copy(p, f.buf[f.r:f.w])
	f.r += n
	for p = p[n:]; len(p) > 0; p = p[n:] {
		var err error
		if n, err = f.readRest(p); err != nil {
			return noEOF(err)
		}
	}
	return nil
}

// readRest reads at least one byte of what the peer is just writing.
func (f *frameReader) readRest(p []byte) (int, error) {
	if f.rest != nil {
		if n, err := f.rest.read(p[:min(len(p), mostAtOnce)]); n > 0 || err != nil && !errors.Is(err, errInterrupted) {
			return n, err
		}
	}
	n, err := f.src.Read(p)
	for errors.Is(err, errInterrupted) {
		n, err = f.src.Read(p)
	}
	return n, err
}

// split returns a reader that goes on where f is, and leaves f's memory to the one who has taken bytes of it.
func (f *frameReader) split() *frameReader {
	n := newFrameReader(f.src)
	n.spin, n.rest = f.spin, f.rest
	if len(n.buf) < f.w-f.r {
		n.buf = make([]byte, fullReadBuffer)
	}
	n.w = copy(n.buf, f.buf[f.r:f.w])
	return n
}

func (f *frameReader) discard(n int) error {
	for n > 0 {
		if f.r == f.w {
			if err := f.fill(1); err != nil {
				return noEOF(err)
			}
		}
		k := min(n, f.w-f.r)
		f.r += k
		n -= k
	}
	return nil
}

// noEOF makes the end of the stream inside a frame what it is: a fault.
func noEOF(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}
