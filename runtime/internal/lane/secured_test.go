package lane

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	pb "google.golang.org/grpc/interop/grpc_testing"
	"google.golang.org/grpc/peer"

	"github.com/plugingen/plugingen/runtime/internal/mtls"
)

// keys are made once: they take longer than most tests.
var keys = sync.OnceValue(func() (both struct{ client, server *tls.Config }) {
	client, err := mtls.New()
	if err != nil {
		panic(err)
	}
	server, err := mtls.New()
	if err != nil {
		panic(err)
	}
	both.client, both.server = client.Client(server.DER()), server.Server(client.DER())
	return both
})

// secure has both ends of a connection shake hands.
func secure(t testing.TB, clientEnd, serverEnd net.Conn) (client, server *Secured) {
	t.Helper()
	client, server = SecureClient(clientEnd, keys().client), SecureServer(serverEnd, keys().server)
	done := make(chan error, 1)
	go func() { done <- server.HandshakeContext(within(t)) }()
	if err := errors.Join(client.HandshakeContext(within(t)), receive(t, done)); err != nil {
		t.Fatal(err)
	}
	if !client.IsLane() || !server.IsLane() {
		t.Fatal("two that offer the lane do not agree on it")
	}
	return client, server
}

func openSecured(t testing.TB, s setup, clientEnd, serverEnd net.Conn) grpc.ClientConnInterface {
	client, server := secure(t, clientEnd, serverEnd)
	return openLaneOn(t, s, NewCarrier(client), NewCarrier(server))
}

// tcpPair returns two connected sockets of loopback.
func tcpPair(t testing.TB) (client, server net.Conn) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if client, err = net.Dial("tcp", l.Addr().String()); err != nil {
		t.Fatal(err)
	}
	if server, err = l.Accept(); err != nil {
		t.Fatal(err)
	}
	return client, server
}

// hiddenConn hides what kind of connection it is.
type hiddenConn struct{ net.Conn }

// TestSecuredAgreement: who does not offer the lane speaks what it offers, and gets all the bytes.
func TestSecuredAgreement(t *testing.T) {
	offers := func(protos ...string) *tls.Config {
		cfg := keys().client.Clone()
		cfg.NextProtos = protos
		return cfg
	}
	for want, client := range map[string]func(net.Conn) *tls.Conn{
		"h2":                    func(c net.Conn) *tls.Conn { return tls.Client(c, offers("h2")) },
		"":                      func(c net.Conn) *tls.Conn { return tls.Client(c, offers()) },
		ALPN:                    func(c net.Conn) *tls.Conn { return SecureClient(c, offers()).Conn },
		ALPN + ", offered last": func(c net.Conn) *tls.Conn { return tls.Client(c, offers("h2", ALPN)) },
	} {
		t.Run(want, func(t *testing.T) {
			clientEnd, serverEnd := socketPair(t)
			defer clientEnd.Close()
			server := SecureServer(serverEnd, keys().server)
			defer server.Close()
			c := client(clientEnd)
			wrote := make(chan error, 1)
			go func() { _, err := io.WriteString(c, "first words"); wrote <- err }()
			if first := server.first(); first != 'f' {
				t.Errorf("first byte %q", first)
			}
			words := make([]byte, len("first words"))
			if _, err := io.ReadFull(server, words); err != nil || string(words) != "first words" {
				t.Errorf("%q, %v", words, err)
			}
			if err := receive(t, wrote); err != nil {
				t.Error(err)
			}
			if got := server.ConnectionState().NegotiatedProtocol; got != c.ConnectionState().NegotiatedProtocol || server.IsLane() != (want != "h2" && want != "") {
				t.Errorf("they agree on %q", got)
			}
		})
	}
}

// TestSecuredBytes moves many bytes both ways at once, in pieces of all sizes and by all the ways to read and to write.
func TestSecuredBytes(t *testing.T) {
	for name, pair := range map[string]func(testing.TB) (net.Conn, net.Conn){
		"unix": socketPair,
		"tcp":  tcpPair,
		"hidden": func(t testing.TB) (net.Conn, net.Conn) {
			a, b := socketPair(t)
			return hiddenConn{a}, hiddenConn{b}
		},
	} {
		t.Run(name, func(t *testing.T) {
			clientEnd, serverEnd := pair(t)
			a, b := secure(t, clientEnd, serverEnd)
			one, other := NewCarrier(a), NewCarrier(b)
			defer one.Close()
			defer other.Close()
			const size = 3 << 20
			want := pattern(size)
			results := make(chan error, 4)
			for seed, c := range []Carrier{one, other} {
				go func() { results <- writeOddly(c, want, rand.New(rand.NewPCG(uint64(seed), 1))) }()
				go func() { results <- readOddly(c, want, rand.New(rand.NewPCG(uint64(seed), 2))) }()
			}
			for range cap(results) {
				if err := receive(t, results); err != nil {
					t.Error(err)
				}
			}
		})
	}
}

func writeOddly(c Carrier, p []byte, rng *rand.Rand) error {
	for len(p) > 0 {
		piece := p[:min(len(p), 1+rng.IntN(1<<(1+rng.IntN(19))))]
		var n int
		var err error
		switch rng.IntN(4) {
		case 0:
			n, err = c.Write(piece)
		case 1:
			n, err = c.WriteUntil(piece, nil)
		case 2:
			at := rng.IntN(len(piece))
			n, err = c.TryWrite(piece[:at], piece[at:])
		default:
			n, err = c.TryWrite(piece, nil)
		}
		if err != nil {
			return err
		}
		if p = p[n:]; n == 0 {
			n, err = c.Write(piece)
			p = p[n:]
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func readOddly(c Carrier, want []byte, rng *rand.Rand) error {
	buf := make([]byte, 300<<10)
	for at := 0; at < len(want); {
		p := buf[:1+rng.IntN(1<<(1+rng.IntN(18)))]
		n, err := 0, error(nil)
		if rng.IntN(2) == 0 {
			n, err = c.TryRead(p)
		}
		if n == 0 && err == nil {
			n, err = c.Read(p)
		}
		if err != nil {
			return fmt.Errorf("after %d bytes: %w", at, err)
		}
		if !bytes.Equal(p[:n], want[at:at+n]) {
			return fmt.Errorf("wrong bytes at %d", at)
		}
		at += n
	}
	return nil
}

// TestSecuredCloseSends: what was taken goes, though the connection is closed while it waits for the reader.
func TestSecuredCloseSends(t *testing.T) {
	clientEnd, serverEnd := socketPair(t)
	a, b := secure(t, clientEnd, serverEnd)
	one, other := NewCarrier(a), NewCarrier(b)
	defer other.Close()
	sent := 0
	for {
		n, err := one.TryWrite(pattern(5000), nil)
		if err != nil {
			t.Fatal(err)
		}
		if n == 0 {
			break
		}
		sent += n
	}
	read := make(chan error, 1)
	go func() { _, err := one.Read(make([]byte, 1)); read <- err }()
	if err := one.Close(); err != nil {
		t.Error(err)
	}
	if err := receive(t, read); err == nil {
		t.Error("a read goes on after Close")
	}
	if n, err := io.Copy(io.Discard, struct{ io.Reader }{other}); n != int64(sent) || err != nil {
		t.Errorf("%d bytes arrived, %d were taken; %v", n, sent, err)
	}
}

// TestSecuredPeer: what protects the connection is what both sides see.
func TestSecuredPeer(t *testing.T) {
	seen := make(chan *peer.Peer, 1)
	clientEnd, serverEnd := socketPair(t)
	conn := openSecured(t, setup{
		service: newTestServer(),
		unaryServer: []grpc.UnaryServerInterceptor{func(ctx context.Context, req any, _ *grpc.UnaryServerInfo, handle grpc.UnaryHandler) (any, error) {
			p, _ := peer.FromContext(ctx)
			seen <- p
			return handle(ctx, req)
		}},
	}, clientEnd, serverEnd)
	var client peer.Peer
	if _, err := pb.NewTestServiceClient(conn).UnaryCall(within(t), input(10), grpc.Peer(&client)); err != nil {
		t.Fatal(err)
	}
	for side, p := range map[string]*peer.Peer{"server": receive(t, seen), "client": &client} {
		info, ok := p.AuthInfo.(credentials.TLSInfo)
		if !ok || len(info.State.PeerCertificates) != 1 || info.SecurityLevel != credentials.PrivacyAndIntegrity {
			t.Errorf("the %s sees %v", side, p)
		}
	}
}

// The same as TestCutAtRandomPoints below TLS: whatever is cut is no plain text.
func TestSecuredCutAtRandomPoints(t *testing.T) {
	rounds := 200
	if testing.Short() {
		rounds = 20
	}
	for i := range rounds {
		rng := rand.New(rand.NewPCG(uint64(i), 9))
		clientEnd, serverEnd := socketPair(t)
		left := &atomic.Int64{}
		left.Store(4<<10 + rng.Int64N(1<<(4+rng.IntN(16)))) // enough to shake hands
		if rng.IntN(2) == 0 {
			clientEnd = cutConn{clientEnd, left}
		} else {
			serverEnd = cutConn{serverEnd, left}
		}
		a, b := secure(t, clientEnd, serverEnd)
		server, s := NewServer(ServerConfig{Logger: quiet()}), newCountingServer()
		pb.RegisterTestServiceServer(server, s)
		served := make(chan error, 1)
		go func() { served <- server.Serve(NewCarrier(b)) }()
		client := NewClient(NewCarrier(a), ClientConfig{})
		ended := make(chan struct{})
		go func() {
			var wg sync.WaitGroup
			for g := range 1 + rng.IntN(4) {
				seed := rng.Uint64()
				wg.Go(func() { callUntilLost(t, client, seed, g) })
			}
			wg.Wait()
			close(ended)
		}()
		receive(t, ended)
		client.Close()
		receive(t, served)
		server.Stop()
		s.checkOnce(t)
	}
}

// TestSecuredHandshakeIsBounded: one who does not shake hands holds nothing, on a listener beside gRPC.
func TestSecuredHandshakeIsBounded(t *testing.T) {
	server := NewServer(ServerConfig{PrefaceTimeout: 10 * time.Millisecond, Logger: quiet()})
	clientEnd, serverEnd := socketPair(t)
	defer clientEnd.Close()
	in := &oneConn{conn: SecureServer(serverEnd, keys().server), closed: make(chan struct{})}
	both := server.Beside(in, nil)
	other, err := both.Accept()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := other.Read(make([]byte, 1)); err == nil {
		t.Error("it can be read")
	}
	_ = other.Close()
	_ = both.Close()
	both.Wait()
	server.Stop()
}

// oneConn is a listener to which one comes.
type oneConn struct {
	conn   net.Conn
	closed chan struct{}
	once   sync.Once
}

func (o *oneConn) Accept() (c net.Conn, err error) {
	if c, o.conn = o.conn, nil; c != nil {
		return c, nil
	}
	<-o.closed
	return nil, net.ErrClosed
}

func (o *oneConn) Close() error   { o.once.Do(func() { close(o.closed) }); return nil }
func (o *oneConn) Addr() net.Addr { return tunnelAddr{} }
