package runtime_test

import (
	"context"
	"errors"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/plugingen/plugingen/runtime"
)

func TestCallFailed(t *testing.T) {
	for name, c := range map[string]struct {
		err  error
		text string
		code codes.Code
		is   error
	}{
		"status": {
			status.Error(codes.Unavailable, "plugin exited: exit status 2"),
			"call Greeter.Greet: plugin exited: exit status 2 (Unavailable)", codes.Unavailable, nil,
		},
		"canceled": {
			status.FromContextError(context.Canceled).Err(),
			"call Greeter.Greet: context canceled (Canceled)", codes.Canceled, context.Canceled,
		},
		"deadline": {
			status.FromContextError(context.DeadlineExceeded).Err(),
			"call Greeter.Greet: context deadline exceeded (DeadlineExceeded)", codes.DeadlineExceeded, context.DeadlineExceeded,
		},
		"no status": {errors.New("odd"), "call Greeter.Greet: odd", codes.Unknown, nil},
	} {
		t.Run(name, func(t *testing.T) {
			err := runtime.CallFailed("Greeter.Greet", c.err)
			if err.Error() != c.text {
				t.Errorf("text %q, want %q", err, c.text)
			}
			var call *runtime.CallError
			if !errors.As(err, &call) || call.Code() != c.code {
				t.Errorf("code %v, want %v", call.Code(), c.code)
			}
			if !errors.Is(err, c.err) {
				t.Error("the cause is lost")
			}
			if c.is != nil && !errors.Is(err, c.is) {
				t.Errorf("errors.Is(err, %v) is false", c.is)
			}
			if c.is == nil && (errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)) {
				t.Error("is a context's error")
			}
		})
	}
	if err := runtime.CallFailed("Greeter.Greet", nil); err != nil {
		t.Errorf("CallFailed of nil = %v", err)
	}
}

// lossConn is a connection whose owner wants to know of lost calls.
type lossConn struct {
	grpc.ClientConnInterface
	lost []error
}

func (c *lossConn) CallLost(err error) { c.lost = append(c.lost, err) }

func TestReportLostGoesToTheConnection(t *testing.T) {
	conn, want := new(lossConn), errors.New("gone")
	runtime.ReportLost(conn, want)
	if len(conn.lost) != 1 || conn.lost[0] != want { //nolint:errorlint // the very value
		t.Errorf("reported %v, want [%v]", conn.lost, want)
	}
}
