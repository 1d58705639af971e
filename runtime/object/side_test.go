package object

import (
	"context"
	"net"
	"path/filepath"
	"sync/atomic"
	"testing"

	"google.golang.org/grpc"

	"github.com/plugingen/plugingen/runtime/internal/lane"
)

// laneServer serves a lane on a unix socket, and takes sockets beside it.
type laneServer struct {
	*lane.Server
	both *lane.Beside
}

func serveLane(t testing.TB, register func(grpc.ServiceRegistrar)) (laneServer, string) {
	t.Helper()
	l, err := net.Listen("unix", filepath.Join(t.TempDir(), "s"))
	if err != nil {
		t.Fatal(err)
	}
	s := laneServer{Server: lane.NewServer(lane.ServerConfig{})}
	register(s.Server)
	s.both = s.Beside(l, nil)
	return s, l.Addr().String()
}

// Stop returns when all connections have ended.
func (s laneServer) Stop() {
	_ = s.both.Close()
	s.Server.Stop()
	s.both.Wait()
}

// laneConn is a lane that can have sockets beside it, as a host's connection to a plugin.
type laneConn struct {
	*lane.Client
	dial   func(ctx context.Context) (net.Conn, error)
	joined *atomic.Int32
}

func (laneConn) CanSide() bool { return true }

func (c laneConn) Side(ctx context.Context, key string) (lane.Carrier, error) {
	conn, err := c.dial(ctx)
	if err != nil {
		return nil, err
	}
	carrier, err := lane.JoinSide(ctx, conn, key)
	if err == nil {
		c.joined.Add(1)
	}
	return carrier, err
}

// connectLane is connect by a lane. Wrap sees every connection.
func connectLane(t testing.TB, register func(grpc.ServiceRegistrar), wrap func(net.Conn) (net.Conn, error)) *peers {
	t.Helper()
	s, address := serveLane(t, register)
	dial := func(ctx context.Context) (net.Conn, error) {
		conn, err := new(net.Dialer).DialContext(ctx, "unix", address)
		if err != nil {
			return nil, err
		}
		return wrap(conn)
	}
	main, err := new(net.Dialer).DialContext(t.Context(), "unix", address)
	if err == nil {
		main, err = wrap(main)
	}
	if err != nil {
		t.Fatal(err)
	}
	cc := laneConn{lane.NewClient(lane.NewCarrier(main), lane.ClientConfig{}), dial, new(atomic.Int32)}
	t.Cleanup(func() {
		_ = cc.Close()
		stopped := make(chan struct{})
		go func() { s.Stop(); close(stopped) }()
		receive(t, stopped)
	})
	return &peers{cc: cc, server: s, hub: hubOf(s.Server), client: client{Connect(cc)}}
}

func asIs(conn net.Conn) (net.Conn, error) { return conn, nil }

func TestSide(t *testing.T) {
	p := connectLane(t, storing(&store{
		take: func(ctx context.Context, s shout) (string, error) { return s(ctx, "hello") },
		give: func(context.Context) (shout, error) { return upper, nil },
	}), asIs)
	exchange(t, p)
	if n := p.cc.(laneConn).joined.Load(); n != 1 {
		t.Errorf("%d sockets beside the lane, want one", n)
	}
	exchange(t, p)
	if n := p.cc.(laneConn).joined.Load(); n != 1 {
		t.Errorf("%d sockets beside the lane after further calls, want one", n)
	}
}

// TestNoSide has no socket come.
func TestNoSide(t *testing.T) {
	var dialled atomic.Int32
	p := connectLane(t, storing(&store{
		take: func(ctx context.Context, s shout) (string, error) { return s(ctx, "hello") },
		give: func(context.Context) (shout, error) { return upper, nil },
	}), func(conn net.Conn) (net.Conn, error) {
		if dialled.Add(1) == 1 {
			return conn, nil
		}
		_ = conn.Close()
		return nil, errTest
	})
	exchange(t, p)
	if n := p.cc.(laneConn).joined.Load(); n != 0 {
		t.Errorf("%d sockets beside the lane, want none", n)
	}
}

// TestSideIsLost loses the socket alone: the session ends, and the next one works.
func TestSideIsLost(t *testing.T) {
	conns := make(chan net.Conn, 10)
	p := connectLane(t, storing(&store{
		take: func(ctx context.Context, s shout) (string, error) { return s(ctx, "hello") },
		give: func(context.Context) (shout, error) { return upper, nil },
	}), func(conn net.Conn) (net.Conn, error) { conns <- conn; return conn, nil })
	exchange(t, p)
	<-conns
	before := p.hostSession()
	_ = (<-conns).Close()
	receive(t, before.done)
	exchange(t, p)
}

// exchange calls a value of either side.
func exchange(t *testing.T, p *peers) {
	t.Helper()
	if got, err := p.take(within(t), upper); got != "HELLO" || err != nil {
		t.Errorf("got %q, %v", got, err)
	}
	s, err := p.give(within(t))
	if err != nil {
		t.Fatal(err)
	}
	if got, err := s(within(t), "there"); got != "THERE" || err != nil {
		t.Errorf("got %q, %v", got, err)
	}
}
