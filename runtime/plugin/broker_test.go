package plugin_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"

	"github.com/plugingen/plugingen/runtime/broker"
	"github.com/plugingen/plugingen/runtime/handshake"
	"github.com/plugingen/plugingen/runtime/internal/mtls"
	"github.com/plugingen/plugingen/runtime/internal/wire"
	"github.com/plugingen/plugingen/runtime/transport"
)

// brokered is how a host and its plugin are connected.
type brokered struct {
	network  string
	tls, mux bool
}

func (w brokered) String() string { return fmt.Sprintf("%s, TLS %t, mux %t", w.network, w.tls, w.mux) }

func everyWay(t *testing.T, test func(*testing.T, brokered)) {
	t.Helper()
	for _, network := range []string{handshake.Unix, handshake.TCP} {
		for i := range 4 {
			w := brokered{network, i&1 != 0, i&2 != 0}
			t.Run(w.String(), func(t *testing.T) { test(t, w) })
		}
	}
}

// start starts a plugin in mode as such a host does.
func (w brokered) start(t *testing.T, mode string, id mtls.Identity, env ...string) *child {
	t.Helper()
	env = append(append(hostEnv(), env...), handshake.EnvTransports+"="+w.network, fmt.Sprintf("%s=%t", handshake.EnvMultiplexGRPC, w.mux))
	if w.tls {
		env = append(env, handshake.EnvClientCert+"="+id.PEM())
	}
	c := start(t, mode, env...)
	c.handshake()
	if c.resp.Multiplex != w.mux || (c.resp.Certificate != nil) != w.tls || c.resp.Network != w.network {
		t.Fatalf("the handshake line is %+v", c.resp)
	}
	return c
}

// attach makes a host's end, with a broker.
func (w brokered) attach(t *testing.T, c *child, id mtls.Identity) (*broker.Broker, *grpc.ClientConn) {
	t.Helper()
	dial, mux := c.dialer()
	dir := socketDir(t)
	cfg := broker.Config{
		Listen: func() (net.Listener, error) {
			return transport.Listen(transport.ListenConfig{Network: w.network, Dir: dir})
		},
		Mux:    mux,
		Logger: slog.New(slog.DiscardHandler),
	}
	creds := insecure.NewCredentials()
	if w.tls {
		cfg.ServerTLS, cfg.ClientTLS = id.Server(c.resp.Certificate), id.Client(c.resp.Certificate)
		creds = credentials.NewTLS(cfg.ClientTLS)
	}
	cc, err := grpc.NewClient("passthrough:///localhost", grpc.WithTransportCredentials(creds),
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return dial(ctx) }))
	if err != nil {
		t.Fatal(err)
	}
	b := broker.New(cfg)
	ran := make(chan error, 1)
	go func() { ran <- b.Run(context.Background(), cc) }()
	t.Cleanup(func() { _, _, _ = b.Close(), <-ran, cc.Close() })
	return b, cc
}

// accepts serves the echo on the host's side.
func accepts(t *testing.T, b *broker.Broker) (id uint32) {
	t.Helper()
	id = b.NextID()
	served := make(chan error, 1)
	ctx, cancel := context.WithCancel(context.Background())
	go func() { served <- b.AcceptAndServe(ctx, id, echoImplementation()) }()
	t.Cleanup(func() { cancel(); <-served })
	return id
}

// dials connects to what the plugin serves.
func dials(t *testing.T, b *broker.Broker, number string) *grpc.ClientConn {
	t.Helper()
	id, err := strconv.ParseUint(number, 10, 32)
	if err != nil {
		t.Fatal(err)
	}
	cc, err := b.Dial(guarded(t), uint32(id))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cc.Close() })
	return cc
}

// A plugin finds its broker in a call and at the registration, calls back, serves more, and leaves nothing when it stops in the
// middle of all that.
func TestBroker(t *testing.T) {
	everyWay(t, func(t *testing.T, w brokered) {
		id, dir := identity(t), socketDir(t)
		c := w.start(t, "leaks", id, "PLUGIN_UNIX_SOCKET_DIR="+dir)
		b, cc := w.attach(t, c, id)
		for _, how := range []string{"callback", "keep-callback"} {
			if got := do(t, cc, fmt.Sprint(how, " ", accepts(t, b))); got != "called back" {
				t.Errorf("%s: got %q", how, got)
			}
		}
		more := dials(t, b, do(t, cc, "serve"))
		nested := fmt.Sprintf("callback %d callback %s", accepts(t, b), "x") // the host's echo has no broker of a call to dial x by
		if _, err := try(guarded(t), more, nested); err == nil || !strings.Contains(err.Error(), "parsing") {
			t.Errorf("an error of the callback does not come through: %v", err)
		}
		if got := do(t, more, fmt.Sprint("callback ", accepts(t, b), " through two")); got != "through two" {
			t.Errorf("over a brokered connection: got %q", got)
		}
		do(t, cc, "serve") // nobody dials it
		stop(t, c, cc)
		c.stderr.await(t, "served: broker: serve")
		if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
			t.Errorf("left behind: %v (%v)", left, err)
		}
	})
}

// A call over a brokered connection may finish like one over the main connection.
func TestBrokeredCallInFlightFinishes(t *testing.T) {
	for _, mux := range []bool{false, true} {
		t.Run(fmt.Sprint("mux ", mux), func(t *testing.T) {
			w := brokered{network: handshake.Unix, mux: mux}
			c := w.start(t, "slow stop", mtls.Identity{})
			b, cc := w.attach(t, c, mtls.Identity{})
			more := dials(t, b, do(t, cc, "serve"))
			first, last := filepath.Join(t.TempDir(), "go on"), filepath.Join(t.TempDir(), "go on")
			plain, brokered := call(t, cc, "wait "+first), call(t, more, "wait "+last)
			c.stderr.await(t, "waiting\nwaiting\n")
			stopped := make(chan error, 1)
			go func() { stopped <- wire.Shutdown(guarded(t), cc) }()
			awaitRefusal(t, cc)
			if got := do(t, more, fmt.Sprint("callback ", accepts(t, b))); got != "called back" {
				t.Errorf("what the call in flight may still need: got %q", got)
			}
			for _, wait := range []struct {
				file   string
				result <-chan error
			}{{first, plain}, {last, brokered}} {
				if err := errors.Join(os.WriteFile(wait.file, nil, 0o600), <-wait.result); err != nil {
					t.Errorf("the call in flight: %v", err)
				}
			}
			if err := <-stopped; err != nil {
				t.Errorf("the stop: %v", err)
			}
			if code := c.wait(); code != 0 {
				t.Errorf("exit code %d, want 0", code)
			}
		})
	}
}

// One that does not finish is cut in time.
func TestBrokeredCallThatDoesNotFinishIsCut(t *testing.T) {
	for _, mux := range []bool{false, true} {
		t.Run(fmt.Sprint("mux ", mux), func(t *testing.T) {
			w := brokered{network: handshake.Unix, mux: mux}
			c := w.start(t, "plain", mtls.Identity{})
			b, cc := w.attach(t, c, mtls.Identity{})
			result := call(t, dials(t, b, do(t, cc, "serve")), "hang")
			c.stderr.await(t, "hanging")
			stop(t, c, cc)
			if err := <-result; status.Code(err) != codes.Unavailable {
				t.Errorf("the call ended with %v, want Unavailable", err)
			}
		})
	}
}

// Two hosts at once are called back by the plugin that each of them calls, under the same number.
func TestBrokerOfTwoHosts(t *testing.T) {
	for _, mux := range []bool{false, true} {
		t.Run(fmt.Sprint("mux ", mux), func(t *testing.T) {
			w := brokered{network: handshake.Unix, mux: mux}
			c := w.start(t, "plain", mtls.Identity{})
			for range 3 { // the first has gone when the third comes
				a, first := w.attach(t, c, mtls.Identity{})
				b, second := w.attach(t, c, mtls.Identity{})
				for i, host := range []*grpc.ClientConn{first, second, first} {
					accepting := []*broker.Broker{a, b, a}[i]
					id := accepts(t, accepting)
					if got := do(t, host, fmt.Sprint("callback ", id)); got != "called back" {
						t.Errorf("got %q", got)
					}
				}
				_, _ = a.Close(), first.Close()
			}
			_, last := w.attach(t, c, mtls.Identity{})
			stop(t, c, last)
		})
	}
}

// Row 36, multiplexed: connections that say nothing, and those that say nothing in their streams, keep no host out and hold up no stop.
func TestSilentMultiplexedConnections(t *testing.T) {
	c := start(t, "patient", append(hostEnv(), "PLUGIN_MULTIPLEX_GRPC=true")...)
	c.handshake()
	for range 300 { // more than the plugin holds open
		silent, err := transport.Dial(guarded(t), c.resp.Network, c.resp.Address)
		if err != nil {
			t.Fatal(err)
		}
		defer silent.Close()
		if _, err := silent.Write([]byte{0, 1, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0}); err != nil { // opens a stream
			t.Fatal(err)
		}
		if _, err := silent.Write([]byte{0, 2, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0}); err != nil { // pings
			t.Fatal(err)
		}
		if _, err := io.ReadFull(silent, make([]byte, 12)); err != nil { // the plugin listens to it
			t.Fatal(err)
		}
	}
	cc := c.dial()
	do(t, cc, "hello")
	stop(t, c, cc)
}

// Rows 23 and 24: a host floods the plugin's broker.
func TestBrokerFloods(t *testing.T) {
	const floodOf, afterward = 50_000, 1 << 30
	knock := func(id uint32, ack bool, refusal string) *wire.ConnInfo {
		return &wire.ConnInfo{ServiceId: id, Knock: &wire.ConnInfo_Knock{Knock: true, Ack: ack, Error: refusal}}
	}
	says := map[string]func(id uint32) *wire.ConnInfo{
		"announcements": func(id uint32) *wire.ConnInfo {
			return &wire.ConnInfo{ServiceId: id, Network: "unix", Address: "/nowhere"}
		},
		"knocks":  func(id uint32) *wire.ConnInfo { return knock(id, false, "") },
		"answers": func(id uint32) *wire.ConnInfo { return knock(id, true, "") },
	}
	for _, mux := range []bool{false, true} {
		for what, say := range says {
			t.Run(fmt.Sprintf("%s, mux %t", what, mux), func(t *testing.T) {
				w := brokered{network: handshake.Unix, mux: mux}
				c := w.start(t, "leaks", mtls.Identity{})
				cc := c.dial()
				before, _ := usage(t, cc)
				stream := openBroker(t, cc)
				asked := make(chan bool, 1)
				go func() { asked <- hears(stream, afterward) }()
				// The number that the plugin dials in the end shows that it has heard all.
				result := call(t, cc, fmt.Sprint("callback ", afterward))
				for id := range uint32(floodOf) {
					if err := stream.Send(say(id)); err != nil {
						t.Fatal(err)
					}
				}
				last, want := &wire.ConnInfo{ServiceId: afterward, Network: "udp"}, broker.ErrAddress
				if mux {
					if !<-asked {
						t.Fatal("the plugin does not knock")
					}
					last, want = knock(afterward, true, "full"), broker.ErrRefused
				}
				if err := stream.Send(last); err != nil {
					t.Fatal(err)
				}
				if err := <-result; err == nil || !strings.Contains(err.Error(), want.Error()) {
					t.Errorf("the plugin's dial: %v, want %v", err, want)
				}
				goroutines, used := usage(t, cc)
				if goroutines > before+floodOf/100 || used > 64 {
					t.Errorf("%d goroutines (%d before), %d MiB in use", goroutines, before, used)
				}
				stop(t, c, cc)
			})
		}
	}
}

func openBroker(t *testing.T, cc *grpc.ClientConn) grpc.BidiStreamingClient[wire.ConnInfo, wire.ConnInfo] {
	t.Helper()
	stream, err := wire.OpenBroker(guarded(t), cc)
	if err != nil {
		t.Fatal(err)
	}
	return stream
}

// hears reads what the plugin says, to the end; true when it says something of id on the way.
func hears(stream grpc.BidiStreamingClient[wire.ConnInfo, wire.ConnInfo], id uint32) bool {
	for {
		m, err := stream.Recv()
		if err != nil || m.GetServiceId() == id {
			return err == nil
		}
	}
}

func usage(t *testing.T, cc grpc.ClientConnInterface) (goroutines, mebibytes int) {
	t.Helper()
	if _, err := fmt.Sscan(do(t, cc, "usage"), &goroutines, &mebibytes); err != nil {
		t.Fatal(err)
	}
	return goroutines, mebibytes
}
