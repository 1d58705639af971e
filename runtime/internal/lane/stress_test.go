package lane

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	pb "google.golang.org/grpc/interop/grpc_testing"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
)

// cutConn closes after a number of bytes, in the midst of whatever that is.
type cutConn struct {
	net.Conn
	left *atomic.Int64
}

func (c cutConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p[:min(len(p), 1+int(max(c.left.Load(), 0)))])
	return n, c.count(n, err)
}

func (c cutConn) Write(p []byte) (int, error) {
	n, err := c.Conn.Write(p[:min(len(p), int(max(c.left.Load(), 0)))])
	if err = c.count(n, err); err == nil && n < len(p) {
		err = io.ErrShortWrite
	}
	return n, err
}

func (c cutConn) count(n int, err error) error {
	if c.left.Add(-int64(n)) <= 0 {
		c.Close()
	}
	return err
}

// countingServer counts how often each call has begun: a unary one has its name in its body, a stream in its metadata.
type countingServer struct {
	*testServer
	mu    sync.Mutex
	times map[string]int
}

func newCountingServer() *countingServer {
	return &countingServer{testServer: newTestServer(), times: map[string]int{}}
}

func (s *countingServer) count(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.times[name]++
}

func (s *countingServer) UnaryCall(ctx context.Context, in *pb.SimpleRequest) (*pb.SimpleResponse, error) {
	name, _, _ := bytes.Cut(in.GetPayload().GetBody(), []byte("|"))
	s.count(string(name))
	return s.testServer.UnaryCall(ctx, in)
}

func (s *countingServer) FullDuplexCall(ss grpc.BidiStreamingServer[pb.StreamingOutputCallRequest, pb.StreamingOutputCallResponse]) error {
	s.count(metadata.ValueFromIncomingContext(ss.Context(), "name")[0])
	return s.testServer.FullDuplexCall(ss)
}

// checkOnce fails the test when a call has begun twice: nobody may repeat a call that is lost.
func (s *countingServer) checkOnce(t *testing.T) {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	for name, times := range s.times {
		if times != 1 {
			t.Errorf("call %q has begun %d times", name, times)
		}
	}
}

// cutPair connects a client and a server whose connection is cut by one of them, at a random point.
func cutPair(t testing.TB, s *countingServer, rng *rand.Rand) (*Client, *Server, <-chan error) {
	clientEnd, serverEnd := socketPair(t)
	left := &atomic.Int64{}
	left.Store(rng.Int64N(1 << (4 + rng.IntN(16))))
	clientCarrier, serverCarrier := NewCarrier(clientEnd), NewCarrier(serverEnd)
	if rng.IntN(2) == 0 {
		clientCarrier = NewCarrier(cutConn{clientEnd, left})
	} else {
		serverCarrier = NewCarrier(cutConn{serverEnd, left})
	}
	server := NewServer(ServerConfig{Logger: quiet()})
	pb.RegisterTestServiceServer(server, s)
	served := make(chan error, 1)
	go func() { served <- server.Serve(serverCarrier) }()
	return NewClient(clientCarrier, ClientConfig{}), server, served
}

// Either side's connection ends at a random point, a byte counted: every call ends, what it brings is right, and none begins twice.
func TestCutAtRandomPoints(t *testing.T) {
	rounds := 1500
	if testing.Short() {
		rounds = 100
	}
	for i := range rounds {
		rng := rand.New(rand.NewPCG(uint64(i), 7))
		s := newCountingServer()
		client, server, served := cutPair(t, s, rng)
		var wg sync.WaitGroup
		for g := range 1 + rng.IntN(6) {
			seed := rng.Uint64()
			wg.Go(func() { callUntilLost(t, client, seed, g) })
		}
		if rng.IntN(8) == 0 { // on purpose, besides
			wg.Go(func() { client.Close() })
		}
		ended := make(chan struct{})
		go func() { wg.Wait(); close(ended) }()
		receive(t, ended)
		client.Close()
		receive(t, served)
		server.Stop()
		s.checkOnce(t)
	}
}

// The same for the connection beneath a tunnel.
func TestTunnelCutAtRandomPoints(t *testing.T) {
	rounds := 100
	if testing.Short() {
		rounds = 10
	}
	for i := range rounds {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			rng := rand.New(rand.NewPCG(uint64(i), 8))
			server, s := NewServer(ServerConfig{Logger: quiet()}), newCountingServer()
			pb.RegisterTestServiceServer(server, s)
			served, left := make(chan error, 1), &atomic.Int64{}
			left.Store(1<<10 + rng.Int64N(1<<(4+rng.IntN(16)))) // enough to open it
			stream, end := tunnelOn(t, func(c net.Conn) net.Conn { return cutConn{c, left} }, func(c Carrier) { served <- server.Serve(c) })
			client := NewClient(NewStreamCarrier(stream, end), ClientConfig{})
			var wg sync.WaitGroup
			for g := range 1 + rng.IntN(4) {
				seed := rng.Uint64()
				wg.Go(func() { callUntilLost(t, client, seed, g) })
			}
			ended := make(chan struct{})
			go func() { wg.Wait(); close(ended) }()
			receive(t, ended)
			client.Close()
			receive(t, served)
			server.Stop()
			s.checkOnce(t)
		})
	}
}

// callUntilLost makes calls until one fails for want of a connection.
func callUntilLost(t *testing.T, client *Client, seed uint64, g int) {
	rng := rand.New(rand.NewPCG(seed, 1))
	c := pb.NewTestServiceClient(client)
	for i := 0; ; i++ {
		var err error
		switch rng.IntN(4) {
		case 0:
			err = streamOnce(t, c, fmt.Sprint(g, " ", i), rng)
		default:
			body := fmt.Appendf(nil, "%d %d|%s", g, i, pattern(rng.IntN(1<<(1+rng.IntN(17)))))
			var got *pb.SimpleResponse
			got, err = c.UnaryCall(context.Background(), &pb.SimpleRequest{Payload: &pb.Payload{Body: body}})
			if err == nil && !bytes.Equal(got.Payload.GetBody(), body) {
				t.Errorf("a wrong reply: %.40q to %.40q", got.Payload.GetBody(), body)
			}
		}
		if err != nil {
			if c := status.Code(err); c != codes.Unavailable && c != codes.Canceled {
				t.Errorf("error %v", err)
			}
			return
		}
	}
}

func streamOnce(t *testing.T, c pb.TestServiceClient, name string, rng *rand.Rand) error {
	s, err := c.FullDuplexCall(metadata.AppendToOutgoingContext(context.Background(), "name", name))
	if err != nil {
		return err
	}
	for range rng.IntN(5) {
		n := rng.IntN(1 << (1 + rng.IntN(17)))
		in := &pb.StreamingOutputCallRequest{ResponseParameters: []*pb.ResponseParameters{{Size: int32(n)}}}
		if err := s.Send(in); err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		m, err := s.Recv()
		if err != nil {
			return err
		}
		if !bytes.Equal(m.Payload.GetBody(), pattern(n)) {
			t.Error("a wrong message")
		}
	}
	s.CloseSend()
	if _, err := s.Recv(); !errors.Is(err, io.EOF) {
		return err
	}
	return nil
}

// Every call that returns too late, or never, is a wake-up that was lost: between callers that share a write, the
// reader and those it answers, the watch and the handlers it rescues the reader from.
func TestNoLostWakeUp(t *testing.T) {
	for _, procs := range []int{1, 2, 8} {
		t.Run(fmt.Sprint(procs), func(t *testing.T) {
			defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(procs))
			for _, tr := range transports()[1:] {
				c := pb.NewTestServiceClient(tr.open(t, setup{service: newTestServer()}))
				var wg sync.WaitGroup
				for g := range 24 {
					wg.Go(func() { mixedCalls(t, c, uint64(g)) })
				}
				ended := make(chan struct{})
				go func() { wg.Wait(); close(ended) }()
				receive(t, ended)
			}
		})
	}
}

func mixedCalls(t *testing.T, c pb.TestServiceClient, seed uint64) {
	rng := rand.New(rand.NewPCG(seed, 3))
	for range 60 {
		var err error
		switch rng.IntN(6) {
		case 0:
			err = streamOnce(t, c, "", rng)
		case 1: // given up at some point, or not
			ctx, cancel := context.WithCancel(context.Background())
			go cancel()
			if _, err = c.UnaryCall(ctx, input(rng.IntN(100))); status.Code(err) == codes.Canceled {
				err = nil
			}
			cancel()
		case 2:
			_, err = c.UnaryCall(context.Background(), input(rng.IntN(100<<10)))
		default:
			_, err = c.UnaryCall(within(t), input(rng.IntN(1000)))
		}
		if err != nil {
			t.Error(err)
			return
		}
	}
}

// backAndForth calls the other side as long as the depth that it is given says.
type backAndForth struct {
	pb.UnimplementedTestServiceServer
	other pb.TestServiceClient
}

func (s *backAndForth) UnaryCall(ctx context.Context, in *pb.SimpleRequest) (*pb.SimpleResponse, error) {
	if in.ResponseSize == 0 {
		return &pb.SimpleResponse{}, nil
	}
	return s.other.UnaryCall(ctx, &pb.SimpleRequest{ResponseSize: in.ResponseSize - 1, Payload: in.Payload})
}

// A handler calls back over a second connection, whose handler calls again, many levels deep and from many callers:
// each holds the reader that the next one needs.
func TestHandlersThatCallBack(t *testing.T) {
	for _, tr := range transports()[1:] {
		t.Run(tr.name, func(t *testing.T) {
			plugin, host := &backAndForth{}, &backAndForth{}
			down := pb.NewTestServiceClient(tr.open(t, setup{service: plugin}))
			up := pb.NewTestServiceClient(tr.open(t, setup{service: host}))
			plugin.other, host.other = up, down
			for _, size := range []int{10, 50 << 10} {
				for _, depth := range []int32{0, 1, 2, 3, 7, 50} {
					if _, err := down.UnaryCall(within(t), &pb.SimpleRequest{ResponseSize: depth, Payload: &pb.Payload{Body: pattern(size)}}); err != nil {
						t.Fatalf("depth %d: %v", depth, err)
					}
				}
			}
			var wg sync.WaitGroup
			for range 8 {
				wg.Go(func() {
					for depth := range int32(6) {
						if _, err := down.UnaryCall(within(t), &pb.SimpleRequest{ResponseSize: depth}); err != nil {
							t.Errorf("depth %d: %v", depth, err)
						}
					}
				})
			}
			wg.Wait()
		})
	}
}
