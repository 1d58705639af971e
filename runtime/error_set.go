package runtime

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"reflect"

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

// ErrorSet carries errors across the process boundary: what Decode returns has the text that Encode saw, wraps what that
// wrapped, and errors.Is finds the sentinels among it. An error that was a sentinel comes back as that very variable, one of
// a registered type as a value of that type, so that errors.As finds it. Sentinels of the standard library that people
// test for are always known. Once all types are registered, an ErrorSet may be used concurrently.
type ErrorSet struct {
	known  []Sentinel
	byName map[string]error
	types  valueTypes
}

// NewErrorSet returns the set of the standard library's sentinels and the given ones.
func NewErrorSet(sentinels ...Sentinel) *ErrorSet {
	s := &ErrorSet{known: append(standardSentinels(), sentinels...), byName: map[string]error{}}
	for _, k := range s.known {
		s.byName[k.Name] = k.Err
	}
	s.Register(s.standardTypes()...)
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

// Register adds types of errors. Generated code calls it before anything else can use the set.
func (s *ErrorSet) Register(types ...ValueType) { s.types.add(types) }

// Encode returns err for the wire; nil for nil. It survives errors whose methods panic or that wrap themselves.
func (s *ErrorSet) Encode(err error) *runtimepb.Error { return s.EncodeAt(err, 0) }

// EncodeAt is Encode for an error that is part of a value that has been encoded for depth levels.
func (s *ErrorSet) EncodeAt(err error, depth int) *runtimepb.Error {
	if err == nil {
		return nil
	}
	w := errorWalk{set: s, budget: maxErrorNodes}
	return w.encode(err, depth, true)
}

// errorWalk encodes one tree of errors.
type errorWalk struct {
	set    *ErrorSet
	budget int
}

// encode gives the error's own value, too, when typed asks for that: what is in such a value has its own values there,
// and needs no more than the text beside it, for peers that do not know the type.
func (w *errorWalk) encode(err error, depth int, typed bool) (e *runtimepb.Error) {
	e = &runtimepb.Error{Type: fmt.Sprintf("%T", err)}
	defer func() {
		if p := recover(); p != nil && e.Text == "" {
			e.Text = fmt.Sprintf("%T: its Error method panicked: %v", err, p)
		}
	}()
	e.Text = err.Error()
	var itself bool
	e.Sentinel, itself = w.set.nameOf(err)
	if depth >= maxErrorDepth {
		return e
	}
	if typed && !itself {
		typed = !w.value(e, err, depth)
	}
	var causes []error
	causes, e.Joined = causesOf(err)
	for _, cause := range causes {
		if w.budget--; w.budget < 0 {
			break
		}
		if cause != nil {
			e.Causes = append(e.Causes, w.encode(cause, depth+1, typed))
		}
	}
	return e
}

// value adds the error itself when its type is registered and it is fit to travel; its text crosses in any case.
func (w *errorWalk) value(e *runtimepb.Error, err error, depth int) bool {
	t := w.set.types.byType[reflect.TypeOf(err)]
	if t == nil {
		return false
	}
	data, failed := t.encode(err, depth+1)
	if failed != nil || data == nil {
		return false
	}
	e.ValueType, e.Value = t.name, data
	return true
}

// nameOf finds the sentinel that err is itself, or that its Is method says it is: a syscall.ENOENT is fs.ErrNotExist.
func (s *ErrorSet) nameOf(err error) (name string, itself bool) {
	is, _ := err.(interface{ Is(error) bool })
	for _, k := range s.known {
		if same(err, k.Err) {
			return k.Name, true
		}
		if name == "" && is != nil && is.Is(k.Err) {
			name = k.Name
		}
	}
	return name, false
}

// same is err == target for errors whose type may not be comparable.
func same(err, target error) (equal bool) {
	defer func() { _ = recover() }()
	return err == target //nolint:errorlint // the very value: errors.Is would look inside
}

func causesOf(err error) (causes []error, joined bool) {
	switch e := err.(type) { //nolint:errorlint // one layer at a time
	case interface{ Unwrap() error }:
		return []error{e.Unwrap()}, false
	case interface{ Unwrap() []error }:
		return e.Unwrap(), true
	}
	return nil, false
}

// Decode returns the error that e describes; nil for nil.
func (s *ErrorSet) Decode(e *runtimepb.Error) error { return s.DecodeAt(e, 0) }

// DecodeAt is Decode for an error that is part of a value that has been decoded for depth levels.
func (s *ErrorSet) DecodeAt(e *runtimepb.Error, depth int) error {
	if e == nil {
		return nil
	}
	sentinel := s.byName[e.GetSentinel()]
	if sentinel != nil && sentinel.Error() == e.GetText() {
		return sentinel
	}
	r := &RemoteError{text: e.GetText(), typ: e.GetType(), sentinel: sentinel}
	if depth >= maxErrorDepth {
		return r
	}
	if err := s.decodeValue(e, depth); err != nil {
		if textOf(err) == e.GetText() {
			return err
		}
		r.cause = err // it says something else there, but is found all the same
		return r
	}
	var causes []error
	for _, cause := range e.GetCauses() {
		causes = append(causes, s.DecodeAt(cause, depth+1))
	}
	switch {
	case len(causes) > 1, e.GetJoined():
		return &remoteJoinError{RemoteError: r, causes: causes}
	case len(causes) == 1:
		r.cause = causes[0]
	}
	return r
}

// decodeValue is the error of a registered type that e holds; nil when there is none, or when it cannot be read.
func (s *ErrorSet) decodeValue(e *runtimepb.Error, depth int) error {
	t := s.types.byName[e.GetValueType()]
	if t == nil {
		return nil
	}
	data := e.GetValue()
	if data == nil {
		data = []byte{} // all its fields are zero
	}
	v, err := t.decode(data, depth+1)
	if err != nil {
		return nil
	}
	found, _ := v.(error)
	return found
}

// textOf is the error's text; a value that a peer made up may not be fit for its own methods.
func textOf(err error) (text string) {
	defer func() { _ = recover() }()
	return err.Error()
}

// RemoteError is an error value that came from the other process and has no variable or type of its own on this side.
// Its text is the original's; errors.Is and errors.As look through what the original wrapped.
type RemoteError struct {
	text, typ string
	sentinel  error
	cause     error
}

// Error is the text of the original.
func (e *RemoteError) Error() string { return e.text }

// Type is the Go type of the original, such as "*fs.PathError".
func (e *RemoteError) Type() string { return e.typ }

// Is says whether the original was equivalent to the sentinel target.
func (e *RemoteError) Is(target error) bool { return e.sentinel != nil && same(e.sentinel, target) }

// Unwrap returns what the original wrapped; nil when that was nothing, or a list: errors.Is and errors.As look through that, too.
func (e *RemoteError) Unwrap() error { return e.cause }

// remoteJoinError is a RemoteError whose original wrapped a list.
type remoteJoinError struct {
	*RemoteError
	causes []error
}

// As finds the RemoteError.
func (e *remoteJoinError) As(target any) bool {
	r, ok := target.(**RemoteError)
	if ok {
		*r = e.RemoteError
	}
	return ok
}

// Unwrap returns what the original wrapped.
func (e *remoteJoinError) Unwrap() []error { return e.causes }
