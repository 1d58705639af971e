package host

import (
	"strings"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/plugingen/plugingen/runtime/relay"
)

// callError is the error of a call that the plugin's end ended: to gRPC a status, to errors.As an *Error.
type callError struct {
	reason *Error
	err    error // what the connection said; nil when it was not asked
}

// Error is the reason's text.
func (e *callError) Error() string { return e.reason.Error() }

// GRPCStatus makes it a status error.
func (e *callError) GRPCStatus() *status.Status { return status.New(codes.Unavailable, e.Error()) }

// Unwrap returns the reason and what the connection said.
func (e *callError) Unwrap() []error {
	if e.err == nil {
		return []error{e.reason}
	}
	return []error{e.reason, e.err}
}

// printable makes a status that a plugin sent harmless to print: its text is the plugin's, and may hold what moves a
// terminal's cursor. Line breaks stay.
func printable(err error) error {
	s, ok := status.FromError(err)
	if !ok {
		return err
	}
	lines := strings.Split(s.Message(), "\n")
	for i, line := range lines {
		lines[i] = relay.Escape(line)
	}
	message := strings.Join(lines, "\n")
	if message == s.Message() {
		return err
	}
	p := s.Proto() // a copy
	p.Message = message
	return status.FromProto(p).Err()
}
