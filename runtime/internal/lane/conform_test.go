package lane

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"slices"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	pb "google.golang.org/grpc/interop/grpc_testing"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/status"
)

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

type opener = func(testing.TB, setup) grpc.ClientConnInterface

func TestUnarySizes(t *testing.T) {
	onAll(t, func(t *testing.T, open opener) {
		c := pb.NewTestServiceClient(open(t, setup{service: newTestServer()}))
		for _, n := range []int{0, 1, 511, 512, 513, maxWhole - 20, maxWhole, maxWhole + 1, 1<<16 - 1, 1 << 16, 1<<16 + 1, maxSingle - 9, maxSingle, maxSingle + 1, defaultWindow, maxFrame, maxFrame + 1, 1 << 20, 5<<20 + 7} {
			got, err := c.UnaryCall(within(t), input(n))
			if err != nil || !bytes.Equal(got.Payload.GetBody(), pattern(n)) {
				t.Fatalf("%d bytes both ways: got %d, %v", n, len(got.GetPayload().GetBody()), err)
			}
			got, err = c.UnaryCall(within(t), &pb.SimpleRequest{ResponseSize: int32(n)})
			if err != nil || !bytes.Equal(got.Payload.GetBody(), pattern(n)) {
				t.Fatalf("%d bytes back: got %d, %v", n, len(got.GetPayload().GetBody()), err)
			}
		}
	})
}

func TestStatusAndMetadata(t *testing.T) {
	onAll(t, func(t *testing.T, open opener) {
		c := pb.NewTestServiceClient(open(t, setup{service: newTestServer()}))
		for _, size := range []int{0, 100 << 10, 200 << 10} {
			for _, fails := range []int32{0, int32(codes.FailedPrecondition), 77} {
				ctx := metadata.AppendToOutgoingContext(within(t), "head", "h1", "head", "h2", "tail", "t", "bytes-bin", "\x00\xff")
				var header, trailer metadata.MD
				var p peer.Peer
				in := input(size)
				in.ResponseStatus = &pb.EchoStatus{Code: fails, Message: "no \u00e9\n"}
				_, err := c.UnaryCall(ctx, in, grpc.Header(&header), grpc.Trailer(&trailer), grpc.Peer(&p))
				st := status.Convert(err)
				if st.Code() != codes.Code(fails) || fails != 0 && (st.Message() != "no \u00e9\n" || len(st.Details()) != 1) {
					t.Errorf("status %v", st)
				}
				if !slices.Equal(header["echo-head"], []string{"h1", "h2"}) || !slices.Equal(trailer["echo-tail"], []string{"t"}) {
					t.Errorf("header %v, trailer %v", header, trailer)
				}
				if p.Addr == nil || p.Addr.Network() != "unix" {
					t.Errorf("peer %v", p)
				}
			}
		}
	})
}

func TestHandlerFailures(t *testing.T) {
	for _, tr := range transports()[1:] { // grpc-go lets a panic end the program
		t.Run(tr.name, func(t *testing.T) {
			c := pb.NewTestServiceClient(tr.open(t, setup{service: newTestServer()}))
			for range 3 {
				for _, size := range []int{0, 100 << 10, 200 << 10} {
					for _, do := range []string{"panic", "goexit"} {
						if _, err := c.UnaryCall(asking(within(t), do), input(size)); status.Code(err) != codes.Internal {
							t.Errorf("%s: %v", do, err)
						}
						s := must(c.FullDuplexCall(asking(within(t), do)))(t)
						if _, err := s.Recv(); status.Code(err) != codes.Internal {
							t.Errorf("stream, %s: %v", do, err)
						}
					}
				}
				if _, err := c.UnaryCall(within(t), input(10)); err != nil {
					t.Errorf("afterwards: %v", err)
				}
			}
		})
	}
}

func TestErrorsBecomeStatuses(t *testing.T) {
	onAll(t, func(t *testing.T, open opener) {
		conn := open(t, setup{service: newTestServer()})
		c := pb.NewTestServiceClient(conn)
		_, err := c.UnaryCall(asking(within(t), "plain error"), input(0))
		if st := status.Convert(err); st.Code() != codes.Unknown || st.Message() != "a plain error" {
			t.Errorf("plain error: %v", err)
		}
		if _, err := c.UnimplementedCall(within(t), &pb.Empty{}); status.Code(err) != codes.Unimplemented {
			t.Errorf("unimplemented: %v", err)
		}
		for method, want := range map[string]string{
			"/no.Such/Method":                   "unknown service no.Such",
			"/grpc.testing.TestService/NoSuch":  "unknown method NoSuch for service grpc.testing.TestService",
			"/grpc.testing.TestService/NoSuch2": "unknown method NoSuch2 for service grpc.testing.TestService",
		} {
			for range 2 {
				err := conn.Invoke(within(t), method, &pb.Empty{}, &pb.Empty{})
				if st := status.Convert(err); st.Code() != codes.Unimplemented || st.Message() != want {
					t.Errorf("%s: %v", method, err)
				}
			}
			s := must(conn.NewStream(within(t), &grpc.StreamDesc{ServerStreams: true, ClientStreams: true}, method))(t)
			if err := s.RecvMsg(&pb.Empty{}); status.Code(err) != codes.Unimplemented {
				t.Errorf("stream %s: %v", method, err)
			}
		}
	})
}

func TestCancelAndDeadline(t *testing.T) {
	onAll(t, func(t *testing.T, open opener) {
		s := newTestServer()
		c := pb.NewTestServiceClient(open(t, setup{service: s}))
		for _, size := range []int{0, 100 << 10, 200 << 10} {
			ctx, cancel := context.WithCancel(asking(within(t), "block"))
			errs := make(chan error, 1)
			go func() {
				_, err := c.UnaryCall(ctx, input(size))
				errs <- err
			}()
			receive(t, s.entered)
			cancel()
			if err := receive(t, errs); status.Code(err) != codes.Canceled {
				t.Errorf("cancelled call: %v", err)
			}
			if err := receive(t, s.ended); !errors.Is(err, context.Canceled) {
				t.Errorf("its handler: %v", err)
			}
		}
		passDeadlines(t, open)
		if _, err := c.UnaryCall(within(t), input(5)); err != nil {
			t.Errorf("afterwards: %v", err)
		}
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		if _, err := c.UnaryCall(ctx, input(5)); status.Code(err) != codes.Canceled {
			t.Errorf("cancelled before: %v", err)
		}
		if _, err := c.FullDuplexCall(ctx); status.Code(err) != codes.Canceled {
			t.Errorf("stream cancelled before: %v", err)
		}
	})
}

// passDeadlines has a server of its own for each size: handlers that begin late tell of calls that are long over.
func passDeadlines(t *testing.T, open opener) {
	t.Helper()
	for _, size := range []int{0, 100 << 10, 200 << 10} {
		s := newTestServer()
		c := pb.NewTestServiceClient(open(t, setup{service: s}))
		passDeadline(t, c, s, size)
		if _, err := c.UnaryCall(within(t), input(5)); err != nil {
			t.Errorf("afterwards: %v", err)
		}
	}
}

// passDeadline makes calls with longer and longer deadlines until one has passed while its handler ran.
func passDeadline(t *testing.T, c pb.TestServiceClient, s *testServer, size int) {
	for timeout := 5 * time.Millisecond; timeout < hang; timeout *= 2 {
		ctx, cancel := context.WithTimeout(asking(context.Background(), "block"), timeout)
		_, err := c.UnaryCall(ctx, input(size))
		cancel()
		if status.Code(err) != codes.DeadlineExceeded {
			t.Errorf("deadline: %v", err)
		}
		select {
		case <-s.entered:
			if err := receive(t, s.ended); err == nil {
				t.Error("the handler's context did not end")
			}
			return
		default: // it had no time to begin, or is about to
		}
	}
	t.Error("no call reached its handler")
}

func TestDeadlineReachesTheHandler(t *testing.T) {
	onAll(t, func(t *testing.T, open opener) {
		var have bool
		look := func(ctx context.Context, req any, _ *grpc.UnaryServerInfo, next grpc.UnaryHandler) (any, error) {
			_, have = ctx.Deadline()
			return next(ctx, req)
		}
		c := pb.NewTestServiceClient(open(t, setup{service: newTestServer(), unaryServer: []grpc.UnaryServerInterceptor{look}}))
		for _, want := range []bool{true, false} {
			ctx := context.Background()
			if want {
				ctx = within(t)
			}
			if _, err := c.UnaryCall(ctx, input(1)); err != nil || have != want {
				t.Errorf("deadline %v, want %v (%v)", have, want, err)
			}
		}
	})
}

func TestStreams(t *testing.T) {
	onAll(t, func(t *testing.T, open opener) {
		c := pb.NewTestServiceClient(open(t, setup{service: newTestServer()}))
		sizes := []int32{0, 1, 300, maxWhole, maxWhole + 1, 70 << 10, maxSingle - 8, 200 << 10, 400 << 10, 3, 2 << 20, 0}
		in := &pb.StreamingOutputCallRequest{ResponseStatus: &pb.EchoStatus{}}
		for range 8 {
			for _, n := range sizes {
				in.ResponseParameters = append(in.ResponseParameters, &pb.ResponseParameters{Size: n})
			}
		}
		out := must(c.StreamingOutputCall(within(t), in))(t)
		for i := range in.ResponseParameters {
			m, err := out.Recv()
			if err != nil || !bytes.Equal(m.Payload.GetBody(), pattern(int(sizes[i%len(sizes)]))) {
				t.Fatalf("message %d: %d bytes, %v", i, len(m.GetPayload().GetBody()), err)
			}
		}
		if _, err := out.Recv(); !errors.Is(err, io.EOF) {
			t.Fatalf("after the last: %v", err)
		}
		up := must(c.StreamingInputCall(within(t)))(t)
		sum := 0
		for i := range 80 {
			n := int(sizes[i%len(sizes)])
			sum += n
			if err := up.Send(&pb.StreamingInputCallRequest{Payload: &pb.Payload{Body: pattern(n)}}); err != nil {
				t.Fatalf("send %d: %v", i, err)
			}
		}
		if m, err := up.CloseAndRecv(); err != nil || int(m.AggregatedPayloadSize) != sum {
			t.Fatalf("sum %d of %d, %v", m.GetAggregatedPayloadSize(), sum, err)
		}
	})
}

func TestDuplex(t *testing.T) {
	onAll(t, func(t *testing.T, open opener) {
		c := pb.NewTestServiceClient(open(t, setup{service: newTestServer()}))
		ctx := metadata.AppendToOutgoingContext(within(t), "head", "h", "tail", "t")
		s := must(c.FullDuplexCall(ctx))(t)
		for i := range 300 {
			n := i * i % 1000
			if i%50 == 49 {
				n = 400 << 10
			}
			in := &pb.StreamingOutputCallRequest{Payload: &pb.Payload{Body: pattern(n)}, ResponseParameters: []*pb.ResponseParameters{{Size: int32(n)}}}
			if err := s.Send(in); err != nil {
				t.Fatal(i, err)
			}
			if m, err := s.Recv(); err != nil || !bytes.Equal(m.Payload.GetBody(), pattern(n)) {
				t.Fatal(i, n, err)
			}
		}
		if h, err := s.Header(); err != nil || !slices.Equal(h["echo-head"], []string{"h"}) {
			t.Errorf("header %v, %v", h, err)
		}
		if err := s.CloseSend(); err != nil {
			t.Error(err)
		}
		if _, err := s.Recv(); !errors.Is(err, io.EOF) {
			t.Errorf("end: %v", err)
		}
		if tr := s.Trailer(); !slices.Equal(tr["echo-tail"], []string{"t"}) {
			t.Errorf("trailer %v", tr)
		}
		if err := s.Send(&pb.StreamingOutputCallRequest{}); status.Code(err) != codes.Internal {
			t.Errorf("send after CloseSend: %v", err)
		}
	})
}

func TestStreamEndsEarly(t *testing.T) {
	onAll(t, func(t *testing.T, open opener) {
		c := pb.NewTestServiceClient(open(t, setup{service: newTestServer()}))
		s := must(c.FullDuplexCall(within(t)))(t)
		in := &pb.StreamingOutputCallRequest{ResponseStatus: &pb.EchoStatus{Code: int32(codes.Aborted), Message: "enough"}, Payload: &pb.Payload{Body: pattern(1000)}}
		var err error
		for err == nil { // the handler ends at the first: sending fails some time later
			err = s.Send(in)
		}
		if !errors.Is(err, io.EOF) {
			t.Errorf("send: %v", err)
		}
		if _, err := s.Recv(); status.Code(err) != codes.Aborted || status.Convert(err).Message() != "enough" {
			t.Errorf("recv: %v", err)
		}
	})
}

func TestStreamCancel(t *testing.T) {
	onAll(t, func(t *testing.T, open opener) {
		s := newTestServer()
		c := pb.NewTestServiceClient(open(t, setup{service: s}))
		ctx, cancel := context.WithCancel(asking(within(t), "block"))
		st := must(c.FullDuplexCall(ctx))(t)
		receive(t, s.entered)
		got := make(chan error, 1)
		go func() {
			_, err := st.Recv()
			got <- err
		}()
		cancel()
		if err := receive(t, got); status.Code(err) != codes.Canceled {
			t.Errorf("recv: %v", err)
		}
		if err := receive(t, s.ended); !errors.Is(err, context.Canceled) {
			t.Errorf("handler: %v", err)
		}
	})
}

// A unary method called as a stream, and streams called as unary, as generic proxies do.
func TestKindsMayDiffer(t *testing.T) {
	onAll(t, func(t *testing.T, open opener) {
		conn := open(t, setup{service: newTestServer()})
		for _, n := range []int{10, 100 << 10} {
			s := must(conn.NewStream(within(t), &grpc.StreamDesc{ServerStreams: true, ClientStreams: true}, pb.TestService_UnaryCall_FullMethodName))(t)
			if err := s.SendMsg(input(n)); err != nil {
				t.Fatal(err)
			}
			if err := s.CloseSend(); err != nil {
				t.Fatal(err)
			}
			var out pb.SimpleResponse
			if err := s.RecvMsg(&out); err != nil || len(out.Payload.Body) != n {
				t.Errorf("unary as a stream: %v", err)
			}
			if err := s.RecvMsg(&out); !errors.Is(err, io.EOF) {
				t.Errorf("its end: %v", err)
			}
			in := &pb.StreamingOutputCallRequest{ResponseParameters: []*pb.ResponseParameters{{Size: int32(n)}}}
			var one pb.StreamingOutputCallResponse
			if err := conn.Invoke(within(t), pb.TestService_StreamingOutputCall_FullMethodName, in, &one); err != nil || len(one.Payload.Body) != n {
				t.Errorf("stream of one as unary: %v", err)
			}
			in.ResponseParameters = append(in.ResponseParameters, &pb.ResponseParameters{Size: 5})
			if err := conn.Invoke(within(t), pb.TestService_StreamingOutputCall_FullMethodName, in, &one); status.Code(err) != codes.Internal {
				t.Errorf("stream of two as unary: %v", err)
			}
			in.ResponseParameters = nil
			if err := conn.Invoke(within(t), pb.TestService_StreamingOutputCall_FullMethodName, in, &one); status.Code(err) != codes.Internal {
				t.Errorf("stream of none as unary: %v", err)
			}
		}
	})
}
