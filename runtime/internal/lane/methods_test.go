package lane

import (
	"context"
	"errors"
	"io"
	"net"
	"sync/atomic"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	pb "google.golang.org/grpc/interop/grpc_testing"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/emptypb"
)

// counting counts what is written.
type counting struct {
	Carrier
	written *atomic.Int64
}

func (c counting) Write(p []byte) (int, error) {
	n, err := c.Carrier.Write(p)
	c.written.Add(int64(n))
	return n, err
}

func (c counting) TryWrite(p, tail []byte) (int, error) {
	n, err := c.Carrier.TryWrite(p, tail)
	c.written.Add(int64(n))
	return n, err
}

func (c counting) WriteUntil(p []byte, done <-chan struct{}) (int, error) {
	n, err := c.Carrier.WriteUntil(p, done)
	c.written.Add(int64(n))
	return n, err
}

// TestMissingMethod calls methods that the server lacks, which it has told: nothing of the calls travels.
func TestMissingMethod(t *testing.T) {
	server := NewServer(ServerConfig{})
	pb.RegisterTestServiceServer(server, newTestServer())
	l := listen(t)
	served := make(chan error, 1)
	go func() {
		conn, err := l.Accept()
		if err == nil {
			err = server.Serve(NewCarrier(conn))
		}
		served <- err
	}()
	conn, err := net.Dial("unix", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	var written atomic.Int64
	c := NewClient(counting{NewCarrier(conn), &written}, ClientConfig{})
	ctx := within(t)
	if err := c.Ready(ctx); err != nil {
		t.Fatal(err)
	}
	before := written.Load()
	for method, want := range map[string]string{
		"/grpc.testing.TestService/Newest": "unknown method Newest for service grpc.testing.TestService",
		"/grpc.testing.Other/EmptyCall":    "unknown service grpc.testing.Other",
		"EmptyCall":                        `malformed method name: "EmptyCall"`,
	} {
		unary := c.Invoke(ctx, method, &emptypb.Empty{}, &emptypb.Empty{})
		stream, err := c.NewStream(ctx, &grpc.StreamDesc{ClientStreams: true, ServerStreams: true}, method)
		if err != nil {
			t.Fatal(err)
		}
		if err := stream.SendMsg(&emptypb.Empty{}); !errors.Is(err, io.EOF) {
			t.Errorf("%s: send: %v", method, err)
		}
		if err := stream.CloseSend(); err != nil {
			t.Errorf("%s: half-close: %v", method, err)
		}
		for _, err := range []error{unary, stream.RecvMsg(&emptypb.Empty{})} {
			if s := status.Convert(err); s.Code() != codes.Unimplemented || s.Message() != want {
				t.Errorf("%s: %v, want %q", method, err, want)
			}
		}
	}
	if n := written.Load() - before; n != 0 {
		t.Errorf("%d bytes were sent", n)
	}
	if _, err := pb.NewTestServiceClient(c).UnaryCall(ctx, input(1)); err != nil {
		t.Errorf("a method that there is: %v", err)
	}
	_ = c.Close()
	if err := <-served; err != nil && !errors.Is(err, context.Canceled) {
		t.Errorf("serve: %v", err)
	}
}

func TestNamesOfMethodsThatMakeNoSense(t *testing.T) {
	for what, body := range map[string]string{"a length cut short": "\x01", "a name cut short": "\x05\x00/a/b"[:5], "too long a name": "\x01\x04" + string(make([]byte, 0x401))} {
		if _, err := parseMethods([]byte(body)); !errors.Is(err, ErrProtocol) {
			t.Errorf("%s: %v, want ErrProtocol", what, err)
		}
	}
	frame := appendMethods(nil, map[string]*method{"/a/b": nil, "/c/d": nil})
	names, err := parseMethods(frame[headerSize:])
	if err != nil || len(names) != 2 || names.missing("/a/b") != nil || names.missing("/a/x") == nil {
		t.Errorf("got %v, %v", names, err)
	}
}
