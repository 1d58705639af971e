package load

import (
	"context"
	"fmt"
	"os"
	"sync"
	"time"
)

// Server serves the work. NewServer makes one.
type Server struct {
	stderr *os.File

	mu      sync.Mutex
	payload []byte // what Get returns, made once: filling it is not the subject
}

var _ Work = (*Server)(nil)

// NewServer returns a Server that prints on what stderr is now: loggers are made before a runtime replaces it.
func NewServer() *Server { return &Server{stderr: os.Stderr} }

// Echo is Work's.
func (s *Server) Echo(_ context.Context, id int64, name string, value []byte) (int64, string, []byte, error) {
	return id, name, value, nil
}

// Put is Work's.
func (s *Server) Put(_ context.Context, payload []byte) (int64, error) {
	return int64(len(payload)), nil
}

// Get is Work's.
func (s *Server) Get(_ context.Context, size int64) ([]byte, error) {
	if size < 0 || size > MaxPayload {
		return nil, fmt.Errorf("get: size %d is not within 0 and %d", size, MaxPayload)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if int64(len(s.payload)) < size {
		s.payload = Payload(int(size))
	}
	return s.payload[:size], nil
}

// Payload returns n bytes that are not all the same: pages that nobody has written are one and the same page, which no message is.
func Payload(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i ^ i>>8 ^ i>>16)
	}
	return b
}

// Print is Work's.
func (s *Server) Print(_ context.Context, format string, lines int64) error {
	return printLines(s.stderr, format, lines)
}

// Hold is Work's.
func (s *Server) Hold(ctx context.Context, micros int64) error {
	d := time.Duration(micros) * time.Microsecond
	if d < time.Millisecond {
		compute(d)
		return nil
	}
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// compute keeps a core busy: a timer of less than a millisecond is longer than it says.
func compute(d time.Duration) {
	for begun := time.Now(); time.Since(begun) < d; {
	}
}

// Usage is Work's.
func (s *Server) Usage(context.Context) ([]int64, error) {
	return MeasureUsage().Fields(), nil
}

// MaxPayload bounds what Get returns, in bytes.
const MaxPayload = 64 << 20

// MaxMessage is the bound of messages that lets the largest payload through, in bytes. It is for those without which nobody could
// be compared: our own, and grpc-go; others keep their defaults.
const MaxMessage = MaxPayload + 1<<20
