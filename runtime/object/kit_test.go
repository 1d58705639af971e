package object

import (
	"context"
	"errors"
	"net"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/plugingen/plugingen/runtime/runtimepb"
)

// hang is how long a test waits for what must come.
const hang = time.Minute

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func within(t testing.TB) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), hang)
	t.Cleanup(cancel)
	return ctx
}

// eventually fails the test unless something becomes true that nothing tells of.
func eventually(t testing.TB, what string, isTrue func() bool) {
	t.Helper()
	deadline, again := time.NewTimer(hang), time.NewTicker(time.Millisecond)
	defer deadline.Stop()
	defer again.Stop()
	for !isTrue() {
		select {
		case <-again.C:
		case <-deadline.C:
			t.Fatalf("not so after %s: %s", hang, what)
		}
	}
}

func receive[T any](t testing.TB, c <-chan T) T {
	t.Helper()
	select {
	case v := <-c:
		return v
	case <-time.After(hang):
		t.Fatal("hangs")
		panic("not reached")
	}
}

// shout is a live value as generated code carries it, in small.
type shout func(ctx context.Context, text string) (string, error)

const shoutName = "test.Shout"

func shoutType() Type[shout] {
	return Type[shout]{Name: shoutName, Describe: describeShout, Proxy: func(conn grpc.ClientConnInterface) shout {
		return func(ctx context.Context, text string) (string, error) {
			out := new(wrapperspb.StringValue)
			err := conn.Invoke(ctx, "/"+shoutName+"/Call", wrapperspb.String(text), out)
			return out.GetValue(), err
		}
	}}
}

func describeShout() *grpc.ServiceDesc {
	return &grpc.ServiceDesc{ServiceName: shoutName, Methods: []grpc.MethodDesc{{
		MethodName: "Call", Handler: func(srv any, ctx context.Context, decode func(any) error, _ grpc.UnaryServerInterceptor) (any, error) {
			in := new(wrapperspb.StringValue)
			if err := decode(in); err != nil {
				return nil, err
			}
			out, err := srv.(shout)(ctx, in.GetValue())
			return wrapperspb.String(out), err
		},
	}}}
}

// named is a live value that can be compared.
type named interface{ Name() string }

func namedType() Type[named] {
	return Type[named]{Name: "test.Named", Describe: func() *grpc.ServiceDesc { return &grpc.ServiceDesc{} }, Proxy: func(conn grpc.ClientConnInterface) named {
		return &namedProxy{conn}
	}}
}

type namedProxy struct{ conn grpc.ClientConnInterface }

func (*namedProxy) Name() string                              { return "proxy" }
func (p *namedProxy) PlugingenConn() grpc.ClientConnInterface { return p.conn }

type name string

func (n *name) Name() string { return string(*n) }

// store is a contract: it takes live values, and gives them. Its functions say what the plugin does.
type store struct {
	take  func(ctx context.Context, s shout) (string, error)
	give  func(ctx context.Context) (shout, error)
	trade func(ctx context.Context, a named) (named, error)
}

func describeStore() *grpc.ServiceDesc {
	return &grpc.ServiceDesc{ServiceName: "test.Store", HandlerType: (*any)(nil), Methods: []grpc.MethodDesc{
		{MethodName: "Take", Handler: handler(false, func(ctx context.Context, s *store, scope *Scope, in *runtimepb.Object) (any, error) {
			value, err := Import(scope, shoutType(), in)
			if err != nil {
				return nil, err
			}
			text, err := s.take(ctx, value)
			return wrapperspb.String(text), err
		})},
		{MethodName: "Give", Handler: handler(true, func(ctx context.Context, s *store, scope *Scope, _ *runtimepb.Object) (any, error) {
			value, err := s.give(ctx)
			if err != nil {
				return nil, err
			}
			return Export(scope, shoutType(), value)
		})},
		{MethodName: "Trade", Handler: handler(true, func(ctx context.Context, s *store, scope *Scope, in *runtimepb.Object) (any, error) {
			value, err := Import(scope, namedType(), in)
			if err != nil {
				return nil, err
			}
			if value, err = s.trade(ctx, value); err != nil {
				return nil, err
			}
			return Export(scope, namedType(), value)
		})},
	}}
}

func handler(results bool, serve func(context.Context, *store, *Scope, *runtimepb.Object) (any, error)) grpc.MethodHandler {
	return func(srv any, ctx context.Context, decode func(any) error, _ grpc.UnaryServerInterceptor) (any, error) {
		in := new(runtimepb.Object)
		if err := decode(in); err != nil {
			return nil, err
		}
		ctx, scope := Serve(ctx, results)
		defer scope.End()
		out, err := serve(ctx, srv.(*store), scope, in)
		if err == nil {
			scope.Commit()
		}
		return out, err
	}
}

// client is the host's side of the contract.
type client struct{ conn grpc.ClientConnInterface }

func (c client) take(ctx context.Context, s shout) (string, error) {
	scope := Begin(ctx, c.conn, false)
	defer scope.End()
	in, err := Export(scope, shoutType(), s)
	if err != nil {
		return "", err
	}
	out := new(wrapperspb.StringValue)
	if in == nil {
		in = &runtimepb.Object{}
	}
	err = scope.Invoke("/test.Store/Take", in, out)
	return out.GetValue(), err
}

func (c client) give(ctx context.Context) (shout, error) {
	scope := Begin(ctx, c.conn, true)
	defer scope.End()
	out := new(runtimepb.Object)
	if err := scope.Invoke("/test.Store/Give", &runtimepb.Object{}, out); err != nil {
		return nil, err
	}
	return Import(scope, shoutType(), out)
}

func (c client) trade(ctx context.Context, a named) (named, error) {
	scope := Begin(ctx, c.conn, true)
	defer scope.End()
	in, err := Export(scope, namedType(), a)
	if err != nil {
		return nil, err
	}
	out := new(runtimepb.Object)
	if err := scope.Invoke("/test.Store/Trade", in, out); err != nil {
		return nil, err
	}
	return Import(scope, namedType(), out)
}

// peers is a host and a plugin, connected by gRPC or by a lane.
type peers struct {
	client
	cc interface {
		grpc.ClientConnInterface
		Close() error
	}
	server interface{ Stop() }
	hub    *Hub
}

func connect(t testing.TB, s *store) *peers {
	t.Helper()
	return connectWith(t, storing(s))
}

func storing(s *store) func(grpc.ServiceRegistrar) {
	return func(r grpc.ServiceRegistrar) { r.RegisterService(Register(r, describeStore()), s) }
}

func connectWith(t testing.TB, register func(grpc.ServiceRegistrar)) *peers {
	t.Helper()
	l, err := net.Listen("unix", filepath.Join(t.TempDir(), "s"))
	if err != nil {
		t.Fatal(err)
	}
	server := grpc.NewServer(grpc.WaitForHandlers(true))
	register(server)
	p := &peers{server: server, hub: hubOf(server)}
	served := make(chan error, 1)
	go func() { served <- server.Serve(l) }()
	p.cc, err = grpc.NewClient("unix://"+l.Addr().String(), grpc.WithTransportCredentials(insecure.NewCredentials()))
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

// hostSession is the host's end of the session that is open.
func (p *peers) hostSession() *session {
	o := p.conn.(*Conn).link.opener
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.current
}

// pluginSession is the plugin's end of it; nil when there is none.
func (p *peers) pluginSession() *session {
	p.hub.mu.Lock()
	defer p.hub.mu.Unlock()
	for _, s := range p.hub.sessions {
		return s
	}
	return nil
}

var errTest = errors.New("as asked")

// gate lets tests hold calls.
type gate struct {
	entered, open chan struct{}
	once          sync.Once
}

func newGate() *gate { return &gate{entered: make(chan struct{}, 2000), open: make(chan struct{})} }

func (g *gate) wait(ctx context.Context) error {
	g.entered <- struct{}{}
	select {
	case <-g.open:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (g *gate) release() { g.once.Do(func() { close(g.open) }) }
