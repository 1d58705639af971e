package handshake

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
)

// Read reads from a plugin's stdout up to and including its handshake line; what follows stays in r.
//
// Lines that are no handshake are skipped, up to MaxNoiseLines and MaxNoiseBytes, and given to noise, which may be nil: without
// line ending, blank ones not at all, and ones longer than MaxLine in pieces of that size. The slice is only valid during the
// call, and holds whatever the plugin wrote.
//
// A line that means to be a handshake but is wrong, such as one with an unknown network, ends the reading with Parse's error,
// because the plugin will write no other. Read takes no context: nothing can interrupt the reading of a pipe but its owner,
// who closes it. What is left at the end of r without a line ending still counts when it is a valid handshake, and is noise else.
//
// Otherwise the error is ErrNoHandshake: with ErrTooLong past the limits, else with r's error, which is io.EOF, io.ErrUnexpectedEOF
// when a line had begun, or what closing the pipe led to.
func Read(r *bufio.Reader, noise func(line []byte)) (Response, error) {
	s := scanner{r: r, noise: noise}
	response, err := s.scan()
	if err != nil {
		return Response{}, &Error{Op: "read line", Hint: readHint(err), Err: err}
	}
	return response, nil
}

func readHint(err error) string {
	switch {
	case !errors.Is(err, ErrNoHandshake):
		return hintFor(err)
	case errors.Is(err, ErrTooLong):
		return "the program writes to its stdout but does not announce itself; is it a plugin?"
	default:
		return "the program ended or closed its stdout before it announced itself; its stderr may say why; is it a plugin?"
	}
}

// maxPiece is how much of a line is held at once: the longest handshake and its line ending.
const maxPiece = MaxLine + len("\r\n")

// scanner is the state of one Read.
type scanner struct {
	r     *bufio.Reader
	noise func(line []byte)

	piece []byte // what was read of the current line, or the latest maxPiece bytes of a longer one
	long  bool   // piece is not the beginning of its line
	lines int    // skipped, blank ones included
	size  int    // bytes read
	last  []byte // beginning of the last piece that was skipped
}

func (s *scanner) scan() (Response, error) {
	for s.lines <= MaxNoiseLines && s.size < MaxNoiseBytes {
		ended, err := s.readPiece()
		if err != nil {
			return s.finish(err)
		}
		if !s.long && claimsHandshake(s.piece) {
			return s.parse(ended)
		}
		s.skip(ended)
	}
	return Response{}, fmt.Errorf("%w: %w: skipped %d lines, %d bytes, lastly %s", ErrNoHandshake, ErrTooLong, s.lines, s.size, quote(s.last))
}

func (s *scanner) parse(ended bool) (Response, error) {
	if !ended {
		return Response{}, fmt.Errorf("%w: more than %d bytes: %s", ErrTooLong, MaxLine, quote(s.piece))
	}
	return parse(string(s.piece))
}

// readPiece reads up to the end of the line, at most maxPiece bytes. It takes no byte of the next line out of s.r.
func (s *scanner) readPiece() (ended bool, err error) {
	s.piece = s.piece[:0]
	for !ended && len(s.piece) < maxPiece {
		if _, err := s.r.Peek(1); err != nil {
			return false, err
		}
		chunk, _ := s.r.Peek(min(s.r.Buffered(), maxPiece-len(s.piece))) // buffered, so it cannot fail
		if n := bytes.IndexByte(chunk, '\n'); n >= 0 {
			chunk, ended = chunk[:n+1], true
		}
		s.piece = append(s.piece, chunk...)
		s.size += len(chunk)
		_, _ = s.r.Discard(len(chunk)) // likewise
	}
	return ended, nil
}

// skip passes the piece on as noise.
func (s *scanner) skip(ended bool) {
	s.long = !ended
	if ended {
		s.lines++
	}
	line := bytes.TrimRight(s.piece, "\r\n")
	if len(bytes.TrimSpace(line)) == 0 {
		return
	}
	s.last = append(s.last[:0], line[:min(len(line), maxQuote)]...)
	if s.noise != nil {
		s.noise(line)
	}
}

// finish judges what was left when reading ended with err.
func (s *scanner) finish(err error) (Response, error) {
	rest := bytes.TrimSpace(s.piece)
	if errors.Is(err, io.EOF) && !s.long {
		if r, err := parse(string(rest)); err == nil {
			return r, nil
		}
	}
	if len(rest) == 0 {
		return Response{}, fmt.Errorf("%w in %d lines, %d bytes%s: %w", ErrNoHandshake, s.lines, s.size, s.lastly(), err)
	}
	unfinished := quote(rest)
	s.skip(false)
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return Response{}, fmt.Errorf("%w in %d lines, then %d bytes of an unfinished one, %s: %w", ErrNoHandshake, s.lines, len(rest), unfinished, err)
}

func (s *scanner) lastly() string {
	if len(s.last) == 0 {
		return ""
	}
	return ", lastly " + quote(s.last)
}

// claimsHandshake tells a wrong handshake, which is worth an error at once, from a log line that happens to hold pipes:
// of the three fields with few possible values two must have one of them.
func claimsHandshake(line []byte) bool {
	fields := bytes.SplitN(line, []byte("|"), fieldsStrict)
	if len(fields) < fieldsLeast {
		return false
	}
	signs := 0
	if string(bytes.TrimSpace(fields[0])) == "1" {
		signs++
	}
	if network := string(fields[2]); network == Unix || network == TCP {
		signs++
	}
	if len(fields) > 4 && isProtocol(string(bytes.TrimSpace(fields[4]))) {
		signs++
	}
	return signs >= 2
}

func isProtocol(s string) bool { return s == ProtocolGRPC || s == ProtocolNetRPC }
