package object

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/plugingen/plugingen/runtime/runtimepb"
)

func upper(_ context.Context, text string) (string, error) { return strings.ToUpper(text), nil }

// calls is a plugin that calls what it takes.
func calls(text string) *store {
	return &store{take: func(ctx context.Context, s shout) (string, error) {
		if s == nil {
			return "nil", nil
		}
		return s(ctx, text)
	}}
}

func TestParameterIsCalled(t *testing.T) {
	p := connect(t, calls("hello"))
	for range 3 {
		if got, err := p.take(within(t), upper); got != "HELLO" || err != nil {
			t.Fatalf("got %q, %v", got, err)
		}
	}
	if n := p.hostSession().owned.size(); n != 0 {
		t.Errorf("%d objects are left", n)
	}
}

func TestNilNeedsNoSession(t *testing.T) {
	p := connect(t, calls("hello"))
	if got, err := p.take(within(t), nil); got != "nil" || err != nil {
		t.Errorf("got %q, %v", got, err)
	}
	if p.hostSession() != nil {
		t.Error("a session was opened for nothing")
	}
}

func TestParameterEndsWithItsCall(t *testing.T) {
	var kept shout
	p := connect(t, &store{take: func(_ context.Context, s shout) (string, error) { kept = s; return "", nil }})
	if _, err := p.take(within(t), upper); err != nil {
		t.Fatal(err)
	}
	if _, err := kept(within(t), "late"); !errors.Is(err, ErrReleased) || status.Code(err) != codes.NotFound {
		t.Errorf("got %v, want ErrReleased", err)
	}
}

// A thousand calls, each with an object of its own, run at the same time over one connection.
func TestThousandObjects(t *testing.T) {
	const many = 1000
	g := newGate()
	p := connect(t, &store{take: func(ctx context.Context, s shout) (string, error) {
		if err := g.wait(ctx); err != nil {
			return "", err
		}
		return s(ctx, "x")
	}})
	ctx := within(t)
	var wg sync.WaitGroup
	for i := range many {
		wg.Go(func() {
			want := fmt.Sprint("x", i)
			got, err := p.take(ctx, func(_ context.Context, text string) (string, error) { return fmt.Sprint(text, i), nil })
			if got != want || err != nil {
				t.Errorf("got %q, %v, want %q", got, err, want)
			}
		})
	}
	for range many {
		receive(t, g.entered)
	}
	if n := p.hostSession().owned.size(); n != many {
		t.Errorf("%d objects live, want %d", n, many)
	}
	g.release()
	wg.Wait()
	if n := p.hostSession().owned.size(); n != 0 {
		t.Errorf("%d objects are left", n)
	}
}

func TestResultLivesUntilReleased(t *testing.T) {
	ended := make(chan struct{})
	p := connect(t, &store{give: func(ctx context.Context) (shout, error) {
		context.AfterFunc(ctx, func() { close(ended) })
		return upper, nil
	}})
	scope := Begin(within(t), p.conn, true)
	out := new(runtimepb.Object)
	if err := scope.Invoke("/test.Store/Give", &runtimepb.Object{}, out); err != nil {
		t.Fatal(err)
	}
	handle := new(*Handle)
	typ := shoutType()
	proxy := typ.Proxy
	typ.Proxy = func(conn grpc.ClientConnInterface) shout { *handle = conn.(*Handle); return proxy(conn) }
	s, err := Import(scope, typ, out)
	if err != nil {
		t.Fatal(err)
	}
	scope.End()
	if got, err := s(within(t), "still"); got != "STILL" || err != nil {
		t.Errorf("got %q, %v", got, err)
	}
	select {
	case <-ended:
		t.Error("the call's context has ended before its result")
	default:
	}
	(*handle).Release()
	(*handle).Release()
	if _, err := s(within(t), "late"); !errors.Is(err, ErrReleased) {
		t.Errorf("got %v, want ErrReleased", err)
	}
	receive(t, ended)
	eventually(t, "the owner has let go", func() bool { return p.pluginSession().owned.size() == 0 })
}

func TestResultsAreCollected(t *testing.T) {
	p := connect(t, &store{give: func(context.Context) (shout, error) { return upper, nil }})
	for range 20 {
		if s, err := p.give(within(t)); err != nil {
			t.Fatal(err)
		} else if got, err := s(within(t), "a"); got != "A" || err != nil {
			t.Fatalf("got %q, %v", got, err)
		}
	}
	eventually(t, "garbage is released", func() bool {
		runtime.GC()
		return p.pluginSession().owned.size() == 0
	})
}

func TestCallersContextEndsTheCallsContext(t *testing.T) {
	ended := make(chan error, 1)
	p := connect(t, &store{give: func(ctx context.Context) (shout, error) {
		context.AfterFunc(ctx, func() { ended <- ctx.Err() })
		return upper, nil
	}})
	ctx, cancel := context.WithCancel(within(t))
	s, err := p.give(ctx)
	if err != nil {
		t.Fatal(err)
	}
	cancel()
	if err := receive(t, ended); !errors.Is(err, context.Canceled) {
		t.Errorf("ended with %v", err)
	}
	if got, err := s(within(t), "still"); got != "STILL" || err != nil {
		t.Errorf("got %q, %v", got, err)
	}
	runtime.KeepAlive(s)
}

func TestNoResultLeavesTheContextEnded(t *testing.T) {
	var seen context.Context
	p := connect(t, &store{give: func(ctx context.Context) (shout, error) { seen = ctx; return nil, nil }})
	if s, err := p.give(within(t)); s != nil || err != nil {
		t.Errorf("got %v, %v", s != nil, err)
	}
	receive(t, seen.Done())
}

// What a response carries that nobody waits for any more is released.
func TestLostResultIsReleased(t *testing.T) {
	g := newGate()
	p := connect(t, &store{give: func(context.Context) (shout, error) {
		return upper, g.wait(context.Background())
	}})
	ctx, cancel := context.WithCancel(within(t))
	failed := make(chan error, 1)
	go func() { _, err := p.give(ctx); failed <- err }()
	receive(t, g.entered)
	cancel()
	if err := receive(t, failed); status.Code(err) != codes.Canceled {
		t.Errorf("got %v", err)
	}
	g.release()
	eventually(t, "the result is released", func() bool {
		s := p.pluginSession()
		s.mu.Lock()
		defer s.mu.Unlock()
		return s.owned.size() == 0 && len(s.calls) == 0
	})
}

func TestIdentity(t *testing.T) {
	own := name("plugin's")
	var first, second named
	p := connect(t, &store{trade: func(_ context.Context, a named) (named, error) {
		if _, mine := a.(*name); mine {
			return a, nil // came home
		}
		first, second = second, a
		return &own, nil
	}})
	mine := name("host's")
	a, err := p.trade(within(t), &mine)
	if err != nil {
		t.Fatal(err)
	}
	b, err := p.trade(within(t), &mine)
	if err != nil {
		t.Fatal(err)
	}
	if a != b {
		t.Error("the same object has two proxies")
	}
	if first == second {
		t.Error("two loans are one")
	}
	back, err := p.trade(within(t), a)
	if err != nil || back != a {
		t.Errorf("what went home came back as %v, %v", back, err)
	}
	if n := p.pluginSession().owned.size(); n != 1 {
		t.Errorf("the plugin keeps %d objects, want 1", n)
	}
	runtime.KeepAlive(a)
}

func TestOwnObjectComesHome(t *testing.T) {
	p := connect(t, &store{trade: func(_ context.Context, a named) (named, error) { return a, nil }})
	mine := name("host's")
	if got, err := p.trade(within(t), &mine); got != named(&mine) || err != nil {
		t.Errorf("got %v, %v", got, err)
	}
}

func TestCancellationReachesTheCallback(t *testing.T) {
	p := connect(t, calls("x"))
	ctx, cancel := context.WithCancel(within(t))
	ended := make(chan error, 1)
	_, err := p.take(ctx, func(ctx context.Context, _ string) (string, error) {
		cancel()
		<-ctx.Done()
		ended <- ctx.Err()
		return "", ctx.Err()
	})
	if status.Code(err) != codes.Canceled {
		t.Errorf("got %v", err)
	}
	if err := receive(t, ended); !errors.Is(err, context.Canceled) {
		t.Errorf("the callback's context ended with %v", err)
	}
}

// A peer that goes takes all that it had: calls fail, contexts end, tables are empty.
func TestPeerGoes(t *testing.T) {
	for what, end := range map[string]func(*peers){
		"the connection": func(p *peers) { _ = p.cc.Close() },
		"the plugin":     func(p *peers) { go p.server.Stop() },
		"the sessions":   func(p *peers) { p.hub.EndSessions() },
	} {
		t.Run(what, func(t *testing.T) {
			ended := make(chan struct{})
			p := connect(t, &store{
				give: func(ctx context.Context) (shout, error) {
					context.AfterFunc(ctx, func() { close(ended) })
					return upper, nil
				},
				take: func(ctx context.Context, s shout) (string, error) { return s(ctx, "x") },
			})
			s, err := p.give(within(t))
			if err != nil {
				t.Fatal(err)
			}
			inside, failed := make(chan struct{}), make(chan error, 1)
			go func() {
				_, err := p.take(context.Background(), func(ctx context.Context, _ string) (string, error) {
					close(inside)
					<-ctx.Done()
					return "", ctx.Err()
				})
				failed <- err
			}()
			receive(t, inside)
			host, plugin := p.hostSession(), p.pluginSession()
			end(p)
			if err := receive(t, failed); err == nil {
				t.Error("the call succeeded")
			}
			receive(t, ended)
			receive(t, host.done)
			receive(t, plugin.done)
			if _, err := s(within(t), "late"); !errors.Is(err, ErrConnection) || status.Code(err) != codes.Unavailable {
				t.Errorf("got %v, want ErrConnection", err)
			}
			if n, m := host.owned.size(), plugin.owned.size(); n != 0 || m != 0 {
				t.Errorf("%d and %d objects are left", n, m)
			}
		})
	}
}

// A plugin that stops lets calls of its objects finish, and takes no more.
func TestDrain(t *testing.T) {
	g := newGate()
	p := connect(t, &store{give: func(context.Context) (shout, error) {
		return func(ctx context.Context, text string) (string, error) { return text, g.wait(ctx) }, nil
	}})
	s, err := p.give(within(t))
	if err != nil {
		t.Fatal(err)
	}
	late, cancel := context.WithCancel(context.Background())
	answered := make(chan error, 1)
	go func() { _, err := s(within(t), "x"); answered <- err }()
	receive(t, g.entered)
	drained := make(chan struct{})
	go func() { p.hub.Drain(late); close(drained) }()
	calling := &p.pluginSession().calling
	eventually(t, "it drains", func() bool { calling.mu.Lock(); defer calling.mu.Unlock(); return calling.idle != nil })
	if _, err := s(within(t), "late"); status.Code(err) != codes.Unavailable {
		t.Errorf("a call that begins late: %v, want Unavailable", err)
	}
	select {
	case <-drained:
		t.Error("it did not wait")
	default:
	}
	g.release()
	if err := receive(t, answered); err != nil {
		t.Error(err)
	}
	receive(t, drained)
	cancel()
}

// After a session has ended, the next call opens another one.
func TestNewSession(t *testing.T) {
	p := connect(t, calls("hello"))
	for range 3 {
		if got, err := p.take(within(t), upper); got != "HELLO" || err != nil {
			t.Fatalf("got %q, %v", got, err)
		}
		s := p.hostSession()
		s.fail(errTest)
		receive(t, s.done)
	}
}

func TestPeerWithoutObjects(t *testing.T) {
	p := connectWith(t, func(r grpc.ServiceRegistrar) { r.RegisterService(describeStore(), calls("x")) })
	for range 2 {
		if _, err := p.take(within(t), upper); !errors.Is(err, ErrUnsupported) || status.Code(err) != codes.Unimplemented {
			t.Errorf("got %v, want ErrUnsupported", err)
		}
	}
}

func TestClientsWithoutASession(t *testing.T) {
	p := connect(t, &store{
		take: func(context.Context, shout) (string, error) { return "", nil },
		give: func(context.Context) (shout, error) { return upper, nil },
	})
	err := p.cc.Invoke(within(t), "/test.Store/Take", &runtimepb.Object{Id: 1, Lent: true}, new(wrapperspb.StringValue))
	if status.Code(err) != codes.FailedPrecondition {
		t.Errorf("an object of nobody: %v", err)
	}
	err = p.cc.Invoke(within(t), "/test.Store/Give", &runtimepb.Object{}, new(runtimepb.Object))
	if status.Code(err) != codes.FailedPrecondition {
		t.Errorf("a result for nobody: %v", err)
	}
}

func TestHostileReferences(t *testing.T) {
	p := connect(t, &store{
		take: func(ctx context.Context, s shout) (string, error) { return s(ctx, "x") },
		give: func(context.Context) (shout, error) { return upper, nil },
	})
	s, err := p.give(within(t))
	if err != nil {
		t.Fatal(err)
	}
	defer runtime.KeepAlive(s)
	for what, c := range map[string]struct {
		ref  *runtimepb.Object
		code codes.Code
	}{
		"an id that was never sent": {&runtimepb.Object{Id: 99, Lent: true}, codes.NotFound},
		"a home that is none":       {&runtimepb.Object{Id: 99, Home: true}, codes.InvalidArgument},
		"a kept id of nobody":       {&runtimepb.Object{Id: 1 << 60}, codes.NotFound},
	} {
		t.Run(what, func(t *testing.T) {
			scope := Begin(within(t), p.conn, true)
			defer scope.End()
			if _, err := scope.need(); err != nil {
				t.Fatal(err)
			}
			err := scope.Invoke("/test.Store/Take", c.ref, new(wrapperspb.StringValue))
			if status.Code(err) != c.code {
				t.Errorf("got %v, want %v", err, c.code)
			}
		})
	}
	t.Run("a home of another type", func(t *testing.T) {
		scope := Begin(within(t), p.conn, true)
		defer scope.End()
		if _, err := scope.need(); err != nil {
			t.Fatal(err)
		}
		if err := scope.Invoke("/test.Store/Trade", &runtimepb.Object{Id: 1, Home: true}, new(runtimepb.Object)); status.Code(err) != codes.InvalidArgument {
			t.Errorf("got %v", err)
		}
	})
}

// A peer may send anything on the inside, too.
func TestHostileCalls(t *testing.T) {
	p := connect(t, &store{give: func(context.Context) (shout, error) { return upper, nil }})
	kept, err := p.give(within(t))
	if err != nil {
		t.Fatal(err)
	}
	defer runtime.KeepAlive(kept)
	s := p.hostSession()
	client, err := s.caller(within(t))
	if err != nil {
		t.Fatal(err)
	}
	for target, code := range map[string]codes.Code{
		"": codes.InvalidArgument, "x/Call": codes.InvalidArgument, "-1/Call": codes.InvalidArgument, "7/Call": codes.NotFound,
		"1/Missing": codes.Unimplemented, "1": codes.Unimplemented, "99999999999999999999999/Call": codes.InvalidArgument,
	} {
		ctx := metadata.AppendToOutgoingContext(within(t), targetKey, target)
		if err := client.Invoke(ctx, unaryMethod, wrapperspb.String("x"), new(wrapperspb.StringValue)); status.Code(err) != code {
			t.Errorf("%q: got %v, want %v", target, err, code)
		}
		stream, err := client.NewStream(ctx, &grpc.StreamDesc{ServerStreams: true, ClientStreams: true}, streamMethod)
		if err != nil {
			t.Fatal(err)
		}
		if err := stream.RecvMsg(new(wrapperspb.StringValue)); err == nil {
			t.Errorf("%q: a stream was opened", target)
		}
	}
	for what, req := range map[string]*runtimepb.Release{
		"of nothing":     {Ids: []uint64{5, 6}, Times: []uint64{1, 1 << 63}},
		"of other sizes": {Ids: []uint64{5, 6}, Times: []uint64{1}},
	} {
		err := client.Invoke(within(t), releaseMethod, req, new(runtimepb.Done))
		if err != nil && status.Code(err) != codes.InvalidArgument {
			t.Errorf("release %s: %v", what, err)
		}
	}
	for _, n := range []uint64{0, 99, 1 << 63} {
		if err := client.Invoke(within(t), endCallMethod, &runtimepb.EndCall{Call: n, Lost: true}, new(runtimepb.Done)); err != nil {
			t.Errorf("end call %d: %v", n, err)
		}
	}
	if got, err := kept(within(t), "still"); got != "STILL" || err != nil {
		t.Errorf("got %q, %v", got, err)
	}
	if err := client.Invoke(within(t), releaseMethod, &runtimepb.Release{Ids: []uint64{1, 1}, Times: []uint64{1 << 63, 1 << 63}}, new(runtimepb.Done)); err != nil {
		t.Error(err)
	}
	if _, err := kept(within(t), "late"); !errors.Is(err, ErrReleased) {
		t.Errorf("got %v, want ErrReleased", err)
	}
}

func TestSessionsAreBounded(t *testing.T) {
	p := connect(t, calls("x"))
	desc := &grpc.StreamDesc{ServerStreams: true, ClientStreams: true}
	open := func(secret string) error {
		ctx := metadata.AppendToOutgoingContext(within(t), sessionMetadata, secret)
		stream, err := p.cc.NewStream(ctx, desc, connectMethod)
		if err != nil {
			return err
		}
		if header, err := stream.Header(); err == nil && len(header[helloKey]) == 1 {
			return nil
		}
		return stream.RecvMsg(nil)
	}
	first := strings.Repeat("0", 32)
	for i := range mostSessions {
		if err := open(fmt.Sprintf("%032d", i)); err != nil {
			t.Fatal(err)
		}
	}
	for secret, code := range map[string]codes.Code{
		first: codes.AlreadyExists, strings.Repeat("x", 32): codes.ResourceExhausted, "short": codes.InvalidArgument, strings.Repeat("x", 65): codes.InvalidArgument,
	} {
		if err := open(secret); status.Code(err) != code {
			t.Errorf("%q: got %v, want %v", secret, err, code)
		}
	}
	stream, err := p.cc.NewStream(metadata.AppendToOutgoingContext(within(t), sessionMetadata, "nobody's"), desc, callMethod)
	if err != nil {
		t.Fatal(err)
	}
	if err := stream.RecvMsg(nil); status.Code(err) != codes.FailedPrecondition {
		t.Errorf("a stream of no session: %v", err)
	}
}

func TestObjectsAreBounded(t *testing.T) {
	var tab table
	kept := func(e *entry) { e.kept++ }
	describe := func() *kind { return newKind(describeShout()) }
	for range mostObjects {
		if _, err := tab.add(shout(upper), shoutName, describe, kept); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := tab.add(shout(upper), shoutName, describe, kept); !errors.Is(err, ErrTooMany) {
		t.Errorf("got %v, want ErrTooMany", err)
	}
	tab.drop(1, func(e *entry) { e.kept-- })
	if _, err := tab.add(shout(upper), shoutName, describe, kept); err != nil {
		t.Error(err)
	}
}

// A connection that nothing uses any more ends its session.
func TestUnusedSessionEnds(t *testing.T) {
	p := connect(t, calls("hello"))
	if _, err := p.take(within(t), upper); err != nil {
		t.Fatal(err)
	}
	s := p.hostSession()
	p.conn = nil
	eventually(t, "the session ends", func() bool {
		runtime.GC()
		return s.lost() != nil
	})
}

// Handlers that call back, and are called back, do not wait for each other.
func TestNestedCalls(t *testing.T) {
	depth := 0
	var p *peers
	var nest shout
	nest = func(ctx context.Context, text string) (string, error) {
		if depth++; depth == 10 {
			return "bottom", nil
		}
		return p.take(ctx, nest)
	}
	p = connect(t, calls("down"))
	if got, err := p.take(within(t), nest); got != "bottom" || err != nil {
		t.Errorf("got %q, %v", got, err)
	}
}
