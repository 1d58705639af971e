package lane

import (
	"context"
	"fmt"
	"math/rand/v2"
	"runtime"
	"sync"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	pb "google.golang.org/grpc/interop/grpc_testing"
	"google.golang.org/grpc/status"
)

// A stream that is alone, and is not: its receivers read themselves, give that up for others, and get it back. Answers
// that are missing, or late by more than a hang, are wake-ups or flushes that were lost.
func TestStreamsThatAreAloneAtTimes(t *testing.T) {
	for _, procs := range []int{1, 2, 8} {
		t.Run(fmt.Sprint(procs), func(t *testing.T) {
			defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(procs))
			for _, tr := range transports()[1:] {
				c := pb.NewTestServiceClient(tr.open(t, setup{service: newTestServer()}))
				ended := make(chan struct{})
				go func() {
					defer close(ended)
					for seed := range uint64(6) {
						aloneAtTimes(t, c, rand.New(rand.NewPCG(seed, 9)))
					}
				}()
				receive(t, ended)
			}
		})
	}
}

func aloneAtTimes(t *testing.T, c pb.TestServiceClient, rng *rand.Rand) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	s, err := c.FullDuplexCall(ctx)
	if err != nil {
		t.Error(err)
		return
	}
	for range 40 {
		switch rng.IntN(8) {
		case 0:
			_, err = c.UnaryCall(ctx, input(rng.IntN(100)))
		case 1:
			err = streamOnce(t, c, "", rng)
		case 2: // a receiver that is away, while somebody else calls
			var wg sync.WaitGroup
			wg.Go(func() { _, err = c.UnaryCall(within(t), input(10)) })
			wg.Wait()
		default:
			err = burst(s, rng)
		}
		if err != nil {
			t.Error(err)
			return
		}
	}
}

// burst sends messages of which only some are answered, and receives the answers: at the same time or afterwards.
func burst(s pb.TestService_FullDuplexCallClient, rng *rand.Rand) error {
	count := 1 << rng.IntN(9)
	var requests []*pb.StreamingOutputCallRequest
	answers := 0
	for range count {
		in := &pb.StreamingOutputCallRequest{Payload: &pb.Payload{Body: pattern(rng.IntN(200))}}
		for range rng.IntN(3) {
			in.ResponseParameters = append(in.ResponseParameters, &pb.ResponseParameters{Size: int32(rng.IntN(200))})
			answers++
		}
		requests = append(requests, in)
	}
	send := func() error {
		for _, in := range requests {
			if err := s.Send(in); err != nil {
				return err
			}
		}
		return nil
	}
	sent := make(chan error, 1)
	if rng.IntN(2) == 0 {
		sent <- send()
	} else {
		go func() { sent <- send() }()
	}
	for range answers {
		if _, err := s.Recv(); err != nil {
			return err
		}
	}
	return <-sent
}

// Who reads itself notices that its call ends otherwise, and leaves the connection as it was.
func TestCancelOfAReceiverThatReads(t *testing.T) {
	c := pb.NewTestServiceClient(openLane(t, setup{service: newTestServer()}, NewCarrier))
	for i := range 200 {
		ctx, cancel := context.WithCancel(context.Background())
		s := must(c.FullDuplexCall(ctx))(t)
		one := &pb.StreamingOutputCallRequest{ResponseParameters: []*pb.ResponseParameters{{Size: 1}}}
		for range i % 3 {
			if err := s.Send(one); err != nil {
				t.Fatal(err)
			}
			must(s.Recv())(t)
		}
		ended := make(chan error, 1)
		go func() { _, err := s.Recv(); ended <- err }()
		if i%2 == 0 {
			runtime.Gosched()
		}
		cancel()
		if err := receive(t, ended); status.Code(err) != codes.Canceled {
			t.Fatalf("received %v", err)
		}
		must(c.UnaryCall(within(t), input(1)))(t)
	}
}

// leaver returns from its handler while another goroutine of it receives.
type leaver struct {
	pb.UnimplementedTestServiceServer
	received chan error
}

func (l *leaver) FullDuplexCall(s grpc.BidiStreamingServer[pb.StreamingOutputCallRequest, pb.StreamingOutputCallResponse]) error {
	for range 3 {
		if _, err := s.Recv(); err != nil {
			return err
		}
		if err := s.Send(&pb.StreamingOutputCallResponse{}); err != nil {
			return err
		}
	}
	go func() { _, err := s.Recv(); l.received <- err }()
	runtime.Gosched()
	return nil
}

func (*leaver) UnaryCall(context.Context, *pb.SimpleRequest) (*pb.SimpleResponse, error) {
	return &pb.SimpleResponse{}, nil
}

func TestHandlerThatReturnsWhileItReceives(t *testing.T) {
	l := &leaver{received: make(chan error, 1)}
	c := pb.NewTestServiceClient(openLane(t, setup{service: l}, NewCarrier))
	for range 200 {
		s := must(c.FullDuplexCall(context.Background()))(t)
		for range 3 {
			if err := s.Send(&pb.StreamingOutputCallRequest{}); err != nil {
				t.Fatal(err)
			}
			must(s.Recv())(t)
		}
		receive(t, s.Context().Done()) // though nobody receives
		if err := receive(t, l.received); err == nil {
			t.Fatal("the handler has received something")
		}
		must(c.UnaryCall(within(t), input(1)))(t)
	}
}

// A quiet stream does not count beside other calls, and loses nothing by that.
func TestQuietStreamBesideCalls(t *testing.T) {
	client := openLane(t, setup{service: newTestServer()}, NewCarrier)
	c := pb.NewTestServiceClient(client)
	s := must(c.FullDuplexCall(context.Background(), Quiet()))(t)
	one := &pb.StreamingOutputCallRequest{ResponseParameters: []*pb.ResponseParameters{{Size: 1}}}
	for i := range 100 {
		must(c.UnaryCall(within(t), input(1)))(t)
		if n := client.table.many.Load(); n != 0 {
			t.Fatalf("%d calls count", n)
		}
		if i%5 == 0 {
			if err := s.Send(one); err != nil {
				t.Fatal(err)
			}
			must(s.Recv())(t)
		}
	}
}
