// Package interop runs our plugins under hashicorp/go-plugin's hosts and go-plugin's plugins under ours.
//
// It is a module of its own, so that go-plugin never becomes a dependency of the project. Both runtimes are linked
// into one binary here: that they do not clash at start is the first thing it shows.
package interop

import (
	"context"
	"fmt"
	"io"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/emptypb"

	grpctest "github.com/hashicorp/go-plugin/test/grpc"
)

// testService is go-plugin's own test service, implemented once and served by either runtime.
type testService struct {
	grpctest.UnimplementedTestServer
	stdout, stderr func() io.Writer // asked for at each call: go-plugin replaces os.Stdout after its start
}

// Double answers the unary call.
func (s testService) Double(_ context.Context, r *grpctest.TestRequest) (*grpctest.TestResponse, error) {
	return &grpctest.TestResponse{Output: 2 * r.Input}, nil
}

// Stream answers each message of a bidirectional stream.
func (s testService) Stream(stream grpctest.Test_StreamServer) error {
	for {
		r, err := stream.Recv()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		if err := stream.Send(&grpctest.TestResponse{Output: 2 * r.Input}); err != nil {
			return err
		}
	}
}

// PrintStdio prints what it is told on the plugin's own stdout and stderr.
func (s testService) PrintStdio(_ context.Context, r *grpctest.PrintStdioRequest) (*emptypb.Empty, error) {
	if _, err := s.stdout().Write(r.Stdout); err != nil {
		return nil, fmt.Errorf("print on stdout: %w", err)
	}
	if _, err := s.stderr().Write(r.Stderr); err != nil {
		return nil, fmt.Errorf("print on stderr: %w", err)
	}
	return &emptypb.Empty{}, nil
}

func registerTest(r grpc.ServiceRegistrar, s grpctest.TestServer) {
	r.RegisterService(&grpctest.Test_ServiceDesc, s)
}
