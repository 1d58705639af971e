package broker_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"runtime"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/plugingen/plugingen/runtime/broker"
	"github.com/plugingen/plugingen/runtime/handshake"
	"github.com/plugingen/plugingen/runtime/internal/wire"
	"github.com/plugingen/plugingen/runtime/transport"
)

// peer is a host that speaks the protocol by hand, and as badly as it is told to.
type peer struct {
	t      testing.TB
	stream grpc.BidiStreamingClient[wire.ConnInfo, wire.ConnInfo]
}

// against returns a plugin's half with such a peer.
func against(t testing.TB, s shape) (*broker.Broker, peer) {
	t.Helper()
	dir := shortDir(t)
	p := servePlugin(t, s, s.config(dir), dir, nil)
	dial := func(ctx context.Context) (net.Conn, error) { return transport.Dial(ctx, handshake.Unix, p.addr) }
	if s.mux {
		m := broker.NewMuxDialer(dial, silent())
		t.Cleanup(func() { _ = m.Close() })
		dial = m.Dial
	}
	cc, err := grpc.NewClient("passthrough:///localhost",
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return dial(ctx) }))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cc.Close() })
	ctx, cancel := context.WithCancel(guarded(t))
	t.Cleanup(cancel)
	stream, err := wire.OpenBroker(ctx, cc)
	if err != nil {
		t.Fatal(err)
	}
	return p.broker, peer{t, stream}
}

func (p peer) say(m *wire.ConnInfo) {
	p.t.Helper()
	if err := p.stream.Send(m); err != nil {
		_, err = p.stream.Recv()
		p.t.Fatalf("send: %v", err)
	}
}

func (p peer) announce(id uint32, network, address string) {
	p.t.Helper()
	p.say(&wire.ConnInfo{ServiceId: id, Network: network, Address: address})
}

func (p peer) knock(id uint32) {
	p.t.Helper()
	p.say(&wire.ConnInfo{ServiceId: id, Knock: &wire.ConnInfo_Knock{Knock: true}})
}

func (p peer) answer(id uint32, refusal string) {
	p.t.Helper()
	p.say(&wire.ConnInfo{ServiceId: id, Knock: &wire.ConnInfo_Knock{Knock: true, Ack: true, Error: refusal}})
}

func (p peer) hear() *wire.ConnInfo {
	p.t.Helper()
	m, err := p.stream.Recv()
	if err != nil {
		p.t.Fatalf("receive: %v", err)
	}
	return m
}

// heard returns once everything said so far has been heard: a knock without multiplexing is answered at once.
func (p peer) heard() {
	p.t.Helper()
	p.knock(1 << 31)
	for p.hear().GetServiceId() != 1<<31 {
	}
}

func TestAddresses(t *testing.T) {
	tests := []struct{ name, network, address string }{
		{"another machine", "tcp", "192.0.2.1:80"},
		{"a name", "tcp", "example.com:80"},
		{"no port", "tcp", "127.0.0.1"},
		{"port zero", "tcp", "127.0.0.1:0"},
		{"port too high", "tcp", "127.0.0.1:65536"},
		{"relative path", "unix", "plugin.sock"},
		{"abstract socket", "unix", "@plugin"},
		{"no path", "unix", ""},
		{"unknown network", "udp", "127.0.0.1:80"},
		{"no network", "", "/tmp/s"},
	}
	b, p := against(t, shape{})
	for i, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			id := uint32(i) + 1
			p.announce(id, tt.network, tt.address)
			if cc, err := b.Dial(guarded(t), id); !errors.Is(err, broker.ErrAddress) {
				t.Errorf("dial: %v, %v, want ErrAddress", cc, err)
			}
		})
	}
}

func TestTranslatedAddress(t *testing.T) {
	b, p := against(t, shape{change: func(c *broker.Config) {
		c.Resolve = func(network, address string) (string, string, error) {
			if address == "nowhere" {
				return "", "", errors.New("not here")
			}
			return "tcp", "192.0.2.1:80", nil
		}
		c.Announce = func(_, _ string) (string, string, error) { return "tcp", "container:80", nil }
	}})
	p.announce(1, "unix", "nowhere")
	if _, err := b.Dial(guarded(t), 1); err == nil || !strings.Contains(err.Error(), "not here") {
		t.Errorf("dial: %v, want Resolve's error", err)
	}
	p.announce(2, "unix", "elsewhere")
	if _, err := b.Dial(guarded(t), 2); !errors.Is(err, broker.ErrAddress) {
		t.Errorf("dial: %v, want ErrAddress: what Resolve returns is checked too", err)
	}
	if _, err := b.Accept(guarded(t), 3); err != nil {
		t.Fatalf("accept: %v", err)
	}
	if m := p.hear(); m.GetServiceId() != 3 || m.GetNetwork() != "tcp" || m.GetAddress() != "container:80" {
		t.Errorf("announced %v, want Announce's address", m)
	}
}

func TestAllowRemote(t *testing.T) {
	b, p := against(t, shape{change: func(c *broker.Config) { c.AllowRemote = true }})
	p.announce(1, "tcp", "192.0.2.1:80")
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if _, err := b.Dial(ctx, 1); err == nil || errors.Is(err, broker.ErrAddress) {
		t.Errorf("dial: %v, want an error of the dialling", err)
	}
}

// The newest announcement of a number counts; an announcement is good for one Dial.
func TestAnnouncedTwice(t *testing.T) {
	b, p := against(t, shape{})
	l, err := transport.Listen(transport.ListenConfig{Network: handshake.Unix, Dir: shortDir(t)})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	p.announce(4, "udp", "first")
	p.announce(4, "unix", l.Addr().String())
	p.heard()
	cc, err := b.Dial(guarded(t), 4)
	if err != nil {
		t.Fatalf("dial: %v", err)
	}
	defer cc.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if _, err := b.Dial(ctx, 4); !errors.Is(err, broker.ErrNoAnswer) {
		t.Errorf("dial again: %v, want ErrNoAnswer", err)
	}
}

func TestDialedTwiceAtOnce(t *testing.T) {
	b, p := against(t, shape{})
	ends := make(chan error, 2)
	for range 2 {
		go func() { _, err := b.Dial(guarded(t), 4); ends <- err }()
	}
	if err := <-ends; !errors.Is(err, broker.ErrInUse) {
		t.Errorf("the second dial: %v, want ErrInUse", err)
	}
	p.announce(4, "udp", "")
	if err := <-ends; !errors.Is(err, broker.ErrAddress) {
		t.Errorf("the first dial: %v, want ErrAddress", err)
	}
}

func TestNonsense(t *testing.T) {
	for _, mux := range []bool{false, true} {
		t.Run(fmt.Sprintf("mux %t", mux), func(t *testing.T) {
			b, p := against(t, shape{mux: mux, change: func(c *broker.Config) { c.Timeout = 50 * time.Millisecond }})
			p.say(&wire.ConnInfo{})
			p.say(&wire.ConnInfo{ServiceId: 1, Knock: &wire.ConnInfo_Knock{}})
			p.say(&wire.ConnInfo{ServiceId: 1, Knock: &wire.ConnInfo_Knock{Ack: true}})
			p.answer(1, "")
			p.answer(1, "")
			p.answer(1, "no")
			p.announce(1, "unix", strings.Repeat("/long", 1000))
			p.announce(2, strings.Repeat("unix", 100), "/s")
			p.knock(3)
			if m := p.hear(); m.GetServiceId() != 3 || m.GetKnock().GetError() == "" || !m.GetKnock().GetAck() {
				t.Errorf("got %v, want a refusal", m)
			}
			// Nobody answers this: what was said before its knock is no answer to it, and the deadline is the broker's own.
			if _, err := b.Dial(t.Context(), 3); !errors.Is(err, broker.ErrNoAnswer) {
				t.Errorf("dial: %v, want ErrNoAnswer", err)
			}
		})
	}
}

func TestRefused(t *testing.T) {
	b, p := against(t, shape{mux: true})
	ends := make(chan error, 1)
	go func() { _, err := b.Dial(guarded(t), 8); ends <- err }()
	if m := p.hear(); m.GetServiceId() != 8 || !m.GetKnock().GetKnock() || m.GetKnock().GetAck() {
		t.Errorf("got %v, want a knock", m)
	}
	p.answer(9, "another's")
	p.answer(8, "not me")
	p.answer(8, "")
	if err := <-ends; !errors.Is(err, broker.ErrRefused) || !strings.Contains(err.Error(), "not me") {
		t.Errorf("dial: %v, want ErrRefused with the peer's words", err)
	}
}

// flood is how many messages a hostile peer sends in a row, many times what may be pending.
const flood = 20_000

func TestFlood(t *testing.T) {
	tests := []struct {
		name string
		mux  bool
		say  func(p peer, id uint32)
	}{
		{"announcements", false, func(p peer, id uint32) { p.announce(id, "unix", "/nowhere") }},
		{"knocks", true, func(p peer, id uint32) { p.knock(id) }},
		{"knocks without multiplexing", false, func(p peer, id uint32) { p.knock(id) }},
		{"answers", true, func(p peer, id uint32) { p.answer(id, "") }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b, p := against(t, shape{mux: tt.mux})
			ends := make(chan error, 1)
			if !tt.mux {
				go func() { _, err := b.Dial(guarded(t), 1<<30); ends <- err }()
			}
			deaf := make(chan struct{}) // reads, so that the answers do not stop the flood
			go func() {
				defer close(deaf)
				for {
					if m, err := p.stream.Recv(); err != nil || m.GetServiceId() == 1<<31 {
						return
					}
				}
			}()
			before := runtime.NumGoroutine()
			for id := range uint32(flood) {
				tt.say(p, id)
			}
			if after := runtime.NumGoroutine(); after > before+flood/100 { // gRPC's own come and go
				t.Errorf("%d goroutines, %d before", after, before)
			}
			if used := heap(); used > 64<<20 {
				t.Errorf("%d MiB in use", used>>20)
			}
			if !tt.mux { // the one that is waited for gets through
				p.announce(1<<30, "udp", "")
				if err := <-ends; !errors.Is(err, broker.ErrAddress) {
					t.Errorf("dial: %v, want ErrAddress", err)
				}
			}
			_ = p.stream.CloseSend()
			<-deaf
		})
	}
}

func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
