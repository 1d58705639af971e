//go:build unix

package host_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"path/filepath"
	goruntime "runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/plugingen/plugingen/runtime"
	"github.com/plugingen/plugingen/runtime/broker"
	"github.com/plugingen/plugingen/runtime/handshake"
	"github.com/plugingen/plugingen/runtime/host"
)

// performBrokered are the deeds that need a broker, on either side: "callback N DEED" does DEED where N is accepted, "serve" serves
// deeds once more, under the number that it returns.
func performBrokered(ctx context.Context, b *broker.Broker, verb, arg string) (string, error) {
	switch verb {
	case "callback":
		number, deed, _ := strings.Cut(arg, " ")
		id, err := strconv.ParseUint(number, 10, 32)
		if err != nil {
			return "", err
		}
		cc, err := b.Dial(ctx, uint32(id))
		if err != nil {
			return "", err
		}
		defer func() { _ = cc.Close() }()
		return do(ctx, cc, deed)
	case "storm": // many calls at once to what is accepted there
		id, err := strconv.ParseUint(arg, 10, 32)
		if err != nil {
			return "", err
		}
		return "", storm(ctx, b, uint32(id))
	case "serve":
		id := b.NextID()
		go func() { _ = b.AcceptAndServe(context.WithoutCancel(ctx), id, deeds()) }() // until the broker closes
		return strconv.FormatUint(uint64(id), 10), nil
	default:
		return verb + " " + arg, nil
	}
}

const stormOf = 1100 // calls, which are more than a host runs at once

func storm(ctx context.Context, b *broker.Broker, id uint32) error {
	cc, err := b.Dial(ctx, id)
	if err != nil {
		return err
	}
	defer func() { _ = cc.Close() }()
	var calls sync.WaitGroup
	errs := make([]error, stormOf)
	for i := range errs {
		calls.Go(func() { _, errs[i] = do(ctx, cc, "x") })
	}
	calls.Wait()
	return errors.Join(errs...)
}

// A plugin cannot have more of its host's goroutines than the host allows: the calls beyond wait, and come to their turn.
func TestManyCallbacks(t *testing.T) {
	bothWays(t, func(t *testing.T, s *stage, cfg host.Config) {
		p := s.open(cfg)
		var running, most, all atomic.Int64
		full, release := make(chan struct{}), make(chan struct{})
		slow := runtime.Raw("test.Deeds", func(r grpc.ServiceRegistrar) {
			r.RegisterService(&grpc.ServiceDesc{ServiceName: "test.Deeds", Methods: []grpc.MethodDesc{{
				MethodName: "Do",
				Handler: func(_ any, _ context.Context, decode func(any) error, _ grpc.UnaryServerInterceptor) (any, error) {
					n := running.Add(1)
					defer running.Add(-1)
					most.Store(max(most.Load(), n))
					if all.Add(1) == 1024 {
						close(full)
					}
					<-release
					out := &wrapperspb.StringValue{}
					return out, decode(out)
				},
			}}}, nil)
		})
		id := p.Broker().NextID()
		served := make(chan error, 1)
		go func() { served <- p.Broker().AcceptAndServe(context.Background(), id, slow) }()
		result := make(chan error, 1)
		go func() { _, err := do(guarded(t), p.Conn(), fmt.Sprint("storm ", id)); result <- err }()
		await(t, full, "as many calls as the host takes")
		close(release)
		if err := <-result; err != nil {
			t.Errorf("storm: %v", err)
		}
		if most.Load() > 1024 || all.Load() != stormOf {
			t.Errorf("%d calls at once, %d in all; want at most 1024 and %d", most.Load(), all.Load(), stormOf)
		}
		_ = p.Close()
		<-served
	})
}

func guarded(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), guard)
	t.Cleanup(cancel)
	return ctx
}

// accepts serves deeds at this host; ended gets what AcceptAndServe returns, stop stops it.
func accepts(t *testing.T, p *host.Plugin) (id uint32, ended <-chan error, stop func()) {
	t.Helper()
	b := p.Broker()
	id = b.NextID()
	ctx, cancel := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- b.AcceptAndServe(ctx, id, deeds()) }()
	t.Cleanup(cancel)
	return id, served, cancel
}

func dials(t *testing.T, b *broker.Broker, number string) *grpc.ClientConn {
	t.Helper()
	id, err := strconv.ParseUint(number, 10, 32)
	if err != nil {
		t.Fatal(err)
	}
	cc, err := b.Dial(guarded(t), uint32(id))
	if err != nil {
		t.Fatalf("dial %d: %v", id, err)
	}
	t.Cleanup(func() { _ = cc.Close() })
	return cc
}

func bothWays(t *testing.T, test func(*testing.T, *stage, host.Config)) {
	t.Helper()
	for _, mux := range []bool{false, true} {
		t.Run(fmt.Sprint("mux ", mux), func(t *testing.T) {
			s := newStage(t)
			cfg := s.config("good")
			cfg.Multiplex = mux
			test(t, s, cfg)
		})
	}
}

func TestBroker(t *testing.T) {
	for _, network := range []string{handshake.Unix, handshake.TCP} {
		for _, tls := range []host.TLSMode{host.TLSOff, host.TLSAuto, host.TLSMutual} {
			for _, mux := range []bool{false, true} {
				t.Run(fmt.Sprintf("%s, TLS %v, mux %t", network, tls, mux), func(t *testing.T) {
					s := newStage(t)
					cfg := s.config("good")
					cfg.Handshake.Transports, cfg.TLS, cfg.Multiplex = []string{network}, tls, mux
					p := s.open(cfg)
					callBack(t, p)
					atOnce(t, p)
					if err := errors.Join(p.Ping(guarded(t)), p.Close()); err != nil {
						t.Errorf("ping or close: %v", err)
					}
				})
			}
		}
	}
}

// callBack goes from the host to the plugin and back, and so on.
func callBack(t *testing.T, p *host.Plugin) {
	t.Helper()
	id, ended, stop := accepts(t, p)
	more := mustDo(t, p, "serve")
	if got := mustDo(t, p, fmt.Sprintf("callback %d hello", id)); got != "hello" {
		t.Errorf("the plugin calls back: %q", got)
	}
	cc := dials(t, broker.FromConn(p.Conn()), more)
	if got, err := do(guarded(t), cc, "hello"); err != nil || got != "hello" {
		t.Errorf("the host dials: %q, %v", got, err)
	}
	first, _, _ := accepts(t, p) // a number is good for one dial
	second, _, _ := accepts(t, p)
	nested := fmt.Sprintf("callback %d callback %s callback %d once more", first, mustDo(t, p, "serve"), second)
	if got := mustDo(t, p, nested); got != "once more" {
		t.Errorf("nested: %q", got)
	}
	stop()
	if err := <-ended; err != nil {
		t.Errorf("AcceptAndServe: %v", err)
	}
}

// atOnce makes several connections both ways at the same time.
func atOnce(t *testing.T, p *host.Plugin) {
	t.Helper()
	var all sync.WaitGroup
	for i := range 8 {
		id, _, _ := accepts(t, p)
		all.Go(func() {
			deed := fmt.Sprintf("callback %d number %d", id, i)
			if got, err := do(guarded(t), p.Conn(), deed); err != nil || got != fmt.Sprint("number ", i) {
				t.Errorf("%s: %q, %v", deed, got, err)
			}
		})
		more := mustDo(t, p, "serve")
		all.Go(func() {
			if got, err := performBrokered(guarded(t), p.Broker(), "callback", more+" here"); err != nil || got != "here" {
				t.Errorf("dial %s: %q, %v", more, got, err)
			}
		})
	}
	all.Wait()
}

// A listener is for servers of any kind; without TLS the bytes are the peer's own.
func TestBrokerAccept(t *testing.T) {
	bothWays(t, func(t *testing.T, s *stage, cfg host.Config) {
		p := s.open(cfg)
		b := p.Broker()
		l, err := b.Accept(guarded(t), b.NextID())
		if err != nil {
			t.Fatal(err)
		}
		if !cfg.Multiplex && filepath.Dir(filepath.Dir(l.Addr().String())) != s.dir {
			t.Errorf("the host listens on %s, want it in the plugin's folder", l.Addr())
		}
		server := grpc.NewServer(b.ServerOptions()...)
		registerDeeds(server, noListener{})
		served := make(chan error, 1)
		go func() { served <- server.Serve(l) }()
		if got := mustDo(t, p, "callback 1 hello"); got != "hello" {
			t.Errorf("got %q", got)
		}
		if err := p.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
		if err := <-served; !errors.Is(err, broker.ErrClosed) && !errors.Is(err, broker.ErrLost) && !errors.Is(err, net.ErrClosed) {
			t.Errorf("serve: %v", err)
		}
		server.Stop()
	})
}

// A host that closes while calls run both ways cuts them off, and stops as it does without them.
func TestCloseDuringBrokeredCalls(t *testing.T) {
	bothWays(t, func(t *testing.T, s *stage, cfg host.Config) {
		p := s.open(cfg)
		id, ended, _ := accepts(t, p)
		cc := dials(t, p.Broker(), mustDo(t, p, "serve"))
		results := make(chan error, 2)
		go func() { _, err := do(t.Context(), cc, "hang"); results <- err }()
		go func() { _, err := do(t.Context(), p.Conn(), fmt.Sprintf("callback %d hang", id)); results <- err }()
		mustDo(t, p, "x")
		if _, err := do(guarded(t), cc, "x"); err != nil {
			t.Error(err)
		}
		if err := p.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
		for range 2 {
			if err := <-results; status.Code(err) != codes.Unavailable && status.Code(err) != codes.Canceled {
				t.Errorf("call: %v", err)
			}
		}
		if err := <-ended; !errors.Is(err, broker.ErrClosed) && !errors.Is(err, broker.ErrLost) {
			t.Errorf("AcceptAndServe: %v, want ErrClosed or ErrLost", err)
		}
		for _, again := range []*broker.Broker{p.Broker(), broker.FromConn(p.Conn())} {
			if _, err := again.Dial(guarded(t), 1); !errors.Is(err, broker.ErrClosed) {
				t.Errorf("dial after close: %v, want ErrClosed", err)
			}
		}
	})
}

// A broker that nobody has asked for before the end is closed as well.
func TestBrokerAfterClose(t *testing.T) {
	s := newStage(t)
	p := s.open(s.config("good"))
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := p.Broker().Accept(guarded(t), 1); !errors.Is(err, broker.ErrClosed) {
		t.Errorf("accept: %v, want ErrClosed", err)
	}
}

// A call over a brokered connection says why the plugin is gone, and the host's own methods notice that their caller has left.
func TestCrashDuringBrokeredCalls(t *testing.T) {
	bothWays(t, func(t *testing.T, s *stage, cfg host.Config) {
		p := s.open(cfg)
		cc := dials(t, p.Broker(), mustDo(t, p, "serve"))
		id, ended, _ := accepts(t, p)
		result := make(chan error, 1)
		go func() { _, err := do(t.Context(), p.Conn(), fmt.Sprintf("callback %d hang", id)); result <- err }()
		_, err := do(t.Context(), cc, "crash")
		wantGone(t, err, 2, "panic: boom while serving")
		wantGone(t, <-result, 2, "panic: boom while serving")
		if err := <-ended; !errors.Is(err, broker.ErrClosed) && !errors.Is(err, broker.ErrLost) && !errors.Is(err, broker.ErrNotDialed) {
			t.Errorf("AcceptAndServe: %v", err)
		}
		await(t, p.Done(), "done after a crash")
	})
}

// What a plugin says in a status is harmless to print, over a brokered connection as well.
func TestBrokeredStatusIsPrintable(t *testing.T) {
	bothWays(t, func(t *testing.T, s *stage, cfg host.Config) {
		p := s.open(cfg)
		_, err := do(guarded(t), dials(t, p.Broker(), mustDo(t, p, "serve")), "bad-utf8-status")
		if got, want := status.Convert(err).Message(), "no\\x1b[2J such\nthing \\u202e"; got != want {
			t.Errorf("status %q, want %q", got, want)
		}
	})
}

// Translation goes for brokered connections, too: this launcher's plugin and its host see the folder by different names.
func TestBrokerTranslation(t *testing.T) {
	if goruntime.GOOS != "linux" {
		t.Skip("needs /proc/self/cwd")
	}
	s := newStage(t)
	cfg := s.config("good")
	cfg.Launcher = elsewhereLauncher{host.ProcessLauncher{}}
	p := s.open(cfg)
	callBack(t, p)
	if err := p.Close(); err != nil {
		t.Errorf("close: %v", err)
	}
}

// A host that has attached to a plugin is called back as well as the one that started it, each by its own calls.
func TestAttachedBroker(t *testing.T) {
	s := newStage(t)
	p := s.open(s.config("good"))
	q := s.attach(p.Attachment())
	for _, host := range []*host.Plugin{p, q, p} {
		callBack(t, host)
	}
	if err := errors.Join(q.Close(), p.Ping(guarded(t))); err != nil {
		t.Errorf("detach, or ping: %v", err)
	}
	callBack(t, p)
	if err := p.Close(); err != nil {
		t.Errorf("close: %v", err)
	}
}
