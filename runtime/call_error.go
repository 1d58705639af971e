package runtime

import (
	"context"
	"log/slog"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// DefaultCallTimeout bounds a call of a method that takes no context.Context: without it a hung plugin would hang its caller.
const DefaultCallTimeout = time.Minute

// CallError says that a call could not be carried out: the plugin is gone or hangs, does not know the method, or what it
// answered cannot be used. An error that the plugin's own method returned is never a CallError.
// errors.Is finds context.Canceled and context.DeadlineExceeded where the call ended for that reason, and ErrMissingMethod.
type CallError struct {
	Method string // interface and method, such as "Greeter.Greet"
	Err    error  // what the connection said; has a gRPC status
}

// CallFailed returns the error of a call of method that ended with err; nil for nil. Generated code calls it.
func CallFailed(method string, err error) error {
	if err == nil {
		return nil
	}
	return &CallError{Method: method, Err: err}
}

// Error names the method and the cause, without gRPC's own prefix.
func (e *CallError) Error() string {
	return "call " + e.Method + ": " + e.cause()
}

func (e *CallError) cause() string {
	if s, ok := e.Err.(interface{ GRPCStatus() *status.Status }); ok {
		st := s.GRPCStatus()
		return st.Message() + " (" + st.Code().String() + ")"
	}
	return e.Err.Error()
}

// Code is the gRPC status code of the failure.
func (e *CallError) Code() codes.Code { return status.Code(e.Err) }

// Is maps gRPC's codes to the context errors that Go code tests for, and to ErrMissingMethod.
func (e *CallError) Is(target error) bool {
	switch e.Code() {
	case codes.Canceled:
		return target == context.Canceled
	case codes.DeadlineExceeded:
		return target == context.DeadlineExceeded
	case codes.Unimplemented:
		return target == ErrMissingMethod
	default:
		return false
	}
}

// Unwrap returns Err.
func (e *CallError) Unwrap() error { return e.Err }

// ReportLost hands err to whoever looks after conn: the call failed and its method has no error result to say so.
// A connection that implements CallLost(error) gets it (a host's plugin does); otherwise slog's default logger.
// Generated code calls it; the caller gets zero values, but never silently.
func ReportLost(conn grpc.ClientConnInterface, err error) {
	if r, ok := conn.(interface{ CallLost(error) }); ok {
		r.CallLost(err)
		return
	}
	slog.Error("plugin call failed in a method without an error result; it returned zero values", "error", err)
}
