package host

import (
	"context"
	"errors"
	"fmt"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"

	"github.com/plugingen/plugingen/runtime/internal/wire"
)

// verify waits for the first answer.
func verify(ctx context.Context, c *carrier) *Error {
	err := health(ctx, c.cc)
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

// health asks about the name that go-plugin's plugins know, then about the whole server. A plugin that knows neither, or
// has no health service, is as good as one that is well: it has answered.
func health(ctx context.Context, conn grpc.ClientConnInterface) error {
	err := healthOf(ctx, conn, wire.HealthName)
	if status.Code(err) == codes.NotFound {
		err = healthOf(ctx, conn, "")
	}
	switch status.Code(err) {
	case codes.Unimplemented, codes.NotFound:
		return nil
	default:
		return err
	}
}

func healthOf(ctx context.Context, conn grpc.ClientConnInterface, service string) error {
	response, err := healthpb.NewHealthClient(conn).Check(ctx, &healthpb.HealthCheckRequest{Service: service})
	if err != nil {
		return rpcError{err}
	}
	if s := response.GetStatus(); s != healthpb.HealthCheckResponse_SERVING {
		return fmt.Errorf("%w: the health of %q is %s", ErrNotServing, service, s)
	}
	return nil
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
