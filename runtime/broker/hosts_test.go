package broker_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"runtime"
	"testing"
	"time"

	"google.golang.org/grpc"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"

	"github.com/plugingen/plugingen/runtime/broker"
	"github.com/plugingen/plugingen/runtime/handshake"
	"github.com/plugingen/plugingen/runtime/transport"
)

// caller is a plugin's service that calls back whoever calls it, under the number that the request names.
type caller struct {
	healthpb.UnimplementedHealthServer
	broker *broker.Broker
	id     uint32
}

func (c caller) Check(ctx context.Context, _ *healthpb.HealthCheckRequest) (*healthpb.HealthCheckResponse, error) {
	cc, err := c.broker.Dial(ctx, c.id)
	if err != nil {
		return nil, err
	}
	defer cc.Close()
	return healthpb.NewHealthClient(cc).Check(ctx, &healthpb.HealthCheckRequest{})
}

func calls(s *grpc.Server, b *broker.Broker) {
	healthpb.RegisterHealthServer(s, caller{broker: b, id: 7})
}

func bothWays(t *testing.T, test func(t *testing.T, s shape)) {
	for _, mux := range []bool{false, true} {
		t.Run(fmt.Sprintf("mux %t", mux), func(t *testing.T) { test(t, shape{mux: mux}) })
	}
}

// A host that comes after another has gone finds a broker that works (go-plugin's is dead by then).
func TestHostsInTurn(t *testing.T) {
	bothWays(t, func(t *testing.T, s shape) {
		dir := shortDir(t)
		p := servePlugin(t, s, s.config(dir), dir, calls)
		for range 3 {
			host, cc, stop := attachOnce(t, s, p, s.config(dir))
			end := serve(t, host, 7)
			check(t, cc)
			if err := end(); err != nil {
				t.Errorf("AcceptAndServe: %v", err)
			}
			stop()
		}
	})
}

// Each host is called back itself, though both use the same number at once.
func TestHostsAtOnce(t *testing.T) {
	bothWays(t, func(t *testing.T, s shape) {
		dir := shortDir(t)
		p := servePlugin(t, s, s.config(dir), dir, calls)
		hostA, ccA := attach(t, s, p, s.config(dir))
		endA := serve(t, hostA, 7)
		check(t, ccA)
		hostB, ccB := attach(t, s, p, s.config(dir))
		endB := serve(t, hostB, 7)
		check(t, ccB)
		if err := endB(); err != nil {
			t.Errorf("AcceptAndServe: %v", err)
		}
		_ = endA()
		endA = serve(t, hostA, 7)
		check(t, ccA) // B came last, and A is meant all the same
		if err := endA(); err != nil {
			t.Errorf("AcceptAndServe: %v", err)
		}
	})
}

// The broker outlives its main connection: gRPC makes another, and the stream is opened again.
func TestMainConnectionLost(t *testing.T) {
	bothWays(t, func(t *testing.T, s shape) {
		dir := shortDir(t)
		p := servePlugin(t, s, s.config(dir), dir, nil)
		made := make(chan net.Conn, 100)
		proxied := shape{mux: s.mux}
		host, cc := attachThrough(t, proxied, p, proxied.config(dir), made)
		stop := serve(t, p.broker, 1)
		brokered, err := host.Dial(guarded(t), 1)
		if err != nil {
			t.Fatalf("dial: %v", err)
		}
		check(t, brokered)
		var undialed []net.Listener
		for _, b := range []*broker.Broker{host, p.broker} {
			l, err := b.Accept(guarded(t), 98)
			if err != nil {
				t.Fatalf("accept: %v", err)
			}
			undialed = append(undialed, l)
		}
		_ = (<-made).Close()
		for _, l := range undialed {
			if _, err := l.Accept(); !errors.Is(err, broker.ErrLost) {
				t.Errorf("a listener that waits: %v, want ErrLost", err)
			}
		}
		_ = brokered.Close()
		_ = stop()
		cc.Connect()
		stop = serve(t, p.broker, 2) // both sides wait for the stream to come again
		again, err := host.Dial(guarded(t), 2)
		if err != nil {
			t.Fatalf("dial: %v", err)
		}
		check(t, again)
		_ = again.Close()
		if err := stop(); err != nil {
			t.Errorf("AcceptAndServe: %v", err)
		}
	})
}

// attachThrough is attach over connections that the test can cut.
func attachThrough(t *testing.T, s shape, p *plugin, cfg broker.Config, made chan<- net.Conn) (*broker.Broker, *grpc.ClientConn) {
	t.Helper()
	via := *p
	l, err := transport.Listen(transport.ListenConfig{Network: handshake.Unix, Dir: shortDir(t)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	via.addr = l.Addr().String()
	go forward(l, p.addr, made)
	return attach(t, s, &via, cfg)
}

func forward(l net.Listener, to string, made chan<- net.Conn) {
	for {
		in, err := l.Accept()
		if err != nil {
			return
		}
		out, err := transport.Dial(context.Background(), handshake.Unix, to)
		if err != nil {
			_ = in.Close()
			continue
		}
		made <- in
		go copyUntilEnd(in, out)
		go copyUntilEnd(out, in)
	}
}

func copyUntilEnd(to, from net.Conn) {
	defer func() { _, _ = to.Close(), from.Close() }()
	buffer := make([]byte, 4096)
	for {
		n, err := from.Read(buffer)
		if err != nil {
			return
		}
		if _, err := to.Write(buffer[:n]); err != nil {
			return
		}
	}
}

// A Dial that gives up leaves a knock behind. What opens late for it must not swallow the connection of the next.
func TestKnockGivenUp(t *testing.T) {
	for _, way := range []string{"host dials", "plugin dials"} {
		t.Run(way, func(t *testing.T) {
			host, plugin := connect(t, shape{mux: true})
			accepts, dials := plugin, host
			if way == "plugin dials" {
				accepts, dials = host, plugin
			}
			for round := range uint32(10) {
				ctx, cancel := context.WithTimeout(t.Context(), 5*time.Millisecond)
				if _, err := dials.Dial(ctx, 100+round); err == nil {
					t.Fatal("dialled what nobody accepts")
				}
				cancel()
				l, err := accepts.Accept(guarded(t), 100+round)
				if err != nil {
					t.Fatalf("accept: %v", err)
				}
				stop := serve(t, accepts, 1+round)
				cc, err := dials.Dial(guarded(t), 1+round)
				if err != nil {
					t.Fatalf("dial: %v", err)
				}
				check(t, cc)
				_ = cc.Close()
				if err := errors.Join(stop(), l.Close()); err != nil {
					t.Errorf("stop: %v", err)
				}
			}
		})
	}
}

// Rubbish and silence on a multiplexed plugin's socket harm nobody else, and do not hold up its end.
func TestStrangersOnMux(t *testing.T) {
	s := shape{mux: true}
	dir := shortDir(t)
	p := servePlugin(t, s, s.config(dir), dir, calls)
	for _, word := range []string{"", "rubbish that is long enough for a header or two", "\x00\x01\x00\x01\x00\x00\x00\x00\x00\x00\x00\x00"} {
		c, err := transport.Dial(guarded(t), handshake.Unix, p.addr)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.Write([]byte(word)); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = c.Close() }) // after the plugin's end
	}
	host, cc := attach(t, s, p, s.config(dir))
	end := serve(t, host, 7)
	check(t, cc)
	if err := end(); err != nil {
		t.Errorf("AcceptAndServe: %v", err)
	}
}

// Nothing is left of a connection that was made, used and closed: no descriptor, socket or goroutine.
func TestNothingLeft(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("counts what /proc lists")
	}
	bothWays(t, func(t *testing.T, s shape) {
		dir := shortDir(t)
		p := servePlugin(t, s, s.config(dir), dir, calls)
		host, cc := attach(t, s, p, s.config(dir))
		work := func() {
			end := serve(t, host, 7)
			check(t, cc)
			if err := end(); err != nil {
				t.Errorf("AcceptAndServe: %v", err)
			}
		}
		work()
		files, goroutines, found := descriptors(t), runtime.NumGoroutine(), len(sockets(t, dir))
		for range 50 {
			work()
		}
		// gRPC's own goroutines end in their own time, and are a few more or fewer at any time. What is left of each call would be 50.
		const slack = 10
		deadline := time.Now().Add(time.Minute)
		for (descriptors(t) > files+slack || runtime.NumGoroutine() > goroutines+slack) && time.Now().Before(deadline) {
			runtime.Gosched()
		}
		if f, g, s := descriptors(t), runtime.NumGoroutine(), len(sockets(t, dir)); f > files+slack || g > goroutines+slack || s > found {
			t.Errorf("after 50 calls %d descriptors, %d goroutines, %d sockets; before %d, %d, %d", f, g, s, files, goroutines, found)
		}
	})
}

func descriptors(t *testing.T) int {
	t.Helper()
	open, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(open)
}
