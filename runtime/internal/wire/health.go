package wire

import (
	"context"
	"errors"
	"fmt"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/health"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"
)

// RegisterHealth makes registrar serve the health of HealthName, of "" (the whole server) and of services, all of
// them well. Shutdown of what it returns turns them, and whoever watches them, to not serving.
func RegisterHealth(registrar grpc.ServiceRegistrar, services ...string) *health.Server {
	s := health.NewServer() // "" is serving
	for _, name := range append([]string{HealthName}, services...) {
		s.SetServingStatus(name, healthpb.HealthCheckResponse_SERVING)
	}
	healthpb.RegisterHealthServer(registrar, s)
	return s
}

// ErrNotServing is the error of a plugin that answers a health check, but not well.
var ErrNotServing = errors.New("the plugin says that it does not serve")

// Check asks the plugin behind conn whether it is well: about HealthName, which go-plugin's plugins know, and about the whole
// server when it does not know that name. A plugin that knows neither, or has no health service, is as good as one that is well:
// it has answered. The error is ErrNotServing or has the status of the call that failed.
func Check(ctx context.Context, conn grpc.ClientConnInterface) error {
	err := check(ctx, conn, HealthName)
	if status.Code(err) == codes.NotFound {
		err = check(ctx, conn, "")
	}
	switch status.Code(err) {
	case codes.Unimplemented, codes.NotFound:
		return nil
	default:
		return err
	}
}

func check(ctx context.Context, conn grpc.ClientConnInterface, service string) error {
	resp, err := healthpb.NewHealthClient(conn).Check(ctx, &healthpb.HealthCheckRequest{Service: service})
	if err != nil {
		return err
	}
	if s := resp.GetStatus(); s != healthpb.HealthCheckResponse_SERVING {
		return fmt.Errorf("%w: the health of %q is %s", ErrNotServing, service, s)
	}
	return nil
}
