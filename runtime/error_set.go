package runtime

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"

	"github.com/plugingen/plugingen/runtime/runtimepb"
)

// The tree that crosses is bounded; what is cut off is still in the text of the error around it.
const (
	maxErrorDepth = 32
	maxErrorNodes = 256
)

// Sentinel names an exported error variable, such as {"io.EOF", io.EOF}, so that it is the same variable on both sides.
type Sentinel struct {
	Name string // import path, dot, variable
	Err  error
}

// ErrorSet carries errors across the process boundary: what Decode returns has the text that Encode saw,
// and errors.Is finds the sentinels that it wrapped. An error that was a sentinel comes back as that very variable.
// Sentinels of the standard library that people test for are always known. An ErrorSet may be used concurrently.
type ErrorSet struct {
	known  []Sentinel
	byName map[string]error
}

// NewErrorSet returns the set of the standard library's sentinels and the given ones.
func NewErrorSet(sentinels ...Sentinel) *ErrorSet {
	s := &ErrorSet{known: append(standardSentinels(), sentinels...), byName: map[string]error{}}
	for _, k := range s.known {
		s.byName[k.Name] = k.Err
	}
	return s
}

func standardSentinels() []Sentinel {
	return []Sentinel{
		{"context.Canceled", context.Canceled},
		{"context.DeadlineExceeded", context.DeadlineExceeded},
		{"errors.ErrUnsupported", errors.ErrUnsupported},
		{"io.EOF", io.EOF},
		{"io.ErrUnexpectedEOF", io.ErrUnexpectedEOF},
		{"io.ErrClosedPipe", io.ErrClosedPipe},
		{"io.ErrShortWrite", io.ErrShortWrite},
		{"io/fs.ErrInvalid", fs.ErrInvalid},
		{"io/fs.ErrPermission", fs.ErrPermission},
		{"io/fs.ErrExist", fs.ErrExist},
		{"io/fs.ErrNotExist", fs.ErrNotExist},
		{"io/fs.ErrClosed", fs.ErrClosed},
		{"net.ErrClosed", net.ErrClosed},
		{"os.ErrDeadlineExceeded", os.ErrDeadlineExceeded},
		{"os.ErrProcessDone", os.ErrProcessDone},
	}
}

// Encode returns err for the wire; nil for nil. It survives errors whose methods panic or that wrap themselves.
func (s *ErrorSet) Encode(err error) *runtimepb.Error {
	if err == nil {
		return nil
	}
	budget := maxErrorNodes
	return s.encode(err, 0, &budget)
}

func (s *ErrorSet) encode(err error, depth int, budget *int) (e *runtimepb.Error) {
	e = &runtimepb.Error{Type: fmt.Sprintf("%T", err)}
	defer func() {
		if p := recover(); p != nil && e.Text == "" {
			e.Text = fmt.Sprintf("%T: its Error method panicked: %v", err, p)
		}
	}()
	e.Text = err.Error()
	e.Sentinel = s.nameOf(err)
	if depth == maxErrorDepth {
		return e
	}
	for _, cause := range causesOf(err) {
		if *budget--; *budget < 0 {
			break
		}
		if cause != nil {
			e.Causes = append(e.Causes, s.encode(cause, depth+1, budget))
		}
	}
	return e
}

// nameOf finds the sentinel that err is, or that its Is method says it is: a syscall.ENOENT is fs.ErrNotExist.
func (s *ErrorSet) nameOf(err error) string {
	is, _ := err.(interface{ Is(error) bool })
	for _, k := range s.known {
		if same(err, k.Err) || is != nil && is.Is(k.Err) {
			return k.Name
		}
	}
	return ""
}

// same is err == target for errors whose type may not be comparable.
func same(err, target error) (equal bool) {
	defer func() { _ = recover() }()
	return err == target //nolint:errorlint // the very value: errors.Is would look inside
}

func causesOf(err error) []error {
	switch e := err.(type) { //nolint:errorlint // one layer at a time
	case interface{ Unwrap() error }:
		return []error{e.Unwrap()}
	case interface{ Unwrap() []error }:
		return e.Unwrap()
	}
	return nil
}

// Decode returns the error that e describes; nil for nil.
func (s *ErrorSet) Decode(e *runtimepb.Error) error {
	if e == nil {
		return nil
	}
	return s.decode(e, 0)
}

func (s *ErrorSet) decode(e *runtimepb.Error, depth int) error {
	sentinel := s.byName[e.GetSentinel()]
	if sentinel != nil && sentinel.Error() == e.GetText() {
		return sentinel
	}
	r := &RemoteError{text: e.GetText(), typ: e.GetType(), sentinel: sentinel}
	if depth == maxErrorDepth {
		return r
	}
	for _, cause := range e.GetCauses() {
		r.causes = append(r.causes, s.decode(cause, depth+1))
	}
	return r
}

// RemoteError is an error value that came from the other process and has no variable of its own on this side.
// Its text is the original's; errors.Is and errors.As look through what the original wrapped.
type RemoteError struct {
	text, typ string
	sentinel  error
	causes    []error
}

// Error is the text of the original.
func (e *RemoteError) Error() string { return e.text }

// Type is the Go type of the original, such as "*fs.PathError".
func (e *RemoteError) Type() string { return e.typ }

// Is says whether the original was equivalent to the sentinel target.
func (e *RemoteError) Is(target error) bool { return e.sentinel != nil && same(e.sentinel, target) }

// Unwrap returns what the original wrapped.
func (e *RemoteError) Unwrap() []error { return e.causes }
