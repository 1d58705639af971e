package object

import (
	"reflect"

	"google.golang.org/grpc"
)

// Type says how values of the type T are served and called. Generated code makes one for each type; it has no state.
type Type[T any] struct {
	// Name is that of the gRPC service which Describe returns.
	Name string
	// Describe returns the methods. The srv of their handlers is the T.
	Describe func() *grpc.ServiceDesc
	// Proxy returns a T whose methods are calls over conn.
	Proxy func(conn grpc.ClientConnInterface) T
}

// kind is a Type's methods by their names.
type kind struct {
	unary   map[string]*grpc.MethodDesc
	streams map[string]*grpc.StreamDesc
}

func newKind(desc *grpc.ServiceDesc) *kind {
	k := &kind{unary: map[string]*grpc.MethodDesc{}, streams: map[string]*grpc.StreamDesc{}}
	for i := range desc.Methods {
		k.unary[desc.Methods[i].MethodName] = &desc.Methods[i]
	}
	for i := range desc.Streams {
		k.streams[desc.Streams[i].StreamName] = &desc.Streams[i]
	}
	return k
}

// isNil says whether v is a nil interface, function or channel.
func isNil[T any](v *T) bool {
	switch r := reflect.ValueOf(v).Elem(); r.Kind() {
	case reflect.Interface, reflect.Func, reflect.Chan:
		return r.IsNil()
	default:
		return false
	}
}

// proxied is what proxies of interfaces have beside the interface's methods.
type proxied interface {
	PlugingenConn() grpc.ClientConnInterface
}

// proxyOf is the handle of a proxy; nil when v is none.
func proxyOf[T any](s *session, v T) *Handle {
	if h := s.namedFunc(place(&v)); h != nil {
		return h
	}
	p, ok := any(v).(proxied)
	if !ok {
		return s.namedChannel(v)
	}
	h, _ := p.PlugingenConn().(*Handle)
	return h
}

// nameChannel lets a channel be recognised that is a proxy; nil makes it forgotten.
func (s *session) nameChannel(local any, h *Handle) {
	s.channelsMu.Lock()
	defer s.channelsMu.Unlock()
	if h == nil {
		delete(s.channels, local)
		return
	}
	if s.channels == nil {
		s.channels = map[any]*Handle{}
	}
	s.channels[local] = h
}

func (s *session) namedChannel(v any) *Handle {
	if reflect.ValueOf(v).Kind() != reflect.Chan {
		return nil
	}
	s.channelsMu.Lock()
	defer s.channelsMu.Unlock()
	return s.channels[v]
}
