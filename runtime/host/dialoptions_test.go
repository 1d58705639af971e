//go:build unix

package host_test

import (
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/plugingen/plugingen/runtime/host"
)

// methods are those that interceptors have seen.
type methods struct {
	mu  sync.Mutex
	all []string
}

func (m *methods) saw(method string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.all = append(m.all, method)
}

func (m *methods) unary(ctx context.Context, method string, in, out any, cc *grpc.ClientConn, invoke grpc.UnaryInvoker, opts ...grpc.CallOption) error {
	m.saw(method)
	return invoke(ctx, method, in, out, cc, opts...)
}

func (m *methods) stream(ctx context.Context, desc *grpc.StreamDesc, cc *grpc.ClientConn, method string, open grpc.Streamer, opts ...grpc.CallOption) (grpc.ClientStream, error) {
	m.saw(method)
	return open(ctx, desc, cc, method, opts...)
}

// Interceptors that the host's author gives see every call and stream: the contract's, and those of the runtime.
func TestDialOptionsInterceptors(t *testing.T) {
	s := newStage(t)
	cfg := s.config("printing")
	var seen methods
	cfg.DialOptions = []grpc.DialOption{grpc.WithChainUnaryInterceptor(seen.unary), grpc.WithChainStreamInterceptor(seen.stream)}
	p := s.open(cfg)
	mustDo(t, p, "hello")
	watch, err := p.Conn().NewStream(t.Context(), &grpc.StreamDesc{StreamName: "Watch", ServerStreams: true}, "/test.Deeds/Watch")
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(watch.SendMsg(wrapperspb.String("hello")), watch.CloseSend(), watch.RecvMsg(&wrapperspb.StringValue{})); err != nil {
		t.Error(err)
	}
	if err := watch.RecvMsg(&wrapperspb.StringValue{}); !errors.Is(err, io.EOF) {
		t.Errorf("the stream ends with %v, want EOF", err)
	}
	s.log.await(t, "hello from the plugin") // the stdio stream is open
	if err := p.Close(); err != nil {
		t.Errorf("close: %v", err)
	}
	for _, want := range []string{
		"/grpc.health.v1.Health/Check", "/test.Deeds/Do", "/test.Deeds/Watch", "/plugin.GRPCStdio/StreamStdio", "/plugin.GRPCController/Shutdown",
	} {
		if !slices.Contains(seen.all, want) {
			t.Errorf("interceptors saw %v: want %s among them", seen.all, want)
		}
	}
}

// What a host's author says last counts, here a smaller limit.
func TestDialOptionsWin(t *testing.T) {
	s := newStage(t)
	cfg := s.config("plain")
	cfg.DialOptions = []grpc.DialOption{grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(1 << 10))}
	p := s.open(cfg)
	if _, err := do(t.Context(), p.Conn(), "big"); status.Code(err) != codes.ResourceExhausted {
		t.Errorf("call: %v, want ResourceExhausted", err)
	}
	mustDo(t, p, "hello")
	if err := p.Close(); err != nil {
		t.Errorf("close: %v", err)
	}
}

func TestBadDialOptions(t *testing.T) {
	s := newStage(t)
	cfg := s.config("plain")
	cfg.DialOptions = []grpc.DialOption{grpc.WithDefaultServiceConfig("nonsense")}
	if e := s.openFails(t.Context(), cfg); e.Stage != host.StageConfig || !strings.Contains(e.Error(), "dial options") {
		t.Errorf("%v, want that the dial options are wrong", e)
	}
}
