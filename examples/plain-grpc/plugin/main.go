// Plugin serves a plain gRPC service to its host.
package main

import (
	"context"
	"os"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	testpb "google.golang.org/grpc/interop/grpc_testing"
	"google.golang.org/grpc/status"

	plain "github.com/plugingen/plugingen/examples/plain-grpc"
	"github.com/plugingen/plugingen/runtime"
	"github.com/plugingen/plugingen/runtime/plugin"
)

func main() {
	service := runtime.Raw(testpb.TestService_ServiceDesc.ServiceName, func(r grpc.ServiceRegistrar) {
		testpb.RegisterTestServiceServer(r, server{})
	})
	os.Exit(plugin.Main(plugin.Config{
		Handshake: plain.Handshake(),
		Services:  map[int][]runtime.Implementation{1: {service}},
	}))
}

type server struct {
	testpb.UnimplementedTestServiceServer
}

// UnaryCall sends back what it got.
func (server) UnaryCall(_ context.Context, req *testpb.SimpleRequest) (*testpb.SimpleResponse, error) {
	if len(req.GetPayload().GetBody()) == 0 {
		return nil, status.Error(codes.InvalidArgument, "there is no payload")
	}
	return &testpb.SimpleResponse{Payload: req.GetPayload()}, nil
}

// StreamingOutputCall sends as many zeros as each parameter says.
func (server) StreamingOutputCall(req *testpb.StreamingOutputCallRequest, stream grpc.ServerStreamingServer[testpb.StreamingOutputCallResponse]) error {
	for _, p := range req.GetResponseParameters() {
		body := make([]byte, max(p.GetSize(), 0))
		if err := stream.Send(&testpb.StreamingOutputCallResponse{Payload: &testpb.Payload{Body: body}}); err != nil {
			return err
		}
	}
	return nil
}
