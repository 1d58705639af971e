package interop

import (
	"context"
	"testing"
	"time"

	grpctest "github.com/hashicorp/go-plugin/test/grpc"
	"google.golang.org/protobuf/types/known/emptypb"

	"github.com/plugingen/plugingen/golden/interop/peers/goplugin/work"
	"github.com/plugingen/plugingen/runtime/broker"
)

type brokerVariant struct {
	name     string
	mux, tls bool
}

func brokerVariants() []brokerVariant {
	return []brokerVariant{
		{"plain", false, false},
		{"TLS", false, true},
		{"multiplexed", true, false},
		{"multiplexed TLS", true, true},
	}
}

// rounds is how often each pair calls back both ways: the first call must not be the only one that works.
const rounds = 5

func TestBrokerOfOurPluginUnderGoPluginHost(t *testing.T) {
	for _, v := range brokerVariants() {
		t.Run(v.name, func(t *testing.T) {
			tmp := shortTemp(t)
			cmd, log := brokerPlugin(t, "ours", tmp), work.NewOutput()
			client := goBrokerHost(cmd, v, log)
			defer client.Kill()
			protocol, err := client.Client()
			if err != nil {
				t.Fatalf("start: %v\n%s", err, log)
			}
			dispensed, err := protocol.Dispense("test")
			if err != nil {
				t.Fatalf("dispense: %v", err)
			}
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			for range rounds {
				goCallBack(ctx, t, dispensed.(goBrokerClient))
			}
			client.Kill()
			if t.Failed() {
				t.Log(log)
			}
			if state := cmd.ProcessState; state == nil || state.ExitCode() != 0 {
				t.Errorf("the plugin ended with %v, want exit status 0", state)
			}
		})
	}
}

func goCallBack(ctx context.Context, t *testing.T, c goBrokerClient) {
	t.Helper()
	id := c.broker.NextId()
	go goServe(c.broker, id, "host") // ends with the broker
	r, err := c.test.Bidirectional(ctx, &grpctest.BidirectionalRequest{Id: id})
	if err != nil {
		t.Fatalf("Bidirectional: %v", err)
	}
	conn, err := c.broker.Dial(r.Id)
	if err != nil {
		t.Fatalf("dial %d: %v", r.Id, err)
	}
	if got, err := ping(ctx, conn); err != nil || got != "plugin" {
		t.Fatalf("ping: %q, %v", got, err)
	}
	if err := conn.Close(); err != nil {
		t.Errorf("close: %v", err)
	}
}

func TestBrokerOfOurHost(t *testing.T) {
	for _, mode := range []string{"go-plugin", "ours"} {
		for _, v := range brokerVariants() {
			t.Run(mode+" plugin, "+v.name, func(t *testing.T) {
				tmp := shortTemp(t)
				cmd := brokerPlugin(t, mode, tmp)
				b, cc := ourBrokerHost(t, cmd, v, tmp)
				test := grpctest.NewTestClient(cc)
				ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
				defer cancel()
				for range rounds {
					ourCallBack(ctx, t, b, test)
				}
				_ = b.Close()
				if err := cc.Invoke(ctx, "/plugin.GRPCController/Shutdown", &emptypb.Empty{}, &emptypb.Empty{}); err != nil {
					t.Logf("shutdown: %v", err) // go-plugin may hang up first
				}
				_ = cc.Close()
				if err := cmd.Wait(); err != nil {
					t.Errorf("the plugin ended with %v", err)
				}
			})
		}
	}
}

func ourCallBack(ctx context.Context, t *testing.T, b *broker.Broker, test grpctest.TestClient) {
	t.Helper()
	id := b.NextID()
	serving, stop := context.WithCancel(ctx)
	served := make(chan error, 1)
	go func() { served <- ourServe(serving, b, id, "host") }()
	r, err := test.Bidirectional(ctx, &grpctest.BidirectionalRequest{Id: id})
	stop()
	if err != nil {
		t.Fatalf("Bidirectional: %v", err)
	}
	if err := <-served; err != nil {
		t.Errorf("AcceptAndServe: %v", err)
	}
	conn, err := b.Dial(ctx, r.Id)
	if err != nil {
		t.Fatalf("dial %d: %v", r.Id, err)
	}
	if got, err := ping(ctx, conn); err != nil || got != "plugin" {
		t.Fatalf("ping: %q, %v", got, err)
	}
	if err := conn.Close(); err != nil {
		t.Errorf("close: %v", err)
	}
}
