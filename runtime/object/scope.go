package object

import (
	"context"
	"reflect"
	"runtime"
	"strconv"
	"sync"
	"time"
	"weak"

	"github.com/plugingen/plugingen/runtime/runtimepb"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
)

// Scope is one call with objects among its parameters or results, on either side: made by [Begin] or [Serve], ended by
// End. Its other methods, and Export and Import, are called by one goroutine at a time until then.
type Scope struct {
	ctx     context.Context
	conn    grpc.ClientConnInterface // of a caller
	session *session                 // nil until something needs it
	find    func() (*session, error)
	hold    any
	origin  grpc.ClientConnInterface // who is told of calls that fail in methods without an error result
	server  bool
	cancel  context.CancelFunc // of a caller without a context; nil for others

	call  *calling // of a caller that awaits objects
	serve *served  // of a handler that returns objects
	sent  bool     // the handler's response is complete

	mu      sync.Mutex
	lent    []uint64           // sent for this call
	borrows map[uint64]*Handle // received for this call
	before  []func()           // to be done before the call ends
}

// need finds or opens the session.
func (s *Scope) need() (*session, error) {
	if s.session == nil {
		session, err := s.find()
		if err != nil {
			return nil, err
		}
		s.session = session
	}
	return s.session, s.session.lost()
}

// Begin begins a call over conn, which comes from [Connect] or is an object's. Results says that objects are among the results.
func Begin(ctx context.Context, conn grpc.ClientConnInterface, results bool) *Scope {
	s := &Scope{ctx: ctx, conn: conn, origin: conn}
	switch c := conn.(type) {
	case *Handle:
		s.session, s.hold, s.origin = c.claim.session, c.hold, c.origin
	case *Conn:
		s.hold, s.origin = c.link, c.ClientConnInterface
		s.find = func() (*session, error) { return c.link.session(ctx) }
	default:
		s.find = func() (*session, error) { return nil, failure(codes.FailedPrecondition, ErrUnsupported, nil) }
	}
	if results {
		s.call = &calling{}
	}
	return s
}

// BeginWithoutContext is Begin for a method that takes no context: the timeout bounds the call, and not what it returns.
func BeginWithoutContext(conn grpc.ClientConnInterface, timeout time.Duration, results bool) *Scope {
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	s := Begin(ctx, conn, results)
	s.cancel = cancel
	return s
}

// Kept is the scope for parameters whose objects outlast the call: they last until the other side does not use them any more.
func (s *Scope) Kept() *Scope {
	return &Scope{ctx: s.ctx, find: s.need, hold: s.hold, origin: s.origin, server: true}
}

// Invoke makes the call.
func (s *Scope) Invoke(method string, req, resp any) error {
	ctx := s.ctx
	if s.call != nil {
		session, err := s.need()
		if err != nil {
			return err
		}
		s.call.session, s.call.number = session, session.nextCall()
		ctx = withMetadata(ctx, callKey, strconv.FormatUint(s.call.number, 10))
	}
	if c, ok := s.conn.(*Conn); ok && s.session != nil {
		ctx = withMetadata(ctx, sessionMetadata, c.link.token(s.session))
	}
	err := s.conn.Invoke(ctx, method, req, resp)
	if err != nil && s.call != nil {
		go s.session.endCall(s.call.number, true)
	}
	return err
}

func (s *session) nextCall() uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lastCall++
	return s.lastCall
}

// Serve begins to serve a call. Results says that objects are among the results: then the context that it returns, which the
// implementation gets, lasts as long as they do.
func Serve(ctx context.Context, results bool) (context.Context, *Scope) {
	s := &Scope{ctx: ctx, server: true}
	s.find = func() (*session, error) { return sessionOf(ctx) }
	if results {
		s.serve = &served{number: numberOf(ctx)}
		ctx, s.serve.cancel = lasting(ctx)
	}
	return ctx, s
}

// lasting is a context with the values and the deadline of ctx that does not end with it.
func lasting(ctx context.Context) (context.Context, context.CancelCauseFunc) {
	long := context.WithoutCancel(ctx)
	stop := context.CancelFunc(func() {})
	if deadline, ok := ctx.Deadline(); ok {
		long, stop = context.WithDeadline(long, deadline)
	}
	long, cancel := context.WithCancelCause(long)
	return long, func(cause error) { cancel(cause); stop() }
}

func numberOf(ctx context.Context) uint64 {
	md, _ := metadata.FromIncomingContext(ctx)
	if values := md[callKey]; len(values) == 1 {
		n, _ := strconv.ParseUint(values[0], 10, 64)
		return n
	}
	return 0
}

// Commit says that the response is complete. Without it End gives up what was exported for it.
func (s *Scope) Commit() { s.sent = true }

// End ends the call: what was lent is released.
func (s *Scope) End() {
	for _, f := range s.before {
		f()
	}
	s.mu.Lock()
	lent, borrows := s.lent, s.borrows
	s.lent, s.borrows = nil, nil
	s.mu.Unlock()
	for _, id := range lent {
		s.session.dropLent(id)
	}
	for _, h := range borrows {
		h.Release()
	}
	if s.call != nil && s.call.session != nil && s.cancel == nil {
		s.call.watch(s.ctx)
	}
	if s.cancel != nil {
		s.cancel()
	}
	if s.serve != nil {
		s.endServed()
	}
}

// endServed leaves the results to the caller, if it takes them.
func (s *Scope) endServed() {
	c := s.serve
	if c.session == nil { // nothing was exported
		c.cancel(context.Canceled)
		return
	}
	if !s.sent || s.ctx.Err() != nil || c.number == 0 {
		c.dropAll()
	}
}

// Export makes what stands for v in a message: nil for nil. A caller lends it until the call ends; a handler gives it for
// as long as the caller wants it.
func Export[T any](s *Scope, t Type[T], v T) (*runtimepb.Object, error) {
	if isNil(&v) {
		return nil, nil
	}
	session, err := s.need()
	if err != nil {
		return nil, err
	}
	if h := proxyOf(session, v); h != nil && h.claim.session == session && !h.claim.over.Load() && h.isA(t.Name, reflect.TypeFor[T]()) {
		return &runtimepb.Object{Id: h.claim.id, Home: true}, nil
	}
	e, err := session.owned.add(v, t.Name, func() *kind { return newKind(t.Describe()) }, s.reason())
	if err != nil {
		return nil, failure(codes.ResourceExhausted, err, nil)
	}
	session.holdWith(s.hold)
	s.note(e)
	return &runtimepb.Object{Id: e.id, Lent: !s.server}, nil
}

// isA says whether the original is a value of the type, too. A function or a channel of another named type is none.
func (h *Handle) isA(name string, t reflect.Type) bool {
	return h.name == name || t.Kind() == reflect.Interface
}

// reason is why an entry is kept that the scope exports.
func (s *Scope) reason() func(*entry) {
	switch {
	case !s.server:
		return func(e *entry) { e.lent++ }
	case s.serve != nil:
		return s.serve.add
	default:
		return func(e *entry) { e.kept++ }
	}
}

func (s *Scope) note(e *entry) {
	if !s.server {
		s.mu.Lock()
		s.lent = append(s.lent, e.id)
		s.mu.Unlock()
		return
	}
	if s.serve != nil && s.serve.session == nil {
		s.serve.session = s.session
		s.session.keepCall(s.serve)
	}
}

// keepCall lets the caller find the call by its number.
func (s *session) keepCall(c *served) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.calls != nil && c.number != 0 {
		s.calls[c.number] = c
	}
}

// holdWith keeps the owner of the session for as long as the peer knows objects of ours.
func (s *session) holdWith(owner any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err == nil && owner != nil {
		s.hold = owner
	}
}

// Import returns the value that m stands for: nil for nil, the value itself where it is ours, a proxy otherwise.
func Import[T any](s *Scope, t Type[T], m *runtimepb.Object) (v T, err error) {
	if m.GetId() == 0 { // also what a nil in a list comes to
		return v, nil
	}
	session, err := s.need()
	if err != nil {
		return v, err
	}
	if m.GetHome() {
		e := session.owned.get(m.GetId())
		if e == nil {
			return v, failure(codes.InvalidArgument, ErrReleased, nil)
		}
		v, ok := e.value.(T)
		if !ok {
			return v, failure(codes.InvalidArgument, ErrUnknown, nil)
		}
		return v, nil
	}
	h := s.handle(m, t.Name, func(h *Handle) any {
		proxy := t.Proxy(h)
		session.nameFunc(place(&proxy), h)
		return proxy
	})
	v, ok := h.proxy.(T)
	if !ok {
		return v, failure(codes.InvalidArgument, ErrUnknown, nil)
	}
	return v, nil
}

// handle finds the handle for an object of the peer's, or makes it.
func (s *Scope) handle(m *runtimepb.Object, name string, proxy func(*Handle) any) *Handle {
	if m.GetLent() {
		return s.borrow(m.GetId(), name, proxy)
	}
	session := s.session
	session.mu.Lock()
	defer session.mu.Unlock()
	if h := session.proxies[m.GetId()].Value(); h != nil && h.name == name && !h.claim.over.Load() {
		h.claim.times++
		return h
	}
	h := s.newHandle(m.GetId(), name)
	h.claim.times = 1
	if s.call != nil {
		h.claim.call = s.call
		s.call.gain()
		if s.cancel == nil {
			h.caller = s.ctx
		}
	}
	h.cleanup = runtime.AddCleanup(h, (*claim).giveBack, h.claim)
	session.proxies[m.GetId()] = h.claim.self
	h.proxy = proxy(h)
	return h
}

// borrow is handle for what ends with the call.
func (s *Scope) borrow(id uint64, name string, proxy func(*Handle) any) *Handle {
	s.mu.Lock()
	defer s.mu.Unlock()
	if h := s.borrows[id]; h != nil && h.name == name {
		return h
	}
	h := s.newHandle(id, name)
	h.claim.lent, h.scope, h.lender = true, s.ctx, s
	h.proxy = proxy(h)
	if s.borrows == nil {
		s.borrows = map[uint64]*Handle{}
	}
	s.borrows[id] = h
	return h
}

func (s *Scope) newHandle(id uint64, name string) *Handle {
	h := &Handle{claim: &claim{session: s.session, id: id}, name: name, hold: s.hold, origin: s.origin}
	h.claim.self = weak.Make(h)
	return h
}
