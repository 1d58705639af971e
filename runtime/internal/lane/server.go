package lane

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"reflect"
	"sync"

	"google.golang.org/grpc"
	"google.golang.org/grpc/status"
)

const (
	maxInt32 = math.MaxInt32
	// mostCalls bounds MaxCalls: the table of a connection grows to it.
	mostCalls = 1 << 20
)

// ErrServerStopped is what Serve returns once the server has been stopped.
var ErrServerStopped = errors.New("lane: the server has been stopped")

// Server serves gRPC services over any number of carriers. It implements [grpc.ServiceRegistrar]; its methods may be
// called by many goroutines.
//
// A handler that panics fails its call with codes.Internal and leaves the others alone, unless ServerConfig.Crash is set.
type Server struct {
	cfg    ServerConfig
	unary  grpc.UnaryServerInterceptor
	stream grpc.StreamServerInterceptor

	buffers  buffers
	reserve  reserve
	handlers sync.WaitGroup
	sides    sides

	mu       sync.Mutex
	services map[string]grpc.ServiceInfo
	methods  map[string]*method
	conns    map[*serverConn]struct{}
	gone     chan struct{} // closed when conns has become empty while draining
	draining bool
	stopped  bool
	bad      error // what RegisterService could not say
}

// method is one that a server serves.
type method struct {
	name   string
	impl   any
	unary  *grpc.MethodDesc // either
	stream *grpc.StreamDesc // or
	apart  bool             // its handlers always get goroutines
	pace   pace
}

var _ grpc.ServiceRegistrar = (*Server)(nil)

// NewServer returns a server without services.
func NewServer(cfg ServerConfig) *Server {
	cfg = cfg.withDefaults()
	return &Server{
		cfg: cfg, unary: chainUnaryServer(cfg.UnaryInterceptors), stream: chainStreamServer(cfg.StreamInterceptors),
		services: map[string]grpc.ServiceInfo{}, methods: map[string]*method{}, conns: map[*serverConn]struct{}{},
		gone: make(chan struct{}),
	}
}

// RegisterService adds a service. A service that is registered twice, or an impl of the wrong type, makes Serve return
// an error. A connection sees the services that are registered when it begins.
func (s *Server) RegisterService(desc *grpc.ServiceDesc, impl any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.checkService(desc, impl); err != nil {
		s.bad = errors.Join(s.bad, err)
		return
	}
	info := grpc.ServiceInfo{Metadata: desc.Metadata}
	defer func() { s.services[desc.ServiceName] = info }()
	for i := range desc.Methods {
		info.Methods = append(info.Methods, grpc.MethodInfo{Name: desc.Methods[i].MethodName})
		m := &method{name: "/" + desc.ServiceName + "/" + desc.Methods[i].MethodName, impl: impl, unary: &desc.Methods[i]}
		m.apart = s.cfg.Apart != nil && s.cfg.Apart(m.name)
		s.methods[m.name] = m
	}
	for i := range desc.Streams {
		d := &desc.Streams[i]
		info.Methods = append(info.Methods, grpc.MethodInfo{Name: d.StreamName, IsClientStream: d.ClientStreams, IsServerStream: d.ServerStreams})
		m := &method{name: "/" + desc.ServiceName + "/" + desc.Streams[i].StreamName, impl: impl, stream: &desc.Streams[i]}
		s.methods[m.name] = m
	}
}

// GetServiceInfo tells what is registered, as a grpc.Server does.
func (s *Server) GetServiceInfo() map[string]grpc.ServiceInfo {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.services)
}

func (s *Server) checkService(desc *grpc.ServiceDesc, impl any) error {
	if _, has := s.services[desc.ServiceName]; has {
		return fmt.Errorf("lane: service %s is registered twice", desc.ServiceName)
	}
	if impl == nil || desc.HandlerType == nil {
		return nil
	}
	want := reflect.TypeOf(desc.HandlerType).Elem()
	if !reflect.TypeOf(impl).Implements(want) {
		return fmt.Errorf("lane: service %s: %T does not implement %v", desc.ServiceName, impl, want)
	}
	return nil
}

// find returns the method called name, or why there is none.
func (s *Server) find(name string) (*method, *status.Status) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if m := s.methods[name]; m != nil {
		return m, nil
	}
	return nil, unknownMethod(name, func(service string) bool {
		_, has := s.services[service]
		return has
	})
}

// Serve serves carrier, which it owns from now on, until the connection ends. It returns nil when the client closed it
// or GracefulStop ended it, ErrServerStopped after Stop, and otherwise what was wrong. Handlers that ignore the end of
// their context may run on.
func (s *Server) Serve(carrier Carrier) error {
	serve, err := s.Begin(carrier)
	if err != nil {
		return err
	}
	return serve()
}

// Begin is Serve up to the first word: when it returns, the server's preface has been handed to the carrier, so that a
// peer that learns of this later may look there. The caller must call serve, once, which does the rest.
func (s *Server) Begin(carrier Carrier) (serve func() error, err error) {
	c := newServerConn(s, carrier)
	if err := s.admit(c); err != nil {
		_ = carrier.Close()
		return nil, err
	}
	c.w.mu.Lock()
	c.w.flush() // the preface, and what is served
	return func() error { return s.serve(c) }, nil
}

func (s *Server) serve(c *serverConn) error {
	err := c.serve()
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.conns, c)
	if s.draining && len(s.conns) == 0 {
		close(s.gone)
	}
	if s.stopped {
		return ErrServerStopped
	}
	return err
}

func (s *Server) admit(c *serverConn) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.draining {
		return ErrServerStopped
	}
	if s.bad != nil {
		return s.bad
	}
	s.conns[c] = struct{}{}
	c.w.buf = appendMethods(c.w.buf, s.methods)
	return nil
}

// drain makes Serve refuse carriers and returns the connections, unless that was done before.
func (s *Server) drain() []*serverConn {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.draining {
		return nil
	}
	s.draining = true
	if len(s.conns) == 0 {
		close(s.gone)
	}
	return s.connections()
}

func (s *Server) connections() []*serverConn {
	var list []*serverConn
	for c := range s.conns {
		list = append(list, c)
	}
	return list
}

// Stop ends all connections at once and cancels their calls. It does not wait for handlers.
func (s *Server) Stop() {
	s.drain()
	s.mu.Lock()
	s.stopped = true
	list := s.connections()
	s.mu.Unlock()
	for _, c := range list {
		c.fail(ErrServerStopped)
	}
}

// GracefulStop asks the clients for no more calls, and waits until all calls and handlers have ended. When ctx ends
// first it stops the server and returns the context's cause.
func (s *Server) GracefulStop(ctx context.Context) error {
	for _, c := range s.drain() {
		c.drain()
	}
	ended := make(chan struct{})
	go func() {
		<-s.gone
		s.handlers.Wait()
		close(ended)
	}()
	select {
	case <-ended:
		return nil
	case <-ctx.Done():
		s.Stop()
		return context.Cause(ctx)
	}
}
