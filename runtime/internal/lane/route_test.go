package lane

import (
	"errors"
	"io"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/connectivity"
	"google.golang.org/grpc/credentials/insecure"
	pb "google.golang.org/grpc/interop/grpc_testing"
)

// A real *grpc.ClientConn whose calls take the lane does not connect.
func TestRoute(t *testing.T) {
	client := openLane(t, setup{service: newTestServer()}, NewCarrier)
	options := append([]grpc.DialOption{grpc.WithTransportCredentials(insecure.NewCredentials())}, client.Route()...)
	conn, err := grpc.NewClient("passthrough:///nowhere", options...)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	c := pb.NewTestServiceClient(conn)
	if _, err := c.UnaryCall(within(t), input(5)); err != nil {
		t.Error(err)
	}
	s := must(c.FullDuplexCall(within(t)))(t)
	exchange(t, s)
	s.CloseSend()
	if _, err := s.Recv(); !errors.Is(err, io.EOF) {
		t.Error(err)
	}
	if state := conn.GetState(); state != connectivity.Idle {
		t.Errorf("the connection is %v", state)
	}
}
