package wire

import (
	"context"
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

// Check asks the plugin behind conn whether it is well: about HealthName, as go-plugin does, and about the whole server
// when it does not know that name. nil means that it is serving. A plugin without a health service answers with the code
// Unimplemented; one that says it is not serving gives an error with the code Unavailable.
func Check(ctx context.Context, conn grpc.ClientConnInterface) error {
	err := check(ctx, conn, HealthName)
	if status.Code(err) == codes.NotFound {
		return check(ctx, conn, "")
	}
	return err
}

func check(ctx context.Context, conn grpc.ClientConnInterface, service string) error {
	resp, err := healthpb.NewHealthClient(conn).Check(ctx, &healthpb.HealthCheckRequest{Service: service})
	if err != nil {
		return err
	}
	if s := resp.GetStatus(); s != healthpb.HealthCheckResponse_SERVING {
		return status.Error(codes.Unavailable, fmt.Sprintf("health of %q: %s", service, s))
	}
	return nil
}
