package lane

import (
	"context"
	"errors"
	"io"
	"net"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	pb "google.golang.org/grpc/interop/grpc_testing"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
)

// A stream that nobody reads, in either direction, holds its window and no more, and stops nobody.
func TestStuckReaders(t *testing.T) {
	onAll(t, func(t *testing.T, open opener) {
		s := newTestServer()
		conn := open(t, setup{service: s})
		c := pb.NewTestServiceClient(conn)
		var sending sync.WaitGroup
		ctx, cancel := context.WithCancel(context.Background())
		t.Cleanup(func() { cancel(); sending.Wait() })
		for range 4 {
			in := &pb.StreamingOutputCallRequest{}
			for range 100 {
				in.ResponseParameters = append(in.ResponseParameters, &pb.ResponseParameters{Size: 1 << 20})
			}
			down := must(c.StreamingOutputCall(ctx, in))(t)
			must(down.Recv())(t) // it has begun, and is not read any more
			up := must(c.FullDuplexCall(asking(ctx, "block")))(t)
			receive(t, s.entered)
			sending.Go(func() {
				for up.Send(&pb.StreamingOutputCallRequest{Payload: &pb.Payload{Body: pattern(1 << 20)}}) == nil {
				}
			})
		}
		for _, n := range []int{10, 1000, 100 << 10, 2 << 20} {
			if _, err := c.UnaryCall(within(t), input(n)); err != nil {
				t.Errorf("%d bytes beside them: %v", n, err)
			}
		}
		if client, ok := conn.(*Client); ok {
			checkHeld(t, client)
		}
	})
}

// checkHeld sums up what a client's streams hold.
func checkHeld(t *testing.T, client *Client) {
	client.table.mu.Lock()
	defer client.table.mu.Unlock()
	for _, s := range client.table.slots {
		if s.stream == nil {
			continue
		}
		in := &s.stream.in
		in.mu.Lock()
		held := int64(in.part.got)
		for _, m := range in.queue[in.head:] {
			held += int64(len(m.body))
		}
		in.mu.Unlock()
		if held > in.window+in.grown {
			t.Errorf("a stream holds %d bytes, its window is %d", held, in.window)
		}
	}
}

// A peer that reads nothing keeps nobody past the deadline.
func TestPeerThatDoesNotRead(t *testing.T) {
	for name, carriers := range map[string]func(client, server net.Conn) (Carrier, Carrier){
		"socket": func(client, server net.Conn) (Carrier, Carrier) { return NewCarrier(client), NewCarrier(server) },
		"plain":  func(client, server net.Conn) (Carrier, Carrier) { return plainCarrier{client}, plainCarrier{server} },
		"secured": func(client, server net.Conn) (Carrier, Carrier) {
			a, b := secure(t, client, server)
			return NewCarrier(a), NewCarrier(b)
		},
	} {
		t.Run(name, func(t *testing.T) {
			clientEnd, serverEnd := carriers(socketPair(t))
			defer serverEnd.Close()
			if _, err := serverEnd.Write(serverPreface()); err != nil {
				t.Fatal(err)
			}
			client := NewClient(clientEnd, ClientConfig{})
			c := pb.NewTestServiceClient(client)
			var wg sync.WaitGroup
			for i := range 60 {
				wg.Go(func() {
					ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
					defer cancel()
					if _, err := c.UnaryCall(ctx, input(i%6*20<<10)); status.Code(err) != codes.DeadlineExceeded {
						t.Error(err)
					}
				})
			}
			wg.Wait()
			client.w.mu.Lock()
			pending := len(client.w.buf)
			client.w.mu.Unlock()
			if pending > 2*maxPending {
				t.Errorf("%d bytes are pending", pending)
			}
			client.Close()
		})
	}
}

func serverPreface() []byte { return ServerConfig{}.withDefaults().settings().preface() }

func TestNoMoreCallsThanAllowed(t *testing.T) {
	s := newTestServer()
	client := openLane(t, setup{service: s, maxCalls: floorCalls}, NewCarrier)
	c := pb.NewTestServiceClient(client)
	ctx, cancel := context.WithCancel(asking(context.Background(), "block"))
	var wg sync.WaitGroup
	for range floorCalls {
		wg.Go(func() { c.UnaryCall(ctx, input(1)) })
	}
	for range floorCalls {
		receive(t, s.entered)
	}
	short, stop := context.WithTimeout(context.Background(), 10*time.Millisecond)
	defer stop()
	if _, err := c.UnaryCall(short, input(1)); status.Code(err) != codes.DeadlineExceeded {
		t.Errorf("one too many: %v", err)
	}
	waiting := make(chan error, 8)
	for range cap(waiting) {
		go func() {
			_, err := c.UnaryCall(within(t), input(1))
			waiting <- err
		}()
	}
	cancel()
	for range cap(waiting) {
		if err := receive(t, waiting); err != nil {
			t.Errorf("after room was made: %v", err)
		}
	}
	wg.Wait()
}

func TestGracefulStop(t *testing.T) {
	for range 20 {
		s := newTestServer()
		clientEnd, serverEnd := socketPair(t)
		server := NewServer(ServerConfig{})
		pb.RegisterTestServiceServer(server, s)
		served := make(chan error, 1)
		go func() { served <- server.Serve(NewCarrier(serverEnd)) }()
		client := NewClient(NewCarrier(clientEnd), ClientConfig{})
		c := pb.NewTestServiceClient(client)
		stream := must(c.FullDuplexCall(within(t)))(t)
		exchange(t, stream)
		stopped := make(chan error, 1)
		go func() { stopped <- server.GracefulStop(within(t)) }()
		var err error
		for err == nil { // calls are served until the client knows
			_, err = c.UnaryCall(within(t), input(1))
		}
		if status.Code(err) != codes.Unavailable {
			t.Errorf("call while draining: %v", err)
		}
		exchange(t, stream) // goes on
		stream.CloseSend()
		if _, err := stream.Recv(); !errors.Is(err, io.EOF) {
			t.Errorf("the end of the stream: %v", err)
		}
		if err := receive(t, stopped); err != nil {
			t.Error(err)
		}
		if err := receive(t, served); err != nil {
			t.Error(err)
		}
		receive(t, client.Done())
		if !errors.Is(client.Err(), ErrDrained) {
			t.Errorf("client ended with %v", client.Err())
		}
		client.Close()
		if err := server.Serve(NewCarrier(must(net.Dial("unix", listen(t).Addr().String()))(t))); !errors.Is(err, ErrServerStopped) {
			t.Errorf("serving afterwards: %v", err)
		}
	}
}

func exchange(t *testing.T, s grpc.BidiStreamingClient[pb.StreamingOutputCallRequest, pb.StreamingOutputCallResponse]) {
	t.Helper()
	if err := s.Send(&pb.StreamingOutputCallRequest{ResponseParameters: []*pb.ResponseParameters{{Size: 3}}}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Recv(); err != nil {
		t.Fatal(err)
	}
}

func TestGracefulStopGivesUp(t *testing.T) {
	s := newTestServer()
	clientEnd, serverEnd := socketPair(t)
	server := NewServer(ServerConfig{})
	pb.RegisterTestServiceServer(server, s)
	served := make(chan error, 1)
	go func() { served <- server.Serve(NewCarrier(serverEnd)) }()
	client := NewClient(NewCarrier(clientEnd), ClientConfig{})
	defer client.Close()
	failed := make(chan error, 1)
	go func() {
		_, err := pb.NewTestServiceClient(client).UnaryCall(asking(context.Background(), "block"), input(1))
		failed <- err
	}()
	receive(t, s.entered)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := server.GracefulStop(ctx); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if err := receive(t, failed); status.Code(err) != codes.Unavailable {
		t.Error(err)
	}
	receive(t, s.ended)
	if err := receive(t, served); !errors.Is(err, ErrServerStopped) {
		t.Error(err)
	}
}

func TestLostConnection(t *testing.T) {
	clientEnd, serverEnd := socketPair(t)
	client := NewClient(NewCarrier(clientEnd), ClientConfig{})
	serverEnd.Write(serverPreface())
	if err := client.Ready(within(t)); err != nil {
		t.Fatal(err)
	}
	if client.Err() != nil {
		t.Error(client.Err())
	}
	serverEnd.Close()
	receive(t, client.Done()) // though nobody calls
	if err := client.Err(); err == nil || errors.Is(err, ErrProtocol) {
		t.Error(err)
	}
	c := pb.NewTestServiceClient(client)
	if _, err := c.UnaryCall(within(t), input(1), grpc.WaitForReady(true)); status.Code(err) != codes.Unavailable {
		t.Error(err)
	}
	if _, err := c.FullDuplexCall(within(t)); status.Code(err) != codes.Unavailable {
		t.Error(err)
	}
	client.Close()
	client.Close()
}

func TestClose(t *testing.T) {
	s := newTestServer()
	client := openLane(t, setup{service: s}, NewCarrier)
	c := pb.NewTestServiceClient(client)
	failed := make(chan error, 2)
	stream := must(c.FullDuplexCall(within(t)))(t)
	go func() {
		_, err := c.UnaryCall(asking(within(t), "block"), input(1))
		failed <- err
	}()
	go func() {
		_, err := stream.Recv()
		failed <- err
	}()
	receive(t, s.entered)
	client.Close()
	for range 2 {
		if err := receive(t, failed); status.Code(err) != codes.Canceled {
			t.Error(err)
		}
	}
	if err := receive(t, s.ended); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if _, err := c.UnaryCall(within(t), input(1)); status.Code(err) != codes.Canceled {
		t.Error(err)
	}
}

// secretCreds are call credentials.
type secretCreds struct{ secure bool }

func (c secretCreds) GetRequestMetadata(context.Context, ...string) (map[string]string, error) {
	return map[string]string{"head": "from credentials"}, nil
}
func (c secretCreds) RequireTransportSecurity() bool { return c.secure }

var _ credentials.PerRPCCredentials = secretCreds{}

func TestCallOptions(t *testing.T) {
	client := openLane(t, setup{service: newTestServer()}, NewCarrier)
	c := pb.NewTestServiceClient(client)
	for name, tt := range map[string]struct {
		option grpc.CallOption
		want   codes.Code
	}{
		"compressor":           {grpc.UseCompressor("gzip"), codes.Unimplemented},
		"no compressor":        {grpc.UseCompressor("identity"), codes.OK},
		"codec":                {grpc.CallContentSubtype("json"), codes.Unimplemented},
		"proto":                {grpc.CallContentSubtype("proto"), codes.OK},
		"authority":            {grpc.CallAuthority("other"), codes.Unimplemented},
		"wait for ready":       {grpc.WaitForReady(true), codes.OK},
		"retry buffer":         {grpc.MaxRetryRPCBufferSize(1), codes.OK},
		"credentials":          {grpc.PerRPCCredentials(secretCreds{}), codes.OK},
		"credentials with TLS": {grpc.PerRPCCredentials(secretCreds{secure: true}), codes.Unauthenticated},
	} {
		var header metadata.MD
		if _, err := c.UnaryCall(within(t), input(1), tt.option, grpc.Header(&header)); status.Code(err) != tt.want {
			t.Errorf("%s: %v", name, err)
		}
		if name == "credentials" && header.Get("echo-head")[0] != "from credentials" {
			t.Errorf("%s: header %v", name, header)
		}
		s, err := c.FullDuplexCall(within(t), tt.option)
		if status.Code(err) != tt.want {
			t.Errorf("stream, %s: %v", name, err)
		}
		if err == nil {
			s.CloseSend()
			if _, err := s.Recv(); !errors.Is(err, io.EOF) {
				t.Errorf("stream, %s: %v", name, err)
			}
		}
	}
	if err := client.Invoke(within(t), pb.TestService_EmptyCall_FullMethodName, "no message", &pb.Empty{}); status.Code(err) != codes.Internal {
		t.Error(err)
	}
}

func TestRegistration(t *testing.T) {
	server := NewServer(ServerConfig{})
	pb.RegisterTestServiceServer(server, newTestServer())
	pb.RegisterTestServiceServer(server, newTestServer())
	server.RegisterService(&pb.BenchmarkService_ServiceDesc, "no server")
	a, b := socketPair(t)
	defer a.Close()
	if err := server.Serve(NewCarrier(b)); err == nil {
		t.Error("served")
	} else {
		t.Log(err)
	}
}
