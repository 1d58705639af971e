package measure

import (
	"context"
	"fmt"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// RefusedError says that a contestant could do a piece of work, were it not for a limit.
type RefusedError struct{ Reason string }

// Error is the reason.
func (e *RefusedError) Error() string { return e.Reason }

// refused tells a limit from a failure: what is larger than a library's limit for messages.
func refused(ctx context.Context, call func(context.Context) error) error {
	err := call(ctx)
	if status.Code(err) == codes.ResourceExhausted {
		return &RefusedError{fmt.Sprint(status.Convert(err).Message())}
	}
	return err
}
