package object

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"sync"
	"time"
	"weak"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/plugingen/plugingen/runtime/internal/lane"
	"github.com/plugingen/plugingen/runtime/runtimepb"
)

// The methods inside of a session's streams. What they are about is in the metadata: number and method of an object.
const (
	insideService = "plugingen.Object"
	unaryMethod   = "/" + insideService + "/Call"
	streamMethod  = "/" + insideService + "/Stream"
	releaseMethod = "/" + insideService + "/Release"
	endCallMethod = "/" + insideService + "/EndCall"

	targetKey = "plugingen-object" // "17/Notify"
)

// noticeTimeout bounds what nobody waits for: telling the peer that something is not needed any more.
const noticeTimeout = 30 * time.Second

// session is this side's end of what two processes know of each other's objects.
type session struct {
	server *lane.Server // for the peer's calls of our objects
	caller func(ctx context.Context) (*lane.Client, error)
	done   chan struct{} // closed when the session has ended

	owned   table
	calling flight // the peer's unary calls of our objects

	channelsMu sync.Mutex
	channels   map[any]*Handle                  // proxies that are channels
	funcs      map[uintptr]weak.Pointer[Handle] // proxies that are functions, by their places

	mu       sync.Mutex
	err      error // why done is closed
	ends     []func()
	hold     any // keeps who owns the session while the peer knows objects of ours
	proxies  map[uint64]weak.Pointer[Handle]
	calls    map[uint64]*served // that have live results
	lastCall uint64
	released map[uint64]uint64 // to be told to the peer
	telling  bool
}

func newSession() *session {
	s := &session{
		done: make(chan struct{}), proxies: map[uint64]weak.Pointer[Handle]{},
		calls: map[uint64]*served{}, released: map[uint64]uint64{},
	}
	s.server = lane.NewServer(lane.ServerConfig{AuthInfo: lane.NoTLS()})
	s.server.RegisterService(&grpc.ServiceDesc{
		ServiceName: insideService,
		Methods: []grpc.MethodDesc{
			{MethodName: "Call", Handler: s.handleCall},
			{MethodName: "Release", Handler: s.handleRelease},
			{MethodName: "EndCall", Handler: s.handleEndCall},
		},
		Streams: []grpc.StreamDesc{{StreamName: "Stream", Handler: s.handleStream, ServerStreams: true, ClientStreams: true}},
	}, nil)
	return s
}

// onEnd has f called when the session ends, at once when it has.
func (s *session) onEnd(f func()) {
	s.mu.Lock()
	if s.err == nil {
		s.ends = append(s.ends, f)
		f = nil
	}
	s.mu.Unlock()
	if f != nil {
		f()
	}
}

// fail ends the session: all objects are released, and calls fail. The first reason stays.
func (s *session) fail(err error) {
	s.mu.Lock()
	if s.err != nil {
		s.mu.Unlock()
		return
	}
	s.err = err
	ends, calls := s.ends, s.calls
	s.ends, s.calls, s.hold = nil, nil, nil
	close(s.done)
	s.mu.Unlock()
	s.owned.end()
	s.server.Stop()
	for _, f := range ends {
		f()
	}
	for _, c := range calls {
		c.cancel(errEnded)
	}
}

var errEnded = errors.New("the connection has ended")

// lost is the error of calls when the session has ended; nil before.
func (s *session) lost() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err == nil {
		return nil
	}
	return failure(codes.Unavailable, ErrConnection, s.err)
}

type sessionKey struct{}

// inside marks the context of a handler that serves an object of the session.
func (s *session) inside(ctx context.Context) context.Context {
	return context.WithValue(ctx, sessionKey{}, s)
}

// target finds the object that an incoming call is about.
func (s *session) target(ctx context.Context) (*entry, string, error) {
	md, _ := metadata.FromIncomingContext(ctx)
	var id, method string
	if values := md[targetKey]; len(values) == 1 {
		id, method, _ = strings.Cut(values[0], "/")
	}
	n, err := strconv.ParseUint(id, 10, 64)
	if err != nil {
		return nil, "", status.Error(codes.InvalidArgument, "the call does not name an object")
	}
	e := s.owned.get(n)
	if e == nil {
		return nil, "", status.Error(codes.NotFound, ErrReleased.Error())
	}
	return e, method, nil
}

// handleCall answers a call of one of our objects.
//
//nolint:revive // the order of parameters is grpc's
func (s *session) handleCall(_ any, ctx context.Context, decode func(any) error, _ grpc.UnaryServerInterceptor) (any, error) {
	e, name, err := s.target(ctx)
	if err != nil {
		return nil, err
	}
	m := e.kind.unary[name]
	if m == nil {
		return nil, status.Errorf(codes.Unimplemented, "unknown method %q of an object", name)
	}
	if !s.calling.enter() {
		return nil, status.Error(codes.Unavailable, "the plugin is stopping")
	}
	defer s.calling.leave()
	return m.Handler(e.value, s.inside(ctx), decode, nil)
}

func (s *session) handleStream(_ any, stream grpc.ServerStream) error {
	e, name, err := s.target(stream.Context())
	if err != nil {
		return err
	}
	m := e.kind.streams[name]
	if m == nil {
		return status.Errorf(codes.Unimplemented, "unknown stream %q of an object", name)
	}
	return m.Handler(e.value, &insideStream{stream, s.inside(stream.Context())})
}

type insideStream struct {
	grpc.ServerStream
	ctx context.Context
}

// Context has the session.
func (s *insideStream) Context() context.Context { return s.ctx }

// handleRelease gives up what the peer does not need any more.
//
//nolint:revive // the order of parameters is grpc's
func (s *session) handleRelease(_ any, _ context.Context, decode func(any) error, _ grpc.UnaryServerInterceptor) (any, error) {
	req := new(runtimepb.Release)
	if err := decode(req); err != nil {
		return nil, err
	}
	if len(req.GetIds()) != len(req.GetTimes()) {
		return nil, status.Error(codes.InvalidArgument, "as many ids as times")
	}
	for i, id := range req.GetIds() {
		s.dropKept(id, req.GetTimes()[i])
	}
	return &runtimepb.Done{}, nil
}

// handleEndCall ends the context of a call whose results are objects.
//
//nolint:revive // the order of parameters is grpc's
func (s *session) handleEndCall(_ any, _ context.Context, decode func(any) error, _ grpc.UnaryServerInterceptor) (any, error) {
	req := new(runtimepb.EndCall)
	if err := decode(req); err != nil {
		return nil, err
	}
	s.mu.Lock()
	c := s.calls[req.GetCall()]
	s.mu.Unlock()
	if c != nil {
		c.cancel(context.Canceled)
		if req.GetLost() {
			c.dropAll()
		}
	}
	return &runtimepb.Done{}, nil
}

// dropKept gives up what was sent for good so many times.
func (s *session) dropKept(id, times uint64) {
	s.finish(s.owned.drop(id, func(e *entry) { e.kept -= min(e.kept, times) }))
}

func (s *session) dropLent(id uint64) {
	s.finish(s.owned.drop(id, func(e *entry) { e.lent-- }))
}

// finish ends calls that have lost their last result.
func (s *session) finish(over []*served) {
	for _, c := range over {
		c.finish()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.owned.size() == 0 {
		s.hold = nil
	}
}
