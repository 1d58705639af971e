package object

import (
	"errors"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// What calls and conversions fail with, found by errors.Is in what a method returned.
var (
	// ErrReleased says that a value's owner does not keep it any more: the call that lent it has returned, or it was closed.
	ErrReleased = errors.New("the object is released: a parameter lasts until its call returns, a result until it is closed")
	// ErrTooMany says that no further value can be sent: the peer has not released enough of those that it was sent before.
	ErrTooMany = errors.New("too many objects are in use by the peer: close results that are not needed any more")
	// ErrUnsupported says that the peer cannot take interfaces, functions, readers or channels: it was built before its
	// contract had any, or without generated code.
	ErrUnsupported = errors.New("the peer does not serve objects: build it again with the current contract")
	// ErrUnknown says that a message refers to a value that was never sent, or to one of another type.
	ErrUnknown = errors.New("the message refers to an object that was not sent")
	// ErrConnection says that the connection which the object belongs to has ended.
	ErrConnection = errors.New("the connection of the object has ended")
)

// callError is a failed call of an object: to gRPC a status, to errors.Is one of the above and what it came from.
type callError struct {
	code codes.Code
	why  error
	err  error // nil when there is none
}

// Error is why.
func (e *callError) Error() string {
	if e.err == nil {
		return e.why.Error()
	}
	return e.why.Error() + ": " + e.err.Error()
}

// GRPCStatus makes it a status error.
func (e *callError) GRPCStatus() *status.Status { return status.New(e.code, e.Error()) }

// Unwrap returns the sentinel and the cause.
func (e *callError) Unwrap() []error {
	if e.err == nil {
		return []error{e.why}
	}
	return []error{e.why, e.err}
}

func failure(code codes.Code, why, err error) error {
	return &callError{code: code, why: why, err: err}
}
