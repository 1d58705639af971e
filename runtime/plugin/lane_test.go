package plugin_test

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/plugingen/plugingen/runtime/handshake"
	"github.com/plugingen/plugingen/runtime/internal/lane"
	"github.com/plugingen/plugingen/runtime/internal/mtls"
	"github.com/plugingen/plugingen/runtime/internal/wire"
	"github.com/plugingen/plugingen/runtime/transport"
)

// tierEnv has all tests of this package open plugins on the lane, "pair", or in a "tunnel". See make test-tiers.
const tierEnv = "PLUGINGEN_TEST_TIER"

// These tests say by their names what their parts open plugins on.
func isOnLane(t *testing.T) bool {
	t.Helper()
	return strings.HasPrefix(t.Name(), "TestOnTheLane/") || os.Getenv(tierEnv) == "pair"
}

func isInTunnel(t *testing.T) bool {
	t.Helper()
	return strings.HasPrefix(t.Name(), "TestInATunnel/") || os.Getenv(tierEnv) == "tunnel"
}

// onlyGRPC is for plugins with ServerOptions, which have no lane.
func onlyGRPC(t *testing.T) {
	t.Helper()
	if isOnLane(t) || isInTunnel(t) {
		t.Skip("the plugin has no lane")
	}
}

// TestOnTheLane holds the lane to what gRPC is held to.
func TestOnTheLane(t *testing.T) {
	for name, test := range ofAnyTier() {
		t.Run(name, test)
	}
}

// TestInATunnel is the same for the lane in a stream of gRPC.
func TestInATunnel(t *testing.T) {
	for name, test := range ofAnyTier() {
		t.Run(name, test)
	}
}

func ofAnyTier() map[string]func(*testing.T) {
	return map[string]func(*testing.T){
		"ShutdownIsAnswered":                 TestShutdownIsAnswered,
		"StopLeavesNothing":                  TestStopLeavesNothing,
		"CallInFlightFinishes":               TestCallInFlightFinishes,
		"CallThatDoesNotFinishIsCut":         TestCallThatDoesNotFinishIsCut,
		"BrokerStreamStaysOpen":              TestBrokerStreamStaysOpen,
		"PanicKeepsGosBehaviour":             TestPanicKeepsGosBehaviour,
		"NothingPrintedIsLostAtTheStop":      TestNothingPrintedIsLostAtTheStop,
		"PrintingMoreThanTheBuffer":          TestPrintingMoreThanTheBufferIsLosslessWhileTheHostReads,
		"HostStandsStill":                    TestHostStandsStill,
		"HostsReadOneAfterTheOther":          TestHostsReadOneAfterTheOther,
		"LargeMessages":                      TestLargeMessages,
		"MessageLimit":                       func(t *testing.T) { messageLimit(t, "small") },
		"ReflectionIsOff":                    TestReflectionIsOff,
		"ReflectionIsAskedFor":               TestReflectionIsAskedFor,
		"HealthOfEachService":                TestHealthOfEachService,
		"OddPathsAreRefused":                 TestOddPathsAreRefused,
		"InterceptorsSeeEveryCall":           TestInterceptorsSeeEveryCall,
		"EmptyClientCertificateMeansNothing": TestEmptyClientCertificateAsksForNothing,
	}
}

// offerLane starts a plugin with an inherited socket.
func offerLane(t *testing.T, mode string, env ...string) *child {
	t.Helper()
	ours, theirs, err := lane.Pair()
	if errors.Is(err, errors.ErrUnsupported) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = ours.Close() })
	offer, err := lane.Offer(theirs, 3)
	if err != nil {
		t.Fatal(err)
	}
	cmd := selfCommand(t)
	cmd.ExtraFiles = []*os.File{theirs}
	c := startCommand(t, cmd, mode, append([]string{handshake.EnvLane + "=" + offer}, env...)...)
	_ = theirs.Close()
	c.lane = ours
	return c
}

func openOnLane(t *testing.T, mode string, env ...string) (*child, *grpc.ClientConn) {
	t.Helper()
	c := offerLane(t, mode, env...)
	c.handshake()
	if !lane.HasSpoken(c.lane) {
		t.Fatalf("the plugin had not spoken when its line came\nstderr:\n%s", c.stderr)
	}
	c.awaitListener()
	return c, connOnLane(t, c.lane)
}

// awaitListener returns when others than the host can connect, and the plugin heeds signals: on the lane that is after its line.
func (c *child) awaitListener() {
	c.t.Helper()
	ctx, again := guarded(c.t), time.NewTicker(time.Millisecond)
	defer again.Stop()
	for {
		conn, err := transport.Dial(ctx, c.resp.Network, c.resp.Address)
		if err == nil {
			_ = conn.Close()
			return
		}
		select {
		case <-again.C:
		case <-ctx.Done():
			c.t.Fatalf("the plugin does not listen: %v\nstderr:\n%s", err, c.stderr)
		}
	}
}

// connOnLane is a *grpc.ClientConn, for tests of either tier.
func connOnLane(t *testing.T, conn net.Conn) *grpc.ClientConn {
	t.Helper()
	return connOf(t, lane.NewCarrier(conn))
}

// tunnelled opens a tunnel in cc.
func tunnelled(t *testing.T, cc *grpc.ClientConn) *grpc.ClientConn {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	t.Cleanup(cancel)
	stream, err := cc.NewStream(ctx, &grpc.StreamDesc{ClientStreams: true, ServerStreams: true}, wire.LaneMethod)
	if err != nil {
		t.Fatal(err)
	}
	return connOf(t, lane.NewStreamCarrier(stream, cancel))
}

func connOf(t *testing.T, carrier lane.Carrier) *grpc.ClientConn {
	t.Helper()
	client := lane.NewClient(carrier, lane.ClientConfig{MaxMessageSize: 1 << 30})
	t.Cleanup(func() { _ = client.Close() })
	cc, err := grpc.NewClient("passthrough:///plugin", append(client.Route(), grpc.WithTransportCredentials(insecure.NewCredentials()))...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cc.Close() })
	return cc
}

// TestWhoSaysThatItTunnels: only those who ask are told, and only where it is so.
func TestWhoSaysThatItTunnels(t *testing.T) {
	for _, c := range []struct {
		mode, ask, want string
	}{{"plain", "1", "1"}, {"plain", "", ""}, {"intercepted by option", "1", ""}, {"tiny", "1", ""}} {
		t.Run(c.mode+" "+c.ask, func(t *testing.T) {
			plugin := start(t, c.mode, hostEnv()...)
			plugin.handshake()
			cc, ctx := plugin.dial(), guarded(t)
			if c.ask != "" {
				ctx = metadata.AppendToOutgoingContext(ctx, wire.LaneKey, c.ask)
			}
			var header metadata.MD
			_, err := healthpb.NewHealthClient(cc).Check(ctx, &healthpb.HealthCheckRequest{Service: "plugin"}, grpc.Header(&header))
			if got := strings.Join(header.Get(wire.LaneKey), ","); got != c.want || err != nil {
				t.Errorf("it says %q, want %q; %v", got, c.want, err)
			}
			wantTunnel := codes.OK
			if c.mode != "plain" {
				wantTunnel = codes.Unimplemented
			}
			stream, err := cc.NewStream(guarded(t), &grpc.StreamDesc{ClientStreams: true, ServerStreams: true}, wire.LaneMethod)
			if err == nil {
				err = stream.RecvMsg(&wrapperspb.BytesValue{})
			}
			if status.Code(err) != wantTunnel {
				t.Errorf("the tunnel: %v, want %v", err, wantTunnel)
			}
		})
	}
}

// TestMuteTunnel: one who opens tunnels and says nothing in them holds nothing up.
func TestMuteTunnel(t *testing.T) {
	c, cc := open(t, "plain")
	for range 10 {
		if _, err := cc.NewStream(guarded(t), &grpc.StreamDesc{ClientStreams: true, ServerStreams: true}, wire.LaneMethod); err != nil {
			t.Fatal(err)
		}
	}
	do(t, cc, "hello")
	stop(t, c, cc)
}

// TestLaneIsRefused: the plugin then hangs up before its line, and serves by gRPC.
func TestLaneIsRefused(t *testing.T) {
	id, err := mtls.New()
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		mode string
		env  string
	}{
		"server options":     {"intercepted by option", ""},
		"mutual TLS":         {"plain", handshake.EnvClientCert + "=" + id.PEM()},
		"its own TLS":        {"own certificate", ""},
		"messages too small": {"tiny", ""},
	} {
		t.Run(name, func(t *testing.T) {
			plugin := offerLane(t, c.mode, append(hostEnv(), c.env)...)
			plugin.handshake()
			if lane.HasSpoken(plugin.lane) {
				t.Error("the plugin speaks on the lane")
			}
			if n, err := plugin.lane.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
				t.Errorf("the lane: %d, %v, want io.EOF", n, err)
			}
			if c.mode == "tiny" {
				do(t, plugin.dial(), "hello")
			}
		})
	}
}

// TestLaneOfAnother has words in the environment that came with no socket, or with another one.
func TestLaneOfAnother(t *testing.T) {
	for _, offer := range []string{"1:3:4711", "1:0:1", "0:3:1", "1:3", "nonsense", "0", "1:99999:1", ":::"} {
		t.Run(offer, func(t *testing.T) {
			c := start(t, "plain", append(hostEnv(), handshake.EnvLane+"="+offer)...)
			c.handshake()
			cc := c.dial()
			if strings.Contains(do(t, cc, "environ"), handshake.EnvLane) {
				t.Error("the plugin's children see it")
			}
			stop(t, c, cc)
		})
	}
}

// TestBothWays: the lane is for its host, and everybody else still comes in by the line.
func TestBothWays(t *testing.T) {
	c, byLane := openOnLane(t, "plain", hostEnv()...)
	byGRPC := c.dial()
	for range 3 {
		do(t, byLane, "hello")
		do(t, byGRPC, "hello")
	}
	_ = c.lane.Close() // a host that loses interest is no host that is gone
	do(t, byGRPC, "hello")
	stop(t, c, byGRPC)
}

// TestDeadlineOnTheLane: what hangs is bounded by its caller, and leaves the others alone.
func TestDeadlineOnTheLane(t *testing.T) {
	c, cc := openOnLane(t, "plain", hostEnv()...)
	ctx, cancel := context.WithCancel(guarded(t))
	hanging := make(chan error, 1)
	go func() { _, err := try(ctx, cc, "wait "+t.TempDir()+"/never"); hanging <- err }()
	c.stderr.await(t, "waiting")
	do(t, cc, "hello")
	cancel()
	if err := <-hanging; err == nil {
		t.Error("a cancelled call succeeded")
	}
	do(t, cc, "hello")
	stop(t, c, cc)
}

// TestLateListener: on the lane a plugin that cannot listen says its line and ends with the reason; one that can takes others as well.
func TestLateListener(t *testing.T) {
	t.Run("it can", func(t *testing.T) {
		dir, err := os.MkdirTemp("", "pg") //nolint:usetesting // a socket's path must be short
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = os.RemoveAll(dir) })
		c, cc := openOnLane(t, "plain", append(hostEnv(), handshake.EnvUnixSocketDir+"="+dir)...)
		do(t, cc, "hello")
		stop(t, c, cc)
		if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
			t.Errorf("left in the folder: %v, %v", left, err)
		}
	})
	t.Run("it cannot", func(t *testing.T) {
		none := t.TempDir() + "/none"
		c := offerLane(t, "plain", append(hostEnv(), handshake.EnvUnixSocketDir+"="+none)...)
		c.handshake()
		if code := c.wait(); code != 1 {
			t.Errorf("exit code %d, want 1", code)
		}
		if text := c.stderr.String(); !strings.Contains(text, "check that the folder "+none+" exists") {
			t.Errorf("stderr: %s", text)
		}
	})
}

// TestApart: short handlers come to run where the lane is read, one after the other, unless the plugin wants them apart.
func TestApart(t *testing.T) {
	for mode, apart := range map[string]bool{"plain": false, "apart": true} {
		t.Run(mode, func(t *testing.T) {
			c, cc := openOnLane(t, mode, hostEnv()...)
			shared, last := false, ""
			for i := 0; i < 200 || !apart && !shared && i < 100_000; i++ {
				ran := do(t, cc, "goroutine")
				shared = shared || ran == last
				last = ran
			}
			if shared == apart {
				t.Errorf("two calls ran on one goroutine: %t", shared)
			}
			stop(t, c, cc)
		})
	}
}
