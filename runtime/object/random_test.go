package object

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"

	"github.com/plugingen/plugingen/runtime/runtimepb"
)

// FuzzObjects has several callers do what the bytes say with live values: call them, call back and forth, keep, pass on and
// release them, give up. The connection may be cut at any byte, or ended in another way. Whatever comes back is right, and in the end
// neither side keeps anything.
func FuzzObjects(f *testing.F) {
	seeds := 30
	if testing.Short() {
		seeds = 10
	}
	for seed := range uint64(seeds) {
		rng := rand.New(rand.NewPCG(seed, 5))
		data := make([]byte, 4+rng.IntN(100))
		for i := range data {
			data[i] = byte(rng.Uint32())
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) < 4 {
			return
		}
		head, deeds := data[:4], data[4:min(len(data), 200)]
		c := newChaos(t, head)
		c.run(head[3], deeds)
		c.nothingIsLeft()
	})
}

// Ways in which a chaos ends before its callers are done.
const (
	never = iota
	cut
	hungUp
	sessionsEnd
	sessionLost
	waysToEnd
)

const callers = 5

// chaos is a host and a plugin that use each other's values in every way at the same time.
type chaos struct {
	*peers
	t     *testing.T
	ended atomic.Bool // so calls may fail
	way   int
}

func newChaos(t *testing.T, head []byte) *chaos {
	c := &chaos{t: t, way: int(head[0]) % waysToEnd}
	left := new(atomic.Int64)
	left.Store(1 << 40)
	if c.way == cut {
		c.ended.Store(true) // at any time
		left.Store(int64(head[1])<<6 + int64(head[2]))
	}
	own := name("the plugin's")
	connect := connectBy
	if head[0]&0x80 != 0 {
		connect = connectBrittleLane
	}
	c.peers = connect(t, &store{
		take: func(ctx context.Context, s shout) (string, error) { return s(ctx, "hello") },
		give: func(context.Context) (shout, error) {
			return func(ctx context.Context, text string) (string, error) { return upper(ctx, text) }, nil
		},
		trade: func(_ context.Context, a named) (named, error) {
			if a == nil {
				return &own, nil
			}
			return a, nil
		},
	}, left)
	return c
}

// connectBy is connect for a connection that ends after so many bytes, for ever.
func connectBy(t *testing.T, s *store, left *atomic.Int64) *peers {
	t.Helper()
	l, err := net.Listen("unix", filepath.Join(t.TempDir(), "s"))
	if err != nil {
		t.Fatal(err)
	}
	server := grpc.NewServer(grpc.WaitForHandlers(true))
	storing(s)(server)
	p := &peers{server: server, hub: hubOf(server)}
	served := make(chan error, 1)
	go func() { served <- server.Serve(l) }()
	p.cc, err = grpc.NewClient("passthrough:///objects", grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) {
			if left.Load() <= 0 {
				return nil, errTest
			}
			conn, err := new(net.Dialer).DialContext(ctx, "unix", l.Addr().String())
			return brittle{conn, left}, err
		}))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = p.cc.Close()
		stopped := make(chan struct{})
		go func() { p.server.Stop(); close(stopped) }()
		receive(t, stopped)
		receive(t, served)
	})
	p.conn = Connect(p.cc)
	return p
}

// connectBrittleLane is connectBy for a lane: the bytes are those of all its sockets.
func connectBrittleLane(t *testing.T, s *store, left *atomic.Int64) *peers {
	t.Helper()
	return connectLane(t, storing(s), func(conn net.Conn) (net.Conn, error) {
		if left.Load() > 1<<32 {
			return conn, nil // as it is in earnest
		}
		return brittle{conn, left}, nil
	})
}

// brittle is a connection that ends after a number of bytes, in the midst of whatever that is.
type brittle struct {
	net.Conn
	left *atomic.Int64
}

func (b brittle) Write(p []byte) (int, error) {
	n, err := b.Conn.Write(p[:min(int64(len(p)), max(b.left.Load(), 0))])
	if b.left.Add(-int64(len(p))) <= 0 {
		_ = b.Close()
		return n, errTest
	}
	return n, err
}

func (b brittle) Read(p []byte) (int, error) {
	n, err := b.Conn.Read(p)
	if b.left.Add(-int64(n)) <= 0 {
		_ = b.Close()
	}
	return n, err
}

// run has the callers do all deeds; the end comes after so many of them.
func (c *chaos) run(endAfter byte, deeds []byte) {
	var done atomic.Int64
	var wg sync.WaitGroup
	for g := range callers {
		wg.Go(func() {
			for i := g; i < len(deeds); i += callers {
				if int(done.Add(1)) == int(endAfter)%50 {
					c.end()
				}
				c.do(int(deeds[i]))
			}
		})
	}
	all := make(chan struct{})
	go func() { wg.Wait(); close(all) }()
	receive(c.t, all)
}

func (c *chaos) end() {
	if c.way == never || c.way == cut {
		return
	}
	c.ended.Store(true)
	switch c.way {
	case hungUp:
		_ = c.cc.Close()
	case sessionsEnd:
		c.hub.EndSessions()
	case sessionLost:
		if s := c.hostSession(); s != nil {
			s.fail(errTest)
		}
	}
}

// check looks at what a deed has brought.
func (c *chaos) check(what, got, want string, err error) {
	switch {
	case err == nil && got == want:
	case err == nil:
		c.t.Errorf("%s: got %q, want %q", what, got, want)
	case !c.ended.Load():
		c.t.Errorf("%s: %v", what, err)
	}
}

// gaveUp is check for a call whose context has ended at some time.
func (c *chaos) gaveUp(what, got, want string, err error) {
	if status.Code(err) != codes.Canceled {
		c.check(what, got, want, err)
	}
}

func (c *chaos) do(deed int) {
	ctx := context.Background()
	switch size := deed / 8; deed % 8 {
	case 0:
		c.nest(ctx, size)
	case 1: // given up at some time
		ctx, cancel := context.WithCancel(ctx)
		go cancel()
		got, err := c.take(ctx, func(ctx context.Context, text string) (string, error) { return c.take(ctx, upper) })
		c.gaveUp("take", got, "HELLO", err)
	case 2: // an error comes back as it is
		_, err := c.take(ctx, func(context.Context, string) (string, error) { return "", status.Error(codes.DataLoss, "lost") })
		if status.Code(err) != codes.DataLoss {
			c.check("an error", "no error", "an error", err)
		}
	case 3:
		c.keep(ctx, size)
	case 4: // a result that nobody may be waiting for
		ctx, cancel := context.WithCancel(ctx)
		go cancel()
		_, err := c.give(ctx)
		c.gaveUp("give", "", "", err)
	case 5: // what the plugin gave goes back to it, as a value of the host's
		s, err := c.give(ctx)
		var got string
		if err == nil {
			got, err = c.take(ctx, s)
		}
		c.check("pass on", got, "HELLO", err)
	case 6: // it comes home
		mine := name(strings.Repeat("x", size))
		got, err := c.trade(ctx, &mine)
		c.check("trade", fmt.Sprint(got == named(&mine)), "true", err)
	case 7: // the same again and again
		a, err := c.trade(ctx, nil)
		b, errB := c.trade(ctx, a)
		c.check("the same", fmt.Sprint(a == b), "true", errors.Join(err, errB))
	}
}

// nest calls back and forth so many times.
func (c *chaos) nest(ctx context.Context, depth int) {
	left := depth
	var down shout
	down = func(ctx context.Context, _ string) (string, error) {
		if left--; left < 0 {
			return "bottom", nil
		}
		return c.take(ctx, down)
	}
	got, err := c.take(ctx, down)
	c.check(fmt.Sprint("nest ", depth), got, "bottom", err)
}

// keep calls a result, releases it, and calls it again.
func (c *chaos) keep(ctx context.Context, times int) {
	scope := Begin(ctx, c.conn, true)
	out := new(runtimepb.Object)
	err := scope.Invoke("/test.Store/Give", &runtimepb.Object{}, out)
	var handle *Handle
	typ := shoutType()
	proxy := typ.Proxy
	typ.Proxy = func(conn grpc.ClientConnInterface) shout { handle = conn.(*Handle); return proxy(conn) }
	var s shout
	if err == nil {
		s, err = Import(scope, typ, out)
	}
	scope.End()
	if err != nil {
		c.check("give", "", "", err)
		return
	}
	for i := range times % 4 {
		text := fmt.Sprint("text ", i)
		got, err := s(ctx, text)
		c.check("keep", got, strings.ToUpper(text), err)
	}
	handle.Release()
	if got, err := s(ctx, "late"); !errors.Is(err, ErrReleased) && !errors.Is(err, ErrConnection) {
		c.t.Errorf("after the release: %q, %v", got, err)
	}
}

// nothingIsLeft waits until what is garbage has been collected.
func (c *chaos) nothingIsLeft() {
	host := c.hostSession()
	if host == nil {
		return
	}
	if c.way == cut || c.way == hungUp {
		_ = c.cc.Close() // perhaps it was not cut yet
		receive(c.t, host.done)
	}
	eventually(c.t, "both tables are empty", func() bool {
		runtime.GC()
		plugin := c.pluginSession()
		return isEmpty(host) && (plugin == nil || isEmpty(plugin))
	})
}

func isEmpty(s *session) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.owned.size() == 0 && len(s.calls) == 0 && (s.err != nil || len(s.proxies) == 0)
}
