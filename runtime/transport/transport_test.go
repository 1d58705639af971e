package transport_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"runtime"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/plugingen/plugingen/runtime/handshake"
	"github.com/plugingen/plugingen/runtime/transport"
)

// networks is what this system has.
func networks() []string { return handshake.Config{}.Networks() }

func listen(t testing.TB, cfg transport.ListenConfig) net.Listener {
	t.Helper()
	l, err := transport.Listen(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	})
	return l
}

func dial(t testing.TB, network, address string) net.Conn {
	t.Helper()
	conn, err := transport.Dial(t.Context(), network, address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	// A hang guard: nothing here takes that long.
	if err := conn.SetDeadline(time.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	return conn
}

func accept(t testing.TB, l net.Listener) net.Conn {
	t.Helper()
	conn, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

// checkTalk sends a line from a new connection to l through to its other end.
func checkTalk(t *testing.T, l net.Listener, network, address string) {
	t.Helper()
	here := dial(t, network, address)
	there := accept(t, l)
	if _, err := io.WriteString(here, "hello"); err != nil {
		t.Fatal(err)
	}
	_ = here.Close()
	got, err := io.ReadAll(there)
	if err != nil || string(got) != "hello" {
		t.Errorf("got %q, %v, want hello", got, err)
	}
}

// checkError wants an *Error around want.
func checkError(t *testing.T, err, want error) {
	t.Helper()
	var typed *transport.Error
	if !errors.As(err, &typed) || typed.Op == "" || !errors.Is(err, want) {
		t.Fatalf("got error %v (%T), want a *transport.Error around %v", err, err, want)
	}
}

func TestListenAndDial(t *testing.T) {
	for _, network := range networks() {
		t.Run(network, func(t *testing.T) {
			l := listen(t, transport.ListenConfig{Network: network})
			if got := l.Addr().Network(); got != network {
				t.Errorf("got an address on %s, want %s", got, network)
			}
			checkTalk(t, l, network, l.Addr().String())
			checkTalk(t, l, network, l.Addr().String())
		})
	}
}

func TestAddressFitsTheHandshake(t *testing.T) {
	for _, network := range networks() {
		l := listen(t, transport.ListenConfig{Network: network})
		line, err := handshake.Build(handshake.Response{ProtocolVersion: 1, Network: network, Address: l.Addr().String()})
		if err != nil {
			t.Fatal(err)
		}
		r, err := handshake.Parse(line)
		if err != nil || r.Address != l.Addr().String() || !r.IsLoopback() {
			t.Errorf("%s: got %+v, %v, want loopback at %s", network, r, err, l.Addr())
		}
	}
}

func TestCloseEndsAcceptAndIsIdempotent(t *testing.T) {
	for _, network := range networks() {
		t.Run(network, func(t *testing.T) {
			l, err := transport.Listen(transport.ListenConfig{Network: network})
			if err != nil {
				t.Fatal(err)
			}
			ended := make(chan error)
			go func() {
				_, err := l.Accept()
				ended <- err
			}()
			var wg sync.WaitGroup
			for range 8 {
				wg.Go(func() {
					if err := l.Close(); err != nil {
						t.Error(err)
					}
				})
			}
			wg.Wait()
			if err := <-ended; !errors.Is(err, net.ErrClosed) {
				t.Errorf("got %v, want net.ErrClosed", err)
			}
			_, err = transport.Dial(t.Context(), network, l.Addr().String())
			checkError(t, err, closedError(network))
		})
	}
}

// closedError is what dialling a closed listener says.
func closedError(network string) error {
	if network == handshake.Unix {
		return syscall.ENOENT
	}
	return refusedError()
}

func refusedError() error {
	if runtime.GOOS == "windows" {
		return syscall.Errno(10061) // WSAECONNREFUSED
	}
	return syscall.ECONNREFUSED
}

func portInUse() error {
	if runtime.GOOS == "windows" {
		return syscall.Errno(10048) // WSAEADDRINUSE
	}
	return syscall.EADDRINUSE
}

func TestSilentPeersDoNotHoldUpOthers(t *testing.T) {
	for _, network := range networks() {
		t.Run(network, func(t *testing.T) {
			l := listen(t, transport.ListenConfig{Network: network})
			for range 100 {
				dial(t, network, l.Addr().String()) // and says nothing
				accept(t, l)
			}
			checkTalk(t, l, network, l.Addr().String())
		})
	}
}

func TestUnknownNetworks(t *testing.T) {
	for _, network := range []string{"", "udp", "UNIX", "tcp6", "unixpacket"} {
		_, err := transport.Listen(transport.ListenConfig{Network: network})
		checkError(t, err, transport.ErrNetwork)
		_, err = transport.Dial(t.Context(), network, "127.0.0.1:1")
		checkError(t, err, transport.ErrNetwork)
	}
}

func TestDialEndsWithItsContext(t *testing.T) {
	canceled, cancel := context.WithCancel(t.Context())
	cancel()
	for _, network := range networks() {
		l := listen(t, transport.ListenConfig{Network: network})
		_, err := transport.Dial(canceled, network, l.Addr().String())
		checkError(t, err, context.Canceled)
	}
}

func TestTCPIsOnLoopback(t *testing.T) {
	l := listen(t, transport.ListenConfig{Network: "tcp"})
	if a := l.Addr().(*net.TCPAddr); !a.IP.Equal(net.IPv4(127, 0, 0, 1)) || a.Port == 0 {
		t.Errorf("got %v, want a port of 127.0.0.1", a)
	}
	_, port, _ := net.SplitHostPort(l.Addr().String())
	checkTalk(t, l, "tcp", "localhost:"+port)
}

func TestDialLocalhostIsAlsoIPv6(t *testing.T) {
	l, err := net.Listen("tcp", "[::1]:0")
	if err != nil {
		t.Skip("no IPv6 here:", err)
	}
	defer func() { _ = l.Close() }()
	_, port, _ := net.SplitHostPort(l.Addr().String())
	checkTalk(t, l, "tcp", "localhost:"+port)
}

func TestDialSaysWhatItTried(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(l.Addr().String())
	_ = l.Close()
	_, err = transport.Dial(t.Context(), "tcp", "localhost:"+port)
	checkError(t, err, refusedError())
}

// freePorts returns the first of count ports in a row that were free a moment ago.
func freePorts(t *testing.T, count int) int {
	t.Helper()
	for range 100 {
		first := listen(t, transport.ListenConfig{Network: "tcp"}).Addr().(*net.TCPAddr).Port
		if first+count < 65535 && areFree(first+1, count) {
			return first + 1
		}
	}
	t.Fatal("no free ports in a row")
	return 0
}

func areFree(first, count int) bool {
	for port := range count {
		l, err := net.Listen("tcp", "127.0.0.1:"+strconv.Itoa(first+port))
		if err != nil {
			return false
		}
		_ = l.Close()
	}
	return true
}

func TestTCPPortRange(t *testing.T) {
	first := freePorts(t, 3)
	cfg := transport.ListenConfig{Network: "tcp", MinPort: first, MaxPort: first + 2}
	got := map[int]bool{}
	for range 3 {
		got[listen(t, cfg).Addr().(*net.TCPAddr).Port] = true
	}
	if !got[first] || !got[first+1] || !got[first+2] {
		t.Errorf("got ports %v, want all three from %d", got, first)
	}
	_, err := transport.Listen(cfg)
	checkError(t, err, transport.ErrNoPort)
	checkError(t, err, portInUse())
}

func TestTCPPortRangesThatCannotBe(t *testing.T) {
	for _, r := range [][2]int{{-1, 10}, {0, -1}, {1, 65536}, {70000, 0}, {20, 10}} {
		_, err := transport.Listen(transport.ListenConfig{Network: "tcp", MinPort: r[0], MaxPort: r[1]})
		checkError(t, err, transport.ErrPortRange)
	}
}

func TestTCPPortRangeWithOneEnd(t *testing.T) {
	l := listen(t, transport.ListenConfig{Network: "tcp", MinPort: 20000})
	if port := l.Addr().(*net.TCPAddr).Port; port < 20000 {
		t.Errorf("got port %d, want 20000 or more", port)
	}
	l = listen(t, transport.ListenConfig{Network: "tcp", MaxPort: 40000})
	if port := l.Addr().(*net.TCPAddr).Port; port > 40000 {
		t.Errorf("got port %d, want 40000 or less", port)
	}
}

func ExampleListen() {
	l, err := transport.Listen(transport.ListenConfig{Network: handshake.TCP, MinPort: 10000, MaxPort: 25000})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = l.Close() }()
	fmt.Println(l.Addr().Network())
	// Output: tcp
}

func ExampleDial() {
	l, err := transport.Listen(transport.ListenConfig{Network: handshake.TCP})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = l.Close() }()
	conn, err := transport.Dial(context.Background(), handshake.TCP, l.Addr().String())
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(conn.RemoteAddr().Network(), conn.Close())
	// Output: tcp <nil>
}
