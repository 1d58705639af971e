package plugin

import (
	"errors"
	"net"
	"sync"

	"google.golang.org/grpc"
)

// late is gRPC's server, made when somebody comes in whom it is to serve: to a host whose calls take the lane nobody need.
type late struct {
	options  func() []grpc.ServerOption
	services []service
	info     map[string]grpc.ServiceInfo

	mu      sync.Mutex
	server  *grpc.Server // nil until it is made
	stopped bool
}

type service struct {
	desc *grpc.ServiceDesc
	impl any
}

func newLate(options func() []grpc.ServerOption) *late {
	return &late{options: options, info: map[string]grpc.ServiceInfo{}}
}

// RegisterService is grpc.ServiceRegistrar's. It comes before serve, with what registrar has found to be right.
func (g *late) RegisterService(desc *grpc.ServiceDesc, impl any) {
	g.services = append(g.services, service{desc, impl})
	info := grpc.ServiceInfo{Metadata: desc.Metadata}
	for _, m := range desc.Methods {
		info.Methods = append(info.Methods, grpc.MethodInfo{Name: m.MethodName})
	}
	for _, s := range desc.Streams {
		info.Methods = append(info.Methods, grpc.MethodInfo{Name: s.StreamName, IsClientStream: s.ClientStreams, IsServerStream: s.ServerStreams})
	}
	g.info[desc.ServiceName] = info
}

// serve serves those who come in by l until that is closed, or stop. It makes gRPC's server at once or when the first one has come.
func (g *late) serve(l net.Listener, atOnce bool) error {
	if !atOnce {
		first, err := l.Accept()
		if errors.Is(err, net.ErrClosed) {
			return err
		}
		l = &opened{Listener: l, first: first} // gRPC knows what to do about other errors
	}
	s := g.made()
	if s == nil {
		_ = l.Close()
		return grpc.ErrServerStopped
	}
	return s.Serve(l)
}

// made is nil after stop.
func (g *late) made() *grpc.Server {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.stopped || g.server != nil {
		return g.server
	}
	g.server = grpc.NewServer(g.options()...)
	for _, s := range g.services {
		g.server.RegisterService(s.desc, s.impl)
	}
	return g.server
}

// end returns the server that there is, possibly nil; none is made any more.
func (g *late) end() *grpc.Server {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.stopped = true
	return g.server
}

// gracefulStop closes connections once all answers are written.
func (g *late) gracefulStop() {
	if s := g.end(); s != nil {
		s.GracefulStop()
	}
}

func (g *late) stop() {
	if s := g.end(); s != nil {
		s.Stop()
	}
}

// opened is a listener whose first connection has been accepted.
type opened struct {
	net.Listener
	first net.Conn // nil when there is none
}

// Accept is net.Listener's, for one goroutine.
func (o *opened) Accept() (net.Conn, error) {
	if c := o.first; c != nil {
		o.first = nil
		return c, nil
	}
	return o.Listener.Accept()
}
