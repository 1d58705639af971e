package lane

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"go.uber.org/goleak"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	pb "google.golang.org/grpc/interop/grpc_testing"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
)

// hang is how long a test waits for what must come: long enough for any machine, short enough to tell which test hung.
const hang = 60 * time.Second

func TestMain(m *testing.M) {
	if dir := os.Getenv(benchEnv); dir != "" {
		serveBench(dir)
		return
	}
	goleak.VerifyTestMain(m)
}

// testServer does what a request's metadata asks for.
type testServer struct {
	pb.UnimplementedTestServiceServer
	entered chan string // told the method of each call that blocks, if there is room
	ended   chan error  // told what a blocked handler's context ended with, if there is room
}

func newTestServer() *testServer {
	return &testServer{entered: make(chan string, 100), ended: make(chan error, 100)}
}

// obey does what the metadata of ctx asks for before a handler does its work.
func (s *testServer) obey(ctx context.Context, set func(header, trailer metadata.MD) error) error {
	md, _ := metadata.FromIncomingContext(ctx)
	if err := set(metadata.MD{"echo-head": md["head"]}, metadata.MD{"echo-tail": md["tail"]}); err != nil {
		return err
	}
	switch do := append(md["do"], "")[0]; do {
	case "panic":
		panic("as asked")
	case "goexit":
		runtime.Goexit()
	case "block":
		tell(s.entered, "block")
		<-ctx.Done()
		tell(s.ended, ctx.Err())
		return ctx.Err()
	case "plain error":
		return errors.New("a plain error")
	}
	return nil
}

func tell[T any](c chan T, v T) {
	select {
	case c <- v:
	default:
	}
}

func fail(st *pb.EchoStatus) error {
	if st.GetCode() == 0 {
		return nil
	}
	full, err := status.New(codes.Code(st.Code), st.Message).WithDetails(&pb.Payload{Body: []byte("detail")})
	if err != nil {
		return err
	}
	return full.Err()
}

func (s *testServer) UnaryCall(ctx context.Context, in *pb.SimpleRequest) (*pb.SimpleResponse, error) {
	err := s.obey(ctx, func(h, t metadata.MD) error {
		return errors.Join(grpc.SetHeader(ctx, h), grpc.SetTrailer(ctx, t))
	})
	if err == nil {
		err = fail(in.ResponseStatus)
	}
	if err != nil {
		return nil, err
	}
	body := in.Payload.GetBody()
	if in.ResponseSize > 0 {
		body = pattern(int(in.ResponseSize))
	}
	return &pb.SimpleResponse{Payload: &pb.Payload{Body: body}}, nil
}

func pattern(n int) []byte {
	return bytes.Repeat([]byte("0123456789 this is 37 bytes of text!!"), n/37+1)[:n:n]
}

func (s *testServer) stream(ss grpc.ServerStream) error {
	return s.obey(ss.Context(), func(h, t metadata.MD) error {
		ss.SetTrailer(t)
		return ss.SetHeader(h)
	})
}

func (s *testServer) StreamingOutputCall(in *pb.StreamingOutputCallRequest, ss grpc.ServerStreamingServer[pb.StreamingOutputCallResponse]) error {
	if err := s.stream(ss); err != nil {
		return err
	}
	for _, p := range in.ResponseParameters {
		if err := ss.Send(&pb.StreamingOutputCallResponse{Payload: &pb.Payload{Body: pattern(int(p.Size))}}); err != nil {
			return err
		}
	}
	return fail(in.ResponseStatus)
}

func (s *testServer) StreamingInputCall(ss grpc.ClientStreamingServer[pb.StreamingInputCallRequest, pb.StreamingInputCallResponse]) error {
	if err := s.stream(ss); err != nil {
		return err
	}
	var sum int32
	for {
		m, err := ss.Recv()
		if errors.Is(err, io.EOF) {
			return ss.SendAndClose(&pb.StreamingInputCallResponse{AggregatedPayloadSize: sum})
		}
		if err != nil {
			return err
		}
		sum += int32(len(m.Payload.GetBody()))
	}
}

func (s *testServer) FullDuplexCall(ss grpc.BidiStreamingServer[pb.StreamingOutputCallRequest, pb.StreamingOutputCallResponse]) error {
	if err := s.stream(ss); err != nil {
		return err
	}
	for {
		in, err := ss.Recv()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err == nil {
			err = fail(in.ResponseStatus)
		}
		if err != nil {
			return err
		}
		for _, p := range in.ResponseParameters {
			if err := ss.Send(&pb.StreamingOutputCallResponse{Payload: &pb.Payload{Body: pattern(int(p.Size))}}); err != nil {
				return err
			}
		}
	}
}

// setup is how a test wants its connection.
type setup struct {
	maxMessage   int
	maxCalls     int
	unaryClient  []grpc.UnaryClientInterceptor
	streamClient []grpc.StreamClientInterceptor
	unaryServer  []grpc.UnaryServerInterceptor
	streamServer []grpc.StreamServerInterceptor
	service      pb.TestServiceServer
	register     func(grpc.ServiceRegistrar) // instead of service
	callOptions  []grpc.CallOption
}

func (s setup) registerOn(r grpc.ServiceRegistrar) {
	if s.register != nil {
		s.register(r)
		return
	}
	pb.RegisterTestServiceServer(r, s.service)
}

// transport is one of the ways that must behave alike.
type transport struct {
	name string
	open func(testing.TB, setup) grpc.ClientConnInterface
}

func transports() []transport {
	return []transport{
		{"grpc", openGRPC},
		{"lane", func(t testing.TB, s setup) grpc.ClientConnInterface { return openLane(t, s, NewCarrier) }},
		{"lane-plain", func(t testing.TB, s setup) grpc.ClientConnInterface {
			return openLane(t, s, func(c net.Conn) Carrier { return plainCarrier{c} })
		}},
		{"tunnel", openTunnel},
		{"secured", func(t testing.TB, s setup) grpc.ClientConnInterface {
			client, server := socketPair(t)
			return openSecured(t, s, client, server)
		}},
	}
}

// onAll runs test over each transport.
func onAll(t *testing.T, test func(t *testing.T, open func(testing.TB, setup) grpc.ClientConnInterface)) {
	for _, tr := range transports() {
		t.Run(tr.name, func(t *testing.T) { test(t, tr.open) })
	}
}

func openGRPC(t testing.TB, s setup) grpc.ClientConnInterface {
	limit := s.maxMessage
	if limit == 0 {
		limit = defaultMaxMessage
	}
	l := listen(t)
	server := grpc.NewServer(grpc.MaxRecvMsgSize(limit),
		grpc.ChainUnaryInterceptor(append([]grpc.UnaryServerInterceptor{rescueUnary}, s.unaryServer...)...),
		grpc.ChainStreamInterceptor(append([]grpc.StreamServerInterceptor{rescueStream}, s.streamServer...)...))
	s.registerOn(server)
	served := make(chan error, 1)
	go func() { served <- server.Serve(l) }()
	conn, err := grpc.NewClient("passthrough:///lane", grpc.WithTransportCredentials(insecure.NewCredentials()), dialUnix(l.Addr(), func(c net.Conn) net.Conn { return c }),
		grpc.WithDefaultCallOptions(append([]grpc.CallOption{grpc.MaxCallRecvMsgSize(limit)}, s.callOptions...)...),
		grpc.WithChainUnaryInterceptor(s.unaryClient...), grpc.WithChainStreamInterceptor(s.streamClient...))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close(); server.Stop(); <-served })
	return conn
}

// dialUnix is for paths that would not be the same in a URL.
func dialUnix(at net.Addr, wrap func(net.Conn) net.Conn) grpc.DialOption {
	return grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) {
		conn, err := new(net.Dialer).DialContext(ctx, at.Network(), at.String())
		if err != nil {
			return nil, err
		}
		return wrap(conn), nil
	})
}

func listen(t testing.TB) net.Listener {
	t.Helper()
	l, err := net.Listen("unix", filepath.Join(t.TempDir(), "s"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

// socketPair returns two connected unix sockets.
func socketPair(t testing.TB) (client, server net.Conn) {
	t.Helper()
	l := listen(t)
	client, err := net.Dial("unix", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	if server, err = l.Accept(); err != nil {
		t.Fatal(err)
	}
	return client, server
}

func openLane(t testing.TB, s setup, carrier func(net.Conn) Carrier) *Client {
	t.Helper()
	clientEnd, serverEnd := socketPair(t)
	return openLaneOn(t, s, carrier(clientEnd), carrier(serverEnd))
}

func openLaneOn(t testing.TB, s setup, clientEnd, serverEnd Carrier) *Client {
	t.Helper()
	server := NewServer(ServerConfig{
		MaxMessageSize: s.maxMessage, MaxCalls: s.maxCalls,
		UnaryInterceptors: s.unaryServer, StreamInterceptors: s.streamServer, Logger: quiet(),
	})
	s.registerOn(server)
	served := make(chan error, 1)
	go func() { served <- server.Serve(serverEnd) }()
	client := NewClient(clientEnd, ClientConfig{
		MaxMessageSize: s.maxMessage, UnaryInterceptors: s.unaryClient, StreamInterceptors: s.streamClient, CallOptions: s.callOptions,
	})
	t.Cleanup(func() {
		broken := errors.Is(client.Err(), ErrProtocol)
		client.Close()
		if err := receive(t, served); errors.Is(err, ErrProtocol) || broken {
			t.Errorf("the client ended with %v, the server with %v", client.Err(), err)
		}
		server.Stop()
	})
	return client
}

// receive receives from c, or fails the test when that hangs.
func receive[T any](t testing.TB, c <-chan T) T {
	t.Helper()
	select {
	case v := <-c:
		return v
	case <-time.After(hang):
		buf := make([]byte, 1<<20)
		t.Fatalf("hangs\n%s", buf[:runtime.Stack(buf, true)])
		panic("not reached")
	}
}

// within is a context for what must end soon.
func within(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), hang)
	t.Cleanup(cancel)
	return ctx
}

func asking(ctx context.Context, do string) context.Context {
	return metadata.AppendToOutgoingContext(ctx, "do", do)
}

func input(size int) *pb.SimpleRequest {
	return &pb.SimpleRequest{Payload: &pb.Payload{Body: pattern(size)}}
}

func must[T any](v T, err error) func(testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func withinMicros(n int) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.Background(), time.Duration(n)*time.Microsecond)
}
