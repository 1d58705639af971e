package runtime

import (
	"context"
	"errors"
	"sync"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/plugingen/plugingen/runtime/runtimepb"
)

// ErrMissingMethod says that the peer does not have the method: it was built from an older version of the contract.
// errors.Is finds it in the *CallError of the call, whoever made the peer.
var ErrMissingMethod = errors.New("the peer does not have the method: it was built from an older version of the contract")

// Implements says whether the plugin behind conn has the method of the service: an older plugin lacks the newest ones. It asks
// in a way that every gRPC server answers without calling the implementation. A host's connection remembers the answer; calls
// of a method that is known to be missing then fail with ErrMissingMethod and do not reach the plugin. The error says that the
// plugin could not be asked.
func (s Service[T]) Implements(ctx context.Context, conn grpc.ClientConnInterface, method string) (bool, error) {
	full := "/" + s.Name + "/" + method
	known, _ := conn.(interface{ KnownMethods() *KnownMethods })
	if known != nil {
		if has, ok := known.KnownMethods().get(full); ok {
			return has, nil
		}
	}
	has, err := probe(ctx, conn, full)
	if err != nil {
		return false, CallFailed(s.Name+"."+method, err)
	}
	if known != nil {
		known.KnownMethods().set(full, has)
	}
	return has, nil
}

// probe sends what no message can begin with: a server that has the method refuses the request, another one the method.
func probe(ctx context.Context, conn grpc.ClientConnInterface, method string) (bool, error) {
	req := new(runtimepb.Done)
	req.ProtoReflect().SetUnknown([]byte{0xff})
	err := conn.Invoke(ctx, method, req, new(runtimepb.Done))
	switch status.Code(err) {
	case codes.Unimplemented:
		return false, nil
	case codes.Unavailable, codes.Canceled, codes.DeadlineExceeded:
		return false, err
	default:
		return true, nil
	}
}

// KnownMethods are the methods of which a connection knows whether the peer has them. Those who look after connections have
// one for each; the zero value knows none. It may be used concurrently.
type KnownMethods struct {
	methods sync.Map // full name -> bool
	lacking sync.Map // the names of those that are missing
}

func (k *KnownMethods) get(method string) (has, known bool) {
	v, ok := k.methods.Load(method)
	has, _ = v.(bool)
	return has, ok
}

func (k *KnownMethods) set(method string, has bool) {
	k.methods.Store(method, has)
	if !has {
		k.lacking.Store(method, status.Error(codes.Unimplemented, ErrMissingMethod.Error()))
	}
}

// Missing is the error of a call of the method when the peer is known to lack it; nil otherwise.
func (k *KnownMethods) Missing(method string) error {
	if err, ok := k.lacking.Load(method); ok {
		return err.(error)
	}
	return nil
}

// Learn takes what a call of the method has ended with.
func (k *KnownMethods) Learn(method string, err error) {
	if err != nil && status.Code(err) == codes.Unimplemented {
		k.set(method, false)
	}
}
