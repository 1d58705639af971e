package lane

import (
	"bytes"
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	pb "google.golang.org/grpc/interop/grpc_testing"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
)

func TestLimits(t *testing.T) {
	onAll(t, func(t *testing.T, open opener) {
		c := pb.NewTestServiceClient(open(t, setup{service: newTestServer(), maxMessage: 1 << 20}))
		big := input(1<<20 + 1)
		check := func(what string, err error) {
			t.Helper()
			if status.Code(err) != codes.ResourceExhausted {
				t.Errorf("%s: %v", what, err)
			}
		}
		_, err := c.UnaryCall(within(t), big)
		check("request over the server's limit", err)
		_, err = c.UnaryCall(within(t), &pb.SimpleRequest{ResponseSize: 1<<20 + 1})
		check("response over the client's limit", err)
		for _, n := range []int{1000, 100 << 10} {
			_, err = c.UnaryCall(within(t), input(n), grpc.MaxCallSendMsgSize(n))
			check("request over the call's limit", err)
			_, err = c.UnaryCall(within(t), &pb.SimpleRequest{ResponseSize: int32(n)}, grpc.MaxCallRecvMsgSize(n))
			check("response over the call's limit", err)
			in := &pb.StreamingOutputCallRequest{ResponseParameters: []*pb.ResponseParameters{{Size: 5}, {Size: int32(n)}}}
			s := must(c.StreamingOutputCall(within(t), in, grpc.MaxCallRecvMsgSize(n)))(t)
			if _, err := s.Recv(); err != nil {
				t.Errorf("message below the limit: %v", err)
			}
			_, err = s.Recv()
			check("message over the limit", err)
			up := must(c.StreamingInputCall(within(t), grpc.MaxCallSendMsgSize(n)))(t)
			check("stream request over the limit", up.Send(&pb.StreamingInputCallRequest{Payload: &pb.Payload{Body: pattern(n)}}))
		}
		if _, err := c.UnaryCall(within(t), input(1<<19)); err != nil {
			t.Errorf("afterwards: %v", err)
		}
	})
}

func TestBadMetadata(t *testing.T) {
	onAll(t, func(t *testing.T, open opener) {
		c := pb.NewTestServiceClient(open(t, setup{service: newTestServer()}))
		for key, value := range map[string]string{"sp ace": "v", "ok": "non\x01printable", "\u00e9": "v"} {
			ctx := metadata.NewOutgoingContext(within(t), metadata.MD{key: {value}})
			if _, err := c.UnaryCall(ctx, input(1)); status.Code(err) != codes.Internal {
				t.Errorf("%q: %v", key, err)
			}
			if _, err := c.FullDuplexCall(ctx); status.Code(err) != codes.Internal {
				t.Errorf("stream, %q: %v", key, err)
			}
		}
		if _, err := c.UnaryCall(within(t), input(1)); err != nil {
			t.Errorf("afterwards: %v", err)
		}
	})
}

func TestInterceptors(t *testing.T) {
	onAll(t, func(t *testing.T, open opener) {
		var mu sync.Mutex
		var seen []string
		note := func(s string) {
			mu.Lock()
			defer mu.Unlock()
			seen = append(seen, s)
		}
		s := setup{service: newTestServer()}
		for _, n := range []string{"1", "2"} {
			s.unaryClient = append(s.unaryClient, func(ctx context.Context, method string, req, reply any, cc *grpc.ClientConn, next grpc.UnaryInvoker, opts ...grpc.CallOption) error {
				note("client " + n + method[strings.LastIndex(method, "/"):])
				return next(metadata.AppendToOutgoingContext(ctx, "head", n), method, req, reply, cc, opts...)
			})
			s.streamClient = append(s.streamClient, func(ctx context.Context, desc *grpc.StreamDesc, cc *grpc.ClientConn, method string, next grpc.Streamer, opts ...grpc.CallOption) (grpc.ClientStream, error) {
				note("client stream " + n)
				return next(ctx, desc, cc, method, opts...)
			})
			s.unaryServer = append(s.unaryServer, func(ctx context.Context, req any, info *grpc.UnaryServerInfo, next grpc.UnaryHandler) (any, error) {
				note("server " + n + info.FullMethod[strings.LastIndex(info.FullMethod, "/"):])
				return next(ctx, req)
			})
			s.streamServer = append(s.streamServer, func(srv any, ss grpc.ServerStream, info *grpc.StreamServerInfo, next grpc.StreamHandler) error {
				note("server stream " + n)
				return next(srv, ss)
			})
		}
		c := pb.NewTestServiceClient(open(t, s))
		var header metadata.MD
		if _, err := c.UnaryCall(within(t), input(1), grpc.Header(&header)); err != nil {
			t.Fatal(err)
		}
		st := must(c.FullDuplexCall(within(t)))(t)
		st.CloseSend()
		if _, err := st.Recv(); !errors.Is(err, io.EOF) {
			t.Fatal(err)
		}
		want := []string{"client 1/UnaryCall", "client 2/UnaryCall", "server 1/UnaryCall", "server 2/UnaryCall", "client stream 1", "client stream 2", "server stream 1", "server stream 2"}
		if diff := cmp.Diff(want, seen); diff != "" {
			t.Error(diff)
		}
		if got := header["echo-head"]; !slices.Equal(got, []string{"1", "2"}) {
			t.Errorf("metadata of the interceptors: %v", got)
		}
	})
}

func TestOnFinish(t *testing.T) {
	onAll(t, func(t *testing.T, open opener) {
		c := pb.NewTestServiceClient(open(t, setup{service: newTestServer()}))
		ends := make(chan error, 10)
		option := grpc.OnFinish(func(err error) { ends <- err })
		for _, n := range []int{1, 100 << 10} {
			c.UnaryCall(within(t), input(n), option)
			if err := receive(t, ends); err != nil {
				t.Error(err)
			}
			in := input(n)
			in.ResponseStatus = &pb.EchoStatus{Code: 5}
			c.UnaryCall(within(t), in, option)
			if err := receive(t, ends); status.Code(err) != codes.NotFound {
				t.Error(err)
			}
		}
		ctx, cancel := context.WithCancel(within(t))
		must(c.FullDuplexCall(ctx, option))(t)
		cancel()
		if err := receive(t, ends); status.Code(err) != codes.Canceled {
			t.Error(err)
		}
		if len(ends) > 0 {
			t.Error("called twice")
		}
	})
}

func TestManyCallers(t *testing.T) {
	onAll(t, func(t *testing.T, open opener) {
		c := pb.NewTestServiceClient(open(t, setup{service: newTestServer()}))
		var wg sync.WaitGroup
		for g := range 32 {
			wg.Go(func() {
				for i := range 30 {
					n := (g*1000 + i) % 3000
					if i%20 == 19 {
						n += 300 << 10
					}
					got, err := c.UnaryCall(within(t), input(n))
					if err != nil || !bytes.Equal(got.Payload.GetBody(), pattern(n)) {
						t.Errorf("caller %d, call %d: %v", g, i, err)
						return
					}
				}
			})
		}
		wg.Wait()
	})
}
