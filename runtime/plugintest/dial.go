package plugintest

import (
	"context"
	"net"
	"slices"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/plugingen/plugingen/runtime"
	"github.com/plugingen/plugingen/runtime/broker"
	"github.com/plugingen/plugingen/runtime/handshake"
	"github.com/plugingen/plugingen/runtime/internal/wire"
	"github.com/plugingen/plugingen/runtime/transport"
)

const (
	maxMessageSize = 64 << 20        // what plugins and hosts have by default
	endTimeout     = 5 * time.Second // for methods to notice that their caller has left
)

// New returns a client of implementation, which runs in this process. What it is given and returns is encoded and decoded
// as between a host and a plugin. It can be used until the test ends, as concurrently as the contract allows.
func New[T any](t testing.TB, service runtime.Service[T], implementation T) T {
	t.Helper()
	return service.NewClient(Dial(t, service.Implement(implementation)))
}

// Dial returns a connection to services, which run in this process: what New uses, for clients of another kind. A call that
// fails without being able to say so, because its method has no error result, fails the test.
//
// Both ends have a broker, so that the services can call back: they find theirs as in a plugin, with broker.FromContext or
// broker.FromRegistrar, and the test finds the host's with broker.FromConn:
//
//	conn := plugintest.Dial(t, greeter.Service.Implement(english{}))
//	b := broker.FromConn(conn)
//	client := greeter.Service.NewClient(conn)
func Dial(t testing.TB, services ...runtime.Implementation) grpc.ClientConnInterface {
	t.Helper()
	network := handshake.Config{}.Networks()[0]
	cfg := broker.Config{
		Listen: func() (net.Listener, error) { return transport.Listen(transport.ListenConfig{Network: network}) },
		Lane:   true,
		Logger: logger(t),
	}
	listener, err := cfg.Listen()
	if err != nil {
		t.Fatalf("plugintest: %v", err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	serve(t, listener, broker.New(cfg), services)
	cc, err := grpc.NewClient("passthrough:///plugin",
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) {
			return transport.Dial(ctx, network, listener.Addr().String())
		}),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(maxMessageSize), grpc.MaxCallSendMsgSize(maxMessageSize)),
	)
	if err != nil {
		t.Fatalf("plugintest: %v", err)
	}
	t.Cleanup(func() { _ = cc.Close() }) // before the server's end: it cancels calls that still run
	c := &conn{ClientConn: cc, t: t, cfg: cfg}
	t.Cleanup(c.endBroker)
	return c
}

// serve serves until the test ends, and fails it when a method does not return then.
func serve(t testing.TB, listener net.Listener, b *broker.Broker, services []runtime.Implementation) {
	t.Helper()
	server := &server{
		Server: grpc.NewServer(grpc.MaxRecvMsgSize(maxMessageSize), grpc.MaxSendMsgSize(maxMessageSize), grpc.WaitForHandlers(true)),
		broker: b,
	}
	b.Register(server)
	var names []string
	for _, s := range services {
		if slices.Contains(names, s.Name()) {
			t.Fatalf("plugintest: service %s is given twice", s.Name()) // grpc would end the test binary
		}
		s.Register(server)
		names = append(names, s.Name())
	}
	wire.RegisterHealth(server, names...)
	served := make(chan error, 1)
	go func() { served <- server.Serve(b.Listener(listener)) }()
	t.Cleanup(func() {
		_ = b.Close()
		go server.Stop()
		select {
		case err := <-served:
			if err != nil {
				t.Errorf("plugintest: %v", err)
			}
		case <-time.After(endTimeout):
			t.Errorf("plugintest: a method still runs %s after its caller has left; methods must end with their context", endTimeout)
		}
	})
}

// server knows its broker.
type server struct {
	*grpc.Server
	broker *broker.Broker
}

// Broker is for broker.FromRegistrar.
func (s *server) Broker() *broker.Broker { return s.broker }

// conn is a connection that belongs to a test.
type conn struct {
	*grpc.ClientConn
	t   testing.TB
	cfg broker.Config

	once   sync.Once // the broker is made when it is first asked for
	broker *broker.Broker
	ran    chan struct{}
}

// Broker is for broker.FromConn.
func (c *conn) Broker() *broker.Broker {
	c.once.Do(func() {
		c.broker, c.ran = broker.New(c.cfg), make(chan struct{})
		go func() { defer close(c.ran); _ = c.broker.Run(context.Background(), c.ClientConn) }() // until it is closed
	})
	return c.broker
}

func (c *conn) endBroker() {
	_ = c.Broker().Close()
	<-c.ran
}

// CallLost fails the test. Once the test is over, what it left unread, such as a channel, ends with the connection.
func (c *conn) CallLost(err error) {
	c.t.Helper()
	if c.t.Context().Err() != nil {
		return
	}
	c.t.Errorf("a call failed in a method without an error result, which returned zero values: %v", err)
}
