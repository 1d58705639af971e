package broker_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"

	"github.com/plugingen/plugingen/runtime"
	"github.com/plugingen/plugingen/runtime/broker"
	"github.com/plugingen/plugingen/runtime/handshake"
	"github.com/plugingen/plugingen/runtime/transport"
)

func shapes() map[string]shape {
	return map[string]shape{
		"unix":     {},
		"tcp":      {network: handshake.TCP},
		"unix TLS": {tls: true},
		"mux":      {mux: true},
		"mux TLS":  {mux: true, tls: true},
	}
}

// each runs a test for every shape, once with the host accepting and once with the plugin.
func each(t *testing.T, test func(t *testing.T, accepts, dials *broker.Broker)) {
	for name, s := range shapes() {
		t.Run(name+", plugin dials", func(t *testing.T) {
			host, plugin := connect(t, s)
			test(t, host, plugin)
		})
		t.Run(name+", host dials", func(t *testing.T) {
			host, plugin := connect(t, s)
			test(t, plugin, host)
		})
	}
}

func TestAcceptAndServe(t *testing.T) {
	each(t, func(t *testing.T, accepts, dials *broker.Broker) {
		id := accepts.NextID()
		stop := serve(t, accepts, id)
		cc, err := dials.Dial(guarded(t), id)
		if err != nil {
			t.Fatalf("dial: %v", err)
		}
		check(t, cc)
		check(t, cc)
		if err := cc.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
		if err := stop(); err != nil {
			t.Errorf("AcceptAndServe: %v", err)
		}
	})
}

// Connections that are made at once must not be taken for each other.
func TestManyAtOnce(t *testing.T) {
	each(t, func(t *testing.T, accepts, dials *broker.Broker) {
		var all sync.WaitGroup
		for range 20 {
			all.Go(func() {
				id := accepts.NextID()
				stop := serve(t, accepts, id)
				cc, err := dials.Dial(guarded(t), id)
				if err != nil {
					t.Errorf("dial %d: %v", id, err)
					return
				}
				check(t, cc)
				_ = cc.Close()
				if err := stop(); err != nil {
					t.Errorf("AcceptAndServe %d: %v", id, err)
				}
			})
		}
		all.Wait()
	})
}

func TestDialBeforeAccept(t *testing.T) {
	each(t, func(t *testing.T, accepts, dials *broker.Broker) {
		dialed := make(chan error, 1)
		go func() {
			cc, err := dials.Dial(guarded(t), 7)
			if err == nil {
				check(t, cc)
				err = cc.Close()
			}
			dialed <- err
		}()
		stop := serve(t, accepts, 7)
		if err := <-dialed; err != nil {
			t.Errorf("dial: %v", err)
		}
		if err := stop(); err != nil {
			t.Errorf("AcceptAndServe: %v", err)
		}
	})
}

// A number can be used again once its listener is closed.
func TestNumberComesAgain(t *testing.T) {
	each(t, func(t *testing.T, accepts, dials *broker.Broker) {
		for range 3 {
			stop := serve(t, accepts, 9)
			cc, err := dials.Dial(guarded(t), 9)
			if err != nil {
				t.Fatalf("dial: %v", err)
			}
			check(t, cc)
			_ = cc.Close()
			if err := stop(); err != nil {
				t.Fatalf("AcceptAndServe: %v", err)
			}
		}
	})
}

func TestNobodyAccepts(t *testing.T) {
	each(t, func(t *testing.T, _, dials *broker.Broker) {
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		_, err := dials.Dial(ctx, 5)
		if !errors.Is(err, broker.ErrNoAnswer) && !errors.Is(err, broker.ErrNoPeer) || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("dial: %v, want ErrNoAnswer after the deadline", err)
		}
		var e *broker.Error
		if !errors.As(err, &e) || e.ID != 5 || e.Op != "dial" {
			t.Errorf("%#v is no *Error about 5", err)
		}
	})
}

func TestCloseWhileWaiting(t *testing.T) {
	each(t, func(t *testing.T, accepts, dials *broker.Broker) {
		l, err := accepts.Accept(guarded(t), 3)
		if err != nil {
			t.Fatalf("accept: %v", err)
		}
		ends := make(chan error, 3)
		go func() { _, err := dials.Dial(guarded(t), 5); ends <- err }()
		go func() { _, err := l.Accept(); ends <- err }()
		go func() { ends <- accepts.AcceptAndServe(guarded(t), 4, healthy()) }()
		for range 3 {
			if err := errors.Join(accepts.Close(), dials.Close()); err != nil {
				t.Errorf("close: %v", err)
			}
			if err := <-ends; !errors.Is(err, broker.ErrClosed) && !errors.Is(err, broker.ErrLost) {
				t.Errorf("got %v, want ErrClosed or ErrLost", err)
			}
		}
		if _, err := accepts.Accept(guarded(t), 6); !errors.Is(err, broker.ErrClosed) {
			t.Errorf("accept after close: %v", err)
		}
		if _, err := dials.Dial(guarded(t), 6); !errors.Is(err, broker.ErrClosed) {
			t.Errorf("dial after close: %v", err)
		}
	})
}

func TestInUse(t *testing.T) {
	each(t, func(t *testing.T, accepts, _ *broker.Broker) {
		l, err := accepts.Accept(guarded(t), 3)
		if err != nil {
			t.Fatalf("accept: %v", err)
		}
		if _, err := accepts.Accept(guarded(t), 3); !errors.Is(err, broker.ErrInUse) {
			t.Errorf("accept again: %v, want ErrInUse", err)
		}
		if err := l.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
		l, err = accepts.Accept(guarded(t), 3)
		if err != nil {
			t.Fatalf("accept after close: %v", err)
		}
		if err := errors.Join(l.Close(), l.Close()); err != nil {
			t.Errorf("close twice: %v", err)
		}
	})
}

func TestListenerThatNobodyDials(t *testing.T) {
	for _, mux := range []bool{false, true} {
		t.Run(fmt.Sprintf("mux %t", mux), func(t *testing.T) {
			dir := shortDir(t)
			s := shape{mux: mux, change: func(c *broker.Config) { c.Expiry = 10 * time.Millisecond }}
			p := servePlugin(t, s, s.config(dir), dir, nil)
			host, _ := attach(t, s, p, s.config(dir))
			before := len(sockets(t, dir))
			for id := range uint32(20) {
				if err := host.AcceptAndServe(guarded(t), id, healthy()); !errors.Is(err, broker.ErrNotDialed) {
					t.Errorf("AcceptAndServe: %v, want ErrNotDialed", err)
				}
			}
			if after := sockets(t, dir); len(after) != before {
				t.Errorf("sockets are left: %v", after)
			}
		})
	}
}

// A listener that was dialled does not expire: one that was accepted later, and not dialled, does.
func TestDialedListenerStays(t *testing.T) {
	bothWays(t, func(t *testing.T, s shape) {
		expiry := 200 * time.Millisecond
		for !staysWhenDialed(t, s, expiry) { // a busy machine has not dialled the first one by then
			if expiry *= 4; expiry > time.Minute {
				t.Fatal("the first listener is never dialled in time")
			}
		}
	})
}

// staysWhenDialed is false when the listener that was to be dialled had expired before.
func staysWhenDialed(t *testing.T, s shape, expiry time.Duration) bool {
	t.Helper()
	s.change = func(c *broker.Config) { c.Expiry = expiry }
	host, plugin := connect(t, s)
	ctx, cancel := context.WithCancel(guarded(t))
	defer cancel()
	ended := make(chan error, 1)
	go func() {
		err := host.AcceptAndServe(ctx, 1, healthy())
		cancel() // nobody is to dial what has ended
		ended <- err
	}()
	cc, err := plugin.Dial(ctx, 1)
	if err != nil {
		if err := <-ended; !errors.Is(err, broker.ErrNotDialed) {
			t.Errorf("AcceptAndServe: %v, want ErrNotDialed after %v", err, expiry)
		}
		return false
	}
	defer cc.Close()
	check(t, cc)
	if err := host.AcceptAndServe(guarded(t), 2, healthy()); !errors.Is(err, broker.ErrNotDialed) {
		t.Errorf("AcceptAndServe: %v, want ErrNotDialed", err)
	}
	check(t, cc)
	cancel()
	if err := <-ended; err != nil {
		t.Errorf("AcceptAndServe: %v", err)
	}
	return true
}

// A connection that never says a word does not hold up the end.
func TestSilentConnection(t *testing.T) {
	dir := shortDir(t)
	s := shape{change: func(c *broker.Config) { c.Timeout, c.Expiry = time.Hour, time.Hour }}
	p := servePlugin(t, s, s.config(dir), dir, nil)
	host, _, stop := attachOnce(t, s, p, s.config(dir))
	defer stop()
	l, err := host.Accept(guarded(t), 1)
	if err != nil {
		t.Fatal(err)
	}
	addr := l.Addr().String()
	server := grpc.NewServer(host.ServerOptions()...)
	served := make(chan error, 1)
	go func() { served <- server.Serve(l) }()
	c, err := transport.Dial(guarded(t), handshake.Unix, addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	preface := make([]byte, 9) // the server's settings: it has taken the connection
	_ = c.SetReadDeadline(time.Now().Add(time.Minute))
	if _, err := io.ReadFull(c, preface); err != nil {
		t.Fatalf("read: %v", err)
	}
	if err := host.Close(); err != nil {
		t.Errorf("close: %v", err)
	}
	if err := <-served; !errors.Is(err, broker.ErrClosed) {
		t.Errorf("serve: %v, want ErrClosed", err)
	}
	server.Stop()
}

func TestTooManyListeners(t *testing.T) {
	for _, mux := range []bool{false, true} {
		t.Run(fmt.Sprintf("mux %t", mux), func(t *testing.T) {
			host, _ := connect(t, shape{mux: mux, change: func(c *broker.Config) { c.MaxPending = 3 }})
			for id := range uint32(3) {
				if _, err := host.Accept(guarded(t), id); err != nil {
					t.Fatalf("accept: %v", err)
				}
			}
			if _, err := host.Accept(guarded(t), 99); !errors.Is(err, broker.ErrTooMany) {
				t.Errorf("accept: %v, want ErrTooMany", err)
			}
		})
	}
}

func TestNoListen(t *testing.T) {
	host, _ := connect(t, shape{change: func(c *broker.Config) { c.Listen = nil }})
	if _, err := host.Accept(guarded(t), 1); !errors.Is(err, broker.ErrNoListen) {
		t.Errorf("accept: %v, want ErrNoListen", err)
	}
}

func TestServiceTwice(t *testing.T) {
	host, _ := connect(t, shape{})
	if err := host.AcceptAndServe(guarded(t), 1, healthy(), healthy()); err == nil {
		t.Error("two implementations of one service are served")
	}
}

func TestNextID(t *testing.T) {
	b := broker.New(broker.Config{})
	if a, c := b.NextID(), b.NextID(); a != 1 || c != 2 {
		t.Errorf("numbers %d and %d, want 1 and 2, as go-plugin counts", a, c)
	}
}

// Shutdown lets calls finish, those that a client has begun by then, and cuts the others off when its context ends.
func TestShutdown(t *testing.T) {
	bothWays(t, func(t *testing.T, s shape) {
		for _, patient := range []bool{true, false} {
			host, plugin := connect(t, s)
			began, goOn := make(chan struct{}), make(chan struct{})
			served := make(chan error, 1)
			go func() { served <- plugin.AcceptAndServe(context.Background(), 1, waiting(began, goOn)) }()
			cc, err := host.Dial(guarded(t), 1)
			if err != nil {
				t.Fatal(err)
			}
			result := make(chan error, 1)
			go func() {
				_, err := healthpb.NewHealthClient(cc).Check(guarded(t), &healthpb.HealthCheckRequest{})
				result <- err
			}()
			<-began
			ctx, cancel := context.WithCancel(guarded(t))
			ended := make(chan error, 1)
			go func() { ended <- plugin.Shutdown(ctx) }()
			if patient {
				if err := plugin.AcceptAndServe(guarded(t), 2); !errors.Is(err, broker.ErrClosed) {
					t.Errorf("serve during the shutdown: %v", err)
				}
				close(goOn)
			} else {
				cancel()
			}
			if err := <-ended; err != nil {
				t.Errorf("shutdown: %v", err)
			}
			if err := <-result; (err == nil) != patient {
				t.Errorf("the call ends with %v, its time was enough: %t", err, patient)
			}
			if err := <-served; !errors.Is(err, broker.ErrClosed) {
				t.Errorf("serve: %v, want ErrClosed", err)
			}
			cancel()
			_ = cc.Close()
		}
	})
}

// waiting is a service whose calls wait for goOn.
func waiting(began chan<- struct{}, goOn <-chan struct{}) runtime.Implementation {
	return runtime.Raw("grpc.health.v1.Health", func(r grpc.ServiceRegistrar) {
		healthpb.RegisterHealthServer(r, waiter{began: began, goOn: goOn})
	})
}

type waiter struct {
	healthpb.UnimplementedHealthServer
	began chan<- struct{}
	goOn  <-chan struct{}
}

func (w waiter) Check(ctx context.Context, _ *healthpb.HealthCheckRequest) (*healthpb.HealthCheckResponse, error) {
	close(w.began)
	select {
	case <-w.goOn:
		return &healthpb.HealthCheckResponse{}, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}
