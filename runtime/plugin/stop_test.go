package plugin_test

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/plugingen/plugingen/runtime/internal/wire"
	"github.com/plugingen/plugingen/runtime/transport"
)

// stop is a host's orderly stop; the plugin must leave with 0.
func stop(t *testing.T, c *child, cc grpc.ClientConnInterface) {
	t.Helper()
	if err := wire.Shutdown(guarded(t), cc); err != nil {
		t.Errorf("shutdown: %v", err)
	}
	if code := c.wait(); code != 0 {
		t.Errorf("exit code %d, want 0\nstderr:\n%s", code, c.stderr)
	}
}

func TestShutdownIsAnswered(t *testing.T) {
	c, cc := open(t, "plain")
	err := cc.Invoke(guarded(t), "/plugin.GRPCController/Shutdown", &wire.Empty{}, &wire.Empty{})
	if err != nil {
		t.Errorf("shutdown: %v, want an answer", err)
	}
	if code := c.wait(); code != 0 {
		t.Errorf("exit code %d, want 0", code)
	}
	if err := wire.Shutdown(guarded(t), cc); err != nil {
		t.Errorf("shutdown of a plugin that is gone: %v, want nil", err)
	}
}

func TestStopLeavesNothing(t *testing.T) {
	dir := socketDir(t)
	tests := map[string][]string{
		"own folder":    {"TMPDIR=" + dir},
		"host's folder": {"PLUGIN_UNIX_SOCKET_DIR=" + dir},
		"tcp":           {"PLUGIN_TRANSPORTS=tcp"},
	}
	for name, env := range tests {
		t.Run(name, func(t *testing.T) {
			c, cc := open(t, "leaks", env...)
			do(t, cc, "print something")
			stop(t, c, cc)
			left, err := os.ReadDir(dir)
			if err != nil {
				t.Fatal(err)
			}
			if len(left) > 0 {
				t.Errorf("left behind: %v", left)
			}
		})
	}
}

// call runs a call in the background.
func call(t *testing.T, cc grpc.ClientConnInterface, what string) <-chan error {
	ctx := guarded(t)
	result := make(chan error, 1)
	go func() { _, err := try(ctx, cc, what); result <- err }()
	return result
}

// awaitRefusal calls until the plugin takes no more calls.
func awaitRefusal(t *testing.T, cc grpc.ClientConnInterface) {
	t.Helper()
	ctx := guarded(t)
	for {
		_, err := try(ctx, cc, "hello")
		if status.Code(err) == codes.Unavailable {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

func TestCallInFlightFinishes(t *testing.T) {
	c, cc := open(t, "slow stop")
	file := filepath.Join(t.TempDir(), "go on")
	result := call(t, cc, "wait "+file)
	c.stderr.await(t, "waiting")
	stopped := make(chan error, 1)
	go func() { stopped <- wire.Shutdown(guarded(t), cc) }()
	awaitRefusal(t, cc)
	select {
	case err := <-stopped: // a go-plugin host hangs up when it has the answer
		t.Fatalf("shutdown was answered, with %v, while a call was in flight", err)
	default:
	}
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := <-result; err != nil {
		t.Errorf("the call in flight was cut: %v", err)
	}
	if err := <-stopped; err != nil {
		t.Errorf("shutdown: %v", err)
	}
	if code := c.wait(); code != 0 {
		t.Errorf("exit code %d, want 0", code)
	}
}

func TestCallThatDoesNotFinishIsCut(t *testing.T) {
	for _, what := range []string{"wait " + filepath.Join(t.TempDir(), "never"), "hang"} {
		t.Run(what[:4], func(t *testing.T) {
			c, cc := open(t, "plain")
			result := call(t, cc, what)
			c.stderr.await(t, "ing\n")
			stop(t, c, cc)
			if err := <-result; status.Code(err) != codes.Unavailable {
				t.Errorf("the call ended with %v, want Unavailable", err)
			}
		})
	}
}

// One connection that never says a word made grpc's Stop wait for two minutes, one that stops in the middle of a word as well.
func TestIdleConnectionsDoNotHoldUpTheStop(t *testing.T) {
	onlyGRPC(t)
	c, cc := open(t, "patient")
	for _, word := range []string{"", "PRI * HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"} {
		idle, err := transport.Dial(guarded(t), c.resp.Network, c.resp.Address)
		if err != nil {
			t.Fatal(err)
		}
		defer idle.Close()
		if _, err := io.WriteString(idle, word); err != nil {
			t.Fatal(err)
		}
	}
	do(t, cc, "hello") // accepted after them
	stop(t, c, cc)
}

func TestContextEndsIt(t *testing.T) {
	c := start(t, "context", hostEnv()...)
	c.handshake()
	if code := c.wait(); code != 0 {
		t.Errorf("exit code %d, want 0\nstderr:\n%s", code, c.stderr)
	}
}

func TestBrokerStreamStaysOpen(t *testing.T) {
	c, cc := open(t, "plain")
	s, err := cc.NewStream(guarded(t), &grpc.StreamDesc{ServerStreams: true, ClientStreams: true}, "/plugin.GRPCBroker/StartStream")
	if err != nil {
		t.Fatal(err)
	}
	stream := &grpc.GenericClientStream[wire.ConnInfo, wire.ConnInfo]{ClientStream: s}
	ended := make(chan error, 1)
	go func() { _, err := stream.Recv(); ended <- err }()
	for i := range 1000 {
		if err := stream.Send(&wire.ConnInfo{ServiceId: uint32(i), Network: "unix", Address: "/nowhere"}); err != nil {
			t.Fatal(err)
		}
	}
	do(t, cc, "hello")
	select {
	case err := <-ended:
		t.Fatalf("the stream ended: %v", err)
	default:
	}
	stop(t, c, cc)
	if err := <-ended; !errors.Is(err, io.EOF) {
		t.Errorf("the stream ended with %v, want io.EOF", err)
	}
}

func TestPanicKeepsGosBehaviour(t *testing.T) {
	c, cc := open(t, "plain")
	_, err := try(guarded(t), cc, "panic over")
	if status.Code(err) != codes.Unavailable {
		t.Errorf("the call ended with %v, want Unavailable", err)
	}
	if code := c.wait(); code != 2 {
		t.Errorf("exit code %d, want 2", code)
	}
	if got := c.stderr.String(); !strings.Contains(got, "panic: over") || !strings.Contains(got, "goroutine ") {
		t.Errorf("standard error lacks the panic:\n%s", got)
	}
}
