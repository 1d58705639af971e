package runtime

import "google.golang.org/grpc"

// Service ties a contract's interface T to the gRPC service that carries it.
// Generated code declares one for each interface; it has no state, and all of it may be used concurrently.
type Service[T any] struct {
	// Name is the full gRPC service name, such as "greeter.v1.Greeter".
	Name string
	// Register makes registrar serve implementation under Name.
	Register func(registrar grpc.ServiceRegistrar, implementation T)
	// NewClient returns a T whose methods are calls over conn.
	NewClient func(conn grpc.ClientConnInterface) T
}

// Implement pairs the service with the value that a plugin serves it with.
// It panics when implementation is a nil interface: that is a fault of the program, found at its start.
func (s Service[T]) Implement(implementation T) Implementation {
	if any(implementation) == nil {
		panic("runtime: Service.Implement: the implementation of " + s.Name + " is nil")
	}
	return Implementation{
		name:     s.Name,
		register: func(r grpc.ServiceRegistrar) { s.Register(r, implementation) },
	}
}

// Implementation is a service together with the value that serves it. [Service.Implement] makes one;
// the zero value serves nothing.
type Implementation struct {
	name     string
	register func(grpc.ServiceRegistrar)
}

// Raw is an Implementation without a contract: register may register any number of gRPC services, such as those
// of an existing *_grpc.pb.go. Name is what health checks know it by.
func Raw(name string, register func(grpc.ServiceRegistrar)) Implementation {
	return Implementation{name: name, register: register}
}

// Name is the full gRPC service name.
func (i Implementation) Name() string { return i.name }

// Register makes registrar serve the implementation.
func (i Implementation) Register(registrar grpc.ServiceRegistrar) {
	if i.register != nil {
		i.register(registrar)
	}
}
