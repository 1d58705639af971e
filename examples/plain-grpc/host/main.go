// Host starts a plugin of a plain gRPC service and calls it.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	testpb "google.golang.org/grpc/interop/grpc_testing"

	plain "github.com/plugingen/plugingen/examples/plain-grpc"
	"github.com/plugingen/plugingen/runtime/host"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: host PLUGIN")
		os.Exit(2)
	}
	if err := run(context.Background(), os.Args[1], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "host:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, path string, out io.Writer) (err error) {
	p, err := host.Open(ctx, host.Config{Handshake: plain.Handshake(), Path: path})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, p.Close()) }()
	client := testpb.NewTestServiceClient(p.Conn())
	reply, err := client.UnaryCall(ctx, &testpb.SimpleRequest{Payload: &testpb.Payload{Body: []byte("hello")}})
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "the plugin says %s\n", reply.GetPayload().GetBody())
	return stream(ctx, client, out)
}

func stream(ctx context.Context, client testpb.TestServiceClient, out io.Writer) error {
	replies, err := client.StreamingOutputCall(ctx, &testpb.StreamingOutputCallRequest{
		ResponseParameters: []*testpb.ResponseParameters{{Size: 1}, {Size: 2}, {Size: 3}},
	})
	if err != nil {
		return err
	}
	for {
		reply, err := replies.Recv()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		fmt.Fprintf(out, "and streams %d bytes\n", len(reply.GetPayload().GetBody()))
	}
}
