package object

import (
	"context"
	"iter"

	"google.golang.org/grpc"

	plugingen "github.com/plugingen/plugingen/runtime"
)

// Seq is the type of an iter.Seq. Leaving its loop makes the owner's function leave its own before the loop ends; until then
// the owner may be up to 64 values ahead, fewer at the beginning. A loop whose connection is lost ends early, and the
// connection's owner is told.
func Seq[T, M any](name string, encode func(*Scope, T) (*M, error), decode func(*Scope, *M) (T, error)) Type[iter.Seq[T]] {
	c := codec[T, M]{encode, decode}
	return Type[iter.Seq[T]]{
		Name: name,
		Describe: func() *grpc.ServiceDesc {
			return describeStream(name, func(srv any, stream grpc.ServerStream) error {
				return c.produce(stream, func(_ context.Context, send func(T) bool, ready func() bool) {
					if !ready() {
						return
					}
					srv.(iter.Seq[T])(func(v T) bool { return send(v) && ready() })
				})
			})
		},
		Proxy: func(conn grpc.ClientConnInterface) iter.Seq[T] {
			h := conn.(*Handle)
			return func(yield func(T) bool) {
				if err := c.consume(h.life(), h, yield); err != nil && h.life().Err() == nil {
					plugingen.ReportLost(h, plugingen.CallFailed("iter.Seq", err))
				}
			}
		},
	}
}

// pair is a value of an iter.Seq2.
type pair[K, V any] struct {
	key   K
	value V
}

// Seq2 is the type of an iter.Seq2; see Seq. When its values are errors, a lost connection is the last of them.
func Seq2[K, V, M any](name string, encode func(*Scope, K, V) (*M, error), decode func(*Scope, *M) (K, V, error)) Type[iter.Seq2[K, V]] {
	c := codec[pair[K, V], M]{
		func(s *Scope, p pair[K, V]) (*M, error) { return encode(s, p.key, p.value) },
		func(s *Scope, m *M) (p pair[K, V], err error) {
			p.key, p.value, err = decode(s, m)
			return p, err
		},
	}
	return Type[iter.Seq2[K, V]]{
		Name: name,
		Describe: func() *grpc.ServiceDesc {
			return describeStream(name, func(srv any, stream grpc.ServerStream) error {
				return c.produce(stream, func(_ context.Context, send func(pair[K, V]) bool, ready func() bool) {
					if !ready() {
						return
					}
					srv.(iter.Seq2[K, V])(func(k K, v V) bool { return send(pair[K, V]{k, v}) && ready() })
				})
			})
		},
		Proxy: func(conn grpc.ClientConnInterface) iter.Seq2[K, V] {
			return func(yield func(K, V) bool) { eachPair(conn.(*Handle), c, yield) }
		},
	}
}

func eachPair[K, V, M any](h *Handle, c codec[pair[K, V], M], yield func(K, V) bool) {
	more := true
	err := c.consume(h.life(), h, func(p pair[K, V]) bool {
		more = yield(p.key, p.value)
		return more
	})
	if err == nil || !more {
		return
	}
	ended := h.life().Err() != nil
	err = plugingen.CallFailed("iter.Seq2", err)
	var last pair[K, V]
	if slot, ok := any(&last.value).(*error); ok {
		*slot = err
		yield(last.key, last.value)
		return
	}
	if !ended {
		plugingen.ReportLost(h, err)
	}
}
