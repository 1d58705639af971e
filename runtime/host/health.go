package host

import (
	"context"
	"errors"
	"fmt"

	"google.golang.org/grpc"
	"google.golang.org/grpc/status"

	"github.com/plugingen/plugingen/runtime/internal/wire"
)

// verified waits for the first answer. On an inherited socket it is here: a plugin speaks there once it serves, and the next thing it can say is
// the answer to a call.
func (c *carrier) verified(ctx context.Context, cfg Config) *Error {
	if c.lane != nil {
		return nil
	}
	if err := verify(ctx, c); err != nil {
		return err
	}
	c.takeTunnel(ctx, cfg)
	return nil
}

// verify waits for the first answer, with which the plugin may also say that it speaks the lane.
func verify(ctx context.Context, c *carrier) *Error {
	asked, answers := asksForLane(ctx, c)
	err := health(asked, answers)
	if err != nil && ctx.Err() != nil {
		err = interrupted(ctx, err)
	}
	switch {
	case err == nil:
		return nil
	case errors.Is(err, ErrNotServing):
		return failed(StageVerify, err).hint(hintNotServing)
	case c.refused.Load():
		return failed(StageVerify, fmt.Errorf("%w: the plugin refuses what this host shows of itself: %w", ErrTLS, err)).hint(hintRefused)
	default:
		return failed(StageVerify, err)
	}
}

// health is wire.Check with errors for people.
func health(ctx context.Context, conn grpc.ClientConnInterface) error {
	err := wire.Check(ctx, conn)
	if err == nil || errors.Is(err, ErrNotServing) {
		return err
	}
	return rpcError{err}
}

// rpcError is a status error with a text for people: without gRPC's prefix.
type rpcError struct{ error }

// Error is the status's message and code.
func (e rpcError) Error() string {
	s := status.Convert(e.error)
	return fmt.Sprintf("%s (%s)", s.Message(), s.Code())
}

// Unwrap returns the status error.
func (e rpcError) Unwrap() error { return e.error }
