package main

import (
	"bytes"
	"testing"

	"google.golang.org/grpc/codes"
	testpb "google.golang.org/grpc/interop/grpc_testing"
	"google.golang.org/grpc/status"

	plain "github.com/plugingen/plugingen/examples/plain-grpc"
	"github.com/plugingen/plugingen/runtime/host"
	"github.com/plugingen/plugingen/runtime/plugintest"
)

func TestRun(t *testing.T) {
	var out bytes.Buffer
	if err := run(t.Context(), plugintest.Build(t, "../plugin"), &out); err != nil {
		t.Fatal(err)
	}
	if got, want := out.String(), "the plugin says hello\nand streams 1 bytes\nand streams 2 bytes\nand streams 3 bytes\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestErrorsAreThoseOfGRPC: nothing stands between the service and its client.
func TestErrorsAreThoseOfGRPC(t *testing.T) {
	p, err := host.Open(t.Context(), host.Config{Handshake: plain.Handshake(), Path: plugintest.Build(t, "../plugin")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Close() })
	client := testpb.NewTestServiceClient(p.Conn())
	_, err = client.UnaryCall(t.Context(), &testpb.SimpleRequest{})
	if s := status.Convert(err); s.Code() != codes.InvalidArgument || s.Message() != "there is no payload" {
		t.Errorf("got %v", err)
	}
	if _, err = client.EmptyCall(t.Context(), &testpb.Empty{}); status.Code(err) != codes.Unimplemented {
		t.Errorf("a method that the plugin lacks: got %v", err)
	}
}

func TestNoPlugin(t *testing.T) {
	if err := run(t.Context(), "./no-such-plugin", &bytes.Buffer{}); err == nil {
		t.Error("no error without a plugin")
	}
}
