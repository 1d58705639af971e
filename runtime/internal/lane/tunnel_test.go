package lane

import (
	"context"
	"errors"
	"io"
	"net"
	"runtime"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	pb "google.golang.org/grpc/interop/grpc_testing"
	"google.golang.org/grpc/status"
)

const tunnelMethod = "/lane.Test/Tunnel"

// openTunnel runs the frames through one stream of a gRPC connection.
func openTunnel(t testing.TB, s setup) grpc.ClientConnInterface {
	t.Helper()
	server := NewServer(ServerConfig{
		MaxMessageSize: s.maxMessage, MaxCalls: s.maxCalls,
		UnaryInterceptors: s.unaryServer, StreamInterceptors: s.streamServer, Logger: quiet(),
	})
	s.registerOn(server)
	served := make(chan error, 1)
	stream, end := tunnel(t, func(carrier Carrier) {
		served <- server.Serve(carrier)
	})
	client := NewClient(NewStreamCarrier(stream, end), ClientConfig{
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

// tunnel opens a stream whose other end is served by serve.
func tunnel(t testing.TB, serve func(Carrier)) (grpc.ClientStream, context.CancelFunc) {
	t.Helper()
	return tunnelOn(t, func(c net.Conn) net.Conn { return c }, serve)
}

// tunnelOn is tunnel for a connection that wrap makes of a socket.
func tunnelOn(t testing.TB, wrap func(net.Conn) net.Conn, serve func(Carrier)) (grpc.ClientStream, context.CancelFunc) {
	t.Helper()
	l := listen(t)
	server := grpc.NewServer(grpc.WaitForHandlers(true), grpc.ForceServerCodecV2(StreamCodec()))
	desc := &grpc.StreamDesc{StreamName: "Tunnel", ClientStreams: true, ServerStreams: true, Handler: func(_ any, stream grpc.ServerStream) error {
		ended, end := context.WithCancel(stream.Context())
		serve(NewStreamCarrier(stream, end))
		<-ended.Done()
		return nil
	}}
	server.RegisterService(&grpc.ServiceDesc{ServiceName: "lane.Test", Streams: []grpc.StreamDesc{*desc}}, nil)
	served := make(chan error, 1)
	go func() { served <- server.Serve(l) }()
	conn, err := grpc.NewClient("passthrough:///lane", grpc.WithTransportCredentials(insecure.NewCredentials()), dialUnix(l.Addr(), wrap))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close(); server.Stop(); <-served })
	ctx, cancel := context.WithCancel(context.Background())
	t.Cleanup(cancel)
	stream, err := conn.NewStream(ctx, desc, tunnelMethod, grpc.ForceCodecV2(StreamCodec()))
	if err != nil {
		t.Fatal(err)
	}
	return stream, cancel
}

// TestTunnelToDeaf: a peer that takes the stream and never reads keeps no caller past its deadline.
func TestTunnelToDeaf(t *testing.T) {
	stream, end := tunnel(t, func(Carrier) {})
	client := NewClient(NewStreamCarrier(stream, end), ClientConfig{})
	defer client.Close()
	in := &pb.SimpleRequest{Payload: &pb.Payload{Body: pattern(maxWhole - 100)}}
	returned := make(chan error, floorCalls)
	go func() {
		for range floorCalls {
			ctx, cancel := withinMicros(20_000)
			_, err := pb.NewTestServiceClient(client).UnaryCall(ctx, in)
			cancel()
			returned <- err
		}
	}()
	for range floorCalls {
		if err := receive(t, returned); status.Code(err) != codes.DeadlineExceeded {
			t.Errorf("a call returned %v", err)
		}
	}
}

// TestTunnelCounts: what gRPC has written is not counted as waiting.
func TestTunnelCounts(t *testing.T) {
	read := make(chan int, 1)
	stream, end := tunnel(t, func(c Carrier) {
		_, _ = c.Write([]byte{1}) // until the first answer gRPC keeps all that it has written
		n, _ := io.ReadFull(c, make([]byte, 3*mostUnsent))
		read <- n
	})
	c := NewStreamCarrier(stream, end)
	if n, err := c.TryWrite(make([]byte, 1), nil); n != 0 || err != nil {
		t.Fatalf("wrote %d bytes, %v, before it was known that they are counted", n, err)
	}
	if _, err := c.Write(make([]byte, mostUnsent)); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Read(make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	for sent := mostUnsent; sent < 3*mostUnsent; {
		n, err := c.TryWrite(make([]byte, mostUnsent/4), make([]byte, mostUnsent/4))
		if sent += n; err != nil {
			t.Fatal(err)
		}
		runtime.Gosched()
	}
	if n := receive(t, read); n != 3*mostUnsent {
		t.Errorf("%d bytes arrived, want %d", n, 3*mostUnsent)
	}
	end()
}
