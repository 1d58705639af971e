package wire

import (
	"context"
	"errors"
	"io"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// ShutdownMethod is the full name of the call by which a host asks its plugin to end.
const ShutdownMethod = "/" + ControllerService + "/Shutdown"

// RegisterController makes registrar serve the controller. shutdown runs in the call's own goroutine, possibly several
// times and at once; the host gets its answer when shutdown returns.
func RegisterController(registrar grpc.ServiceRegistrar, shutdown func(ctx context.Context) error) {
	call := func(ctx context.Context, _ *Empty) (*Empty, error) { return &Empty{}, shutdown(ctx) }
	registrar.RegisterService(&grpc.ServiceDesc{
		ServiceName: ControllerService,
		Methods:     []grpc.MethodDesc{{MethodName: "Shutdown", Handler: unary(ShutdownMethod, call)}},
		Metadata:    "grpc_controller.proto",
	}, nil)
}

// Shutdown asks the plugin behind conn to stop. A plugin that is gone, or goes without an answer, has stopped: nil.
// A plugin without a controller answers with the code Unimplemented.
func Shutdown(ctx context.Context, conn grpc.ClientConnInterface) error {
	err := conn.Invoke(ctx, ShutdownMethod, &Empty{}, &Empty{})
	if err == nil || errors.Is(err, io.EOF) || status.Code(err) == codes.Unavailable {
		return nil
	}
	return err
}
