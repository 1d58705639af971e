package runtime

import "io"

// MostRead is how many bytes one call of a method that fills a slice, such as Read, brings at most.
const MostRead = 256 << 10

// ReadBuffer is what an implementation fills for a caller that wants size bytes, within bounds. Generated code calls it.
func ReadBuffer(size int64) []byte { return make([]byte, min(max(size, 0), MostRead)) }

// Filled is what an implementation that returned n has put into buf; one that breaks io.Reader's rules is not believed.
// Generated code calls it.
func Filled(buf []byte, n int) []byte { return buf[:min(max(n, 0), len(buf))] }

// InParts fills p by calls of read for not too many bytes each; done is how many came before. An io.ReaderAt has to fill
// all of p, or to say why not. Generated code calls it.
func InParts(p []byte, read func(part []byte, done int64) (int, error)) (int, error) {
	for done := 0; ; {
		part := p[done:min(done+MostRead, len(p))]
		n, err := read(part, int64(done))
		if done += n; err != nil || done == len(p) {
			return done, err
		}
		if n < len(part) {
			return done, io.ErrUnexpectedEOF
		}
	}
}
