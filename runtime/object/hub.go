package object

import (
	"context"
	"maps"
	"slices"
	"sync"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/plugingen/plugingen/runtime/internal/lane"
)

// Service is the gRPC service that carries calls of objects, beside a contract's own.
const Service = "plugingen.Objects"

// mostSessions bounds the clients of a plugin that use objects at the same time.
const mostSessions = 256

// Hub is the plugin's end: the sessions of all clients of one registrar.
type Hub struct {
	mu       sync.Mutex
	sessions map[string]*session
	ended    bool
}

// Register makes registrar serve objects, unless it does already, and returns desc with handlers that may use them. The
// registrar should have the method GetServiceInfo, as a grpc.Server does; one without it must not be given a second
// service that uses objects.
func Register(registrar grpc.ServiceRegistrar, desc *grpc.ServiceDesc) *grpc.ServiceDesc {
	hub := hubOf(registrar)
	if hub == nil {
		hub = &Hub{sessions: map[string]*session{}}
		registrar.RegisterService(hub.desc(), nil)
	}
	return hub.bind(desc)
}

// hubOf finds the hub that was registered before: it is its description's metadata.
func hubOf(registrar grpc.ServiceRegistrar) *Hub {
	r, ok := registrar.(interface {
		GetServiceInfo() map[string]grpc.ServiceInfo
	})
	if !ok {
		return nil
	}
	hub, _ := r.GetServiceInfo()[Service].Metadata.(*Hub)
	return hub
}

func (h *Hub) desc() *grpc.ServiceDesc {
	return &grpc.ServiceDesc{
		ServiceName: Service,
		Streams: []grpc.StreamDesc{
			{StreamName: "Connect", Handler: h.connect, ServerStreams: true, ClientStreams: true},
			{StreamName: "Call", Handler: h.call, ServerStreams: true, ClientStreams: true},
		},
		Metadata: h,
	}
}

type hubKey struct{}

// bind lets the handlers of a service find the hub.
func (h *Hub) bind(desc *grpc.ServiceDesc) *grpc.ServiceDesc {
	bound := *desc
	bound.Methods = slices.Clone(desc.Methods)
	for i := range bound.Methods {
		handle := bound.Methods[i].Handler
		bound.Methods[i].Handler = func(srv any, ctx context.Context, decode func(any) error, interceptor grpc.UnaryServerInterceptor) (any, error) {
			return handle(srv, context.WithValue(ctx, hubKey{}, h), decode, interceptor)
		}
	}
	return &bound
}

// sessionOf finds the session of a call: a handler of an object is inside of one, a handler of a service is told by the caller.
func sessionOf(ctx context.Context) (*session, error) {
	if s, ok := ctx.Value(sessionKey{}).(*session); ok {
		return s, nil
	}
	hub, _ := ctx.Value(hubKey{}).(*Hub)
	if hub == nil {
		return nil, failure(codes.FailedPrecondition, ErrUnsupported, nil)
	}
	if s := hub.find(secretOf(ctx)); s != nil {
		return s, nil
	}
	return nil, failure(codes.FailedPrecondition, ErrConnection, nil)
}

func secretOf(ctx context.Context) string {
	md, _ := metadata.FromIncomingContext(ctx)
	if values := md[sessionMetadata]; len(values) == 1 {
		return values[0]
	}
	return ""
}

func (h *Hub) find(secret string) *session {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.sessions[secret]
}

// connect is the stream in which this side calls the client's objects. It lasts as long as the session.
func (h *Hub) connect(_ any, stream grpc.ServerStream) error {
	secret := secretOf(stream.Context())
	if len(secret) < 32 || len(secret) > 64 {
		return status.Error(codes.InvalidArgument, "the stream has no session")
	}
	s, ready := newSession(), make(chan *lane.Client, 1)
	s.caller = func(ctx context.Context) (*lane.Client, error) { return s.await(ctx, ready) }
	if err := h.enter(secret, s); err != nil {
		return err
	}
	defer h.leave(secret)
	defer s.fail(errEnded)
	ctx, cancel := context.WithCancel(stream.Context())
	defer cancel()
	s.onEnd(cancel)
	carrier, err := serverCarrier(ctx, stream, metadata.Pairs(helloKey, "1"), cancel)
	if err != nil {
		return err
	}
	ready <- newCaller(s, carrier)
	select {
	case <-s.done:
	case <-ctx.Done():
	}
	return nil
}

// enter adds the session; the client may use it once it has the header.
func (h *Hub) enter(secret string, s *session) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	switch {
	case h.ended:
		return status.Error(codes.Unavailable, "the plugin is stopping")
	case h.sessions[secret] != nil:
		return status.Error(codes.AlreadyExists, "the session is open already")
	case len(h.sessions) >= mostSessions:
		return status.Error(codes.ResourceExhausted, "too many clients use objects")
	}
	h.sessions[secret] = s
	return nil
}

// await waits for the client that connect is about to make.
func (s *session) await(ctx context.Context, ready chan *lane.Client) (*lane.Client, error) {
	select {
	case c := <-ready:
		ready <- c
		return c, nil
	case <-s.done:
		return nil, s.lost()
	case <-ctx.Done():
		return nil, status.FromContextError(ctx.Err()).Err()
	}
}

func (h *Hub) leave(secret string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.sessions, secret)
}

// call is the stream in which the client calls this side's objects.
func (h *Hub) call(_ any, stream grpc.ServerStream) error {
	s := h.find(secretOf(stream.Context()))
	if s == nil {
		return status.Error(codes.FailedPrecondition, ErrConnection.Error())
	}
	ctx, cancel := context.WithCancel(stream.Context())
	defer cancel()
	served := make(chan error, 1)
	go func() { served <- s.server.Serve(lane.NewStreamCarrier(stream, cancel)) }()
	select {
	case <-ctx.Done():
	case err := <-served:
		s.fail(ended(err))
		return nil
	}
	s.fail(errEnded)
	return nil
}

// Drain refuses calls of the plugin's objects, and waits for those in flight until ctx ends. It does not wait for streams, such as
// those of channels: they last as long as the other side likes.
func (h *Hub) Drain(ctx context.Context) {
	for _, s := range h.all() {
		s.calling.drain(ctx)
	}
}

func (h *Hub) all() []*session {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Collect(maps.Values(h.sessions))
}

// EndSessions ends all sessions and refuses new ones: their streams would keep a server from stopping.
func (h *Hub) EndSessions() {
	h.mu.Lock()
	h.ended = true
	h.mu.Unlock()
	for _, s := range h.all() {
		s.fail(errEnded)
	}
}
