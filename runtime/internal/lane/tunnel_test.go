package lane

import (
	"context"
	"errors"
	"net"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
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
