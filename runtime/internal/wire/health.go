package wire

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

const (
	healthService = "grpc.health.v1.Health"
	healthMethod  = "/" + healthService + "/"
	// mostListed is how many services a list may have; that is grpc's limit, too.
	mostListed = 100
)

// Health is the health of a plugin: good, until Shutdown. Its methods may be used concurrently.
type Health struct {
	services map[string]bool
	once     sync.Once
	down     chan struct{} // closed by Shutdown
}

// RegisterHealth makes registrar serve the health of HealthName, of "" (the whole server) and of services, all of
// them well. Shutdown of what it returns turns them, and whoever watches them, to not serving.
func RegisterHealth(registrar grpc.ServiceRegistrar, services ...string) *Health {
	h := &Health{services: map[string]bool{"": true, HealthName: true}, down: make(chan struct{})}
	for _, name := range services {
		h.services[name] = true
	}
	registrar.RegisterService(&grpc.ServiceDesc{
		ServiceName: healthService,
		Methods: []grpc.MethodDesc{
			{MethodName: "Check", Handler: unary(healthMethod+"Check", h.check)},
			{MethodName: "List", Handler: unary(healthMethod+"List", h.list)},
		},
		Streams:  []grpc.StreamDesc{{StreamName: "Watch", ServerStreams: true, Handler: h.watch}},
		Metadata: "grpc/health/v1/health.proto",
	}, nil)
	return h
}

// Shutdown says that nothing is served any more.
func (h *Health) Shutdown() { h.once.Do(func() { close(h.down) }) }

func (h *Health) status() HealthCheckResponse_ServingStatus {
	select {
	case <-h.down:
		return HealthCheckResponse_NOT_SERVING
	default:
		return HealthCheckResponse_SERVING
	}
}

func (h *Health) check(_ context.Context, in *HealthCheckRequest) (*HealthCheckResponse, error) {
	if !h.services[in.GetService()] {
		return nil, status.Error(codes.NotFound, "unknown service")
	}
	return &HealthCheckResponse{Status: h.status()}, nil
}

func (h *Health) list(context.Context, *HealthListRequest) (*HealthListResponse, error) {
	if len(h.services) > mostListed {
		return nil, status.Errorf(codes.ResourceExhausted, "more than %d services", mostListed)
	}
	all := &HealthListResponse{Statuses: map[string]*HealthCheckResponse{}}
	for name := range h.services {
		all.Statuses[name] = &HealthCheckResponse{Status: h.status()}
	}
	return all, nil
}

// watch tells of a service now, and once more when that changes; it lasts as long as the stream.
func (h *Health) watch(_ any, stream grpc.ServerStream) error {
	in := &HealthCheckRequest{}
	if err := stream.RecvMsg(in); err != nil {
		return err
	}
	now, down := HealthCheckResponse_SERVICE_UNKNOWN, (chan struct{})(nil)
	if h.services[in.GetService()] {
		now, down = h.status(), h.down
	}
	for {
		if err := stream.SendMsg(&HealthCheckResponse{Status: now}); err != nil {
			return err
		}
		if now == HealthCheckResponse_NOT_SERVING {
			down = nil
		}
		select {
		case <-down:
			now = HealthCheckResponse_NOT_SERVING
		case <-stream.Context().Done():
			return status.Error(codes.Canceled, "the stream has ended")
		}
	}
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
	resp := &HealthCheckResponse{}
	if err := conn.Invoke(ctx, healthMethod+"Check", &HealthCheckRequest{Service: service}, resp); err != nil {
		return err
	}
	if s := resp.GetStatus(); s != HealthCheckResponse_SERVING {
		return fmt.Errorf("%w: the health of %q is %s", ErrNotServing, service, s)
	}
	return nil
}
