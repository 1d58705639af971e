package runtime_test

import (
	"context"
	"fmt"
	"testing"

	"google.golang.org/grpc"

	"github.com/plugingen/plugingen/runtime"
)

type greeter interface {
	Greet(ctx context.Context, name string) (string, error)
}

type english struct{}

func (english) Greet(_ context.Context, name string) (string, error) { return "Hello, " + name, nil }

// registrar notes what is registered.
type registrar []string

func (r *registrar) RegisterService(d *grpc.ServiceDesc, _ any) { *r = append(*r, d.ServiceName) }

func greeterService() runtime.Service[greeter] {
	return runtime.Service[greeter]{
		Name: "greeter.Greeter",
		Register: func(r grpc.ServiceRegistrar, g greeter) {
			r.RegisterService(&grpc.ServiceDesc{ServiceName: "greeter.Greeter"}, g)
		},
	}
}

func ExampleService_Implement() {
	implementation := greeterService().Implement(english{})
	var r registrar // a *grpc.Server, in real life
	implementation.Register(&r)
	fmt.Println(implementation.Name(), r)
	// Output: greeter.Greeter [greeter.Greeter]
}

func ExampleRaw() {
	// An existing *_grpc.pb.go is served as it is.
	implementation := runtime.Raw("old.Store", func(r grpc.ServiceRegistrar) {
		r.RegisterService(&grpc.ServiceDesc{ServiceName: "old.Store"}, nil)
	})
	var r registrar
	implementation.Register(&r)
	fmt.Println(r)
	// Output: [old.Store]
}

func TestImplementRefusesNil(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("a nil implementation was taken")
		}
	}()
	greeterService().Implement(nil)
}

func TestZeroImplementationServesNothing(t *testing.T) {
	var r registrar
	runtime.Implementation{}.Register(&r)
	if len(r) != 0 {
		t.Errorf("registered %v", r)
	}
}
