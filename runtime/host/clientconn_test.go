//go:build unix

package host_test

import (
	"context"
	"errors"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/plugingen/plugingen/runtime/host"
)

// TestClientConn: what a *grpc.ClientConn is asked for goes by what carries the plugin's calls.
func TestClientConn(t *testing.T) {
	for name, change := range tiers() {
		t.Run(name, func(t *testing.T) {
			s := newStage(t)
			cfg := s.config("good")
			change(&cfg)
			p := s.open(cfg)
			cc, err := p.ClientConn()
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = cc.Close() }()
			if got, err := do(t.Context(), cc, "hello"); err != nil || got != "hello" {
				t.Errorf("%q, %v", got, err)
			}
			stream, err := cc.NewStream(t.Context(), &grpc.StreamDesc{StreamName: "Watch", ServerStreams: true}, "/test.Deeds/Watch")
			if err != nil {
				t.Fatal(err)
			}
			if err := errors.Join(stream.SendMsg(wrapperspb.String("x")), stream.CloseSend(), stream.RecvMsg(&wrapperspb.StringValue{})); err != nil {
				t.Error(err)
			}
			if err := p.Close(); err != nil {
				t.Error(err)
			}
			if _, err := do(context.Background(), cc, "hello"); !errors.Is(err, host.ErrClosed) {
				t.Errorf("after the plugin's end: %v", err)
			}
		})
	}
}
