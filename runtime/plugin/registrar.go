package plugin

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"

	"google.golang.org/grpc"

	"github.com/plugingen/plugingen/runtime"
	"github.com/plugingen/plugingen/runtime/broker"
)

// registrar registers the contract's services, counts their calls, and turns what grpc would end the process for into errors.
// It has GetServiceInfo as well, for code that looks for more than a registrar, such as grpc's reflection.
type registrar struct {
	server   *late
	all      grpc.ServiceRegistrar // gRPC's server, and the lane's
	calls    *calls
	broker   *broker.Broker
	problems []error
	sessions []sessions
}

// sessions is a service whose streams last as long as the client's connection: a stop does not wait for them, it ends them.
// The service's description has it as its metadata.
type sessions interface {
	Drain(ctx context.Context)
	EndSessions()
}

// Broker is for broker.FromRegistrar.
func (r *registrar) Broker() *broker.Broker { return r.broker }

// GetServiceInfo is reflection.ServiceInfoProvider's. It may be called when all is registered, too.
func (r *registrar) GetServiceInfo() map[string]grpc.ServiceInfo { return maps.Clone(r.server.info) }

// register registers all implementations; the error names every one that cannot be.
func (s *server) register(implementations []runtime.Implementation) error {
	r := &registrar{server: s.grpc, all: s.registrar(), calls: s.calls, broker: s.broker}
	for _, i := range implementations {
		i.Register(r)
	}
	if err := errors.Join(r.problems...); err != nil {
		return &Error{Op: "register services", Hint: "correct Services of the plugin.Config in this plugin's main", Err: err}
	}
	s.sessions = r.sessions
	return nil
}

// RegisterService registers desc and implementation.
func (r *registrar) RegisterService(desc *grpc.ServiceDesc, implementation any) {
	if err := r.check(desc, implementation); err != nil {
		r.problems = append(r.problems, err)
		return
	}
	if long, ok := desc.Metadata.(sessions); ok {
		r.sessions = append(r.sessions, long)
		r.all.RegisterService(desc, implementation)
		return
	}
	counted := *desc
	counted.Methods = slices.Clone(desc.Methods)
	for i := range counted.Methods {
		counted.Methods[i].Handler = r.calls.unary(counted.Methods[i].Handler)
	}
	counted.Streams = slices.Clone(desc.Streams)
	for i := range counted.Streams {
		counted.Streams[i].Handler = r.calls.stream(counted.Streams[i].Handler)
	}
	r.all.RegisterService(&counted, implementation)
}

func (r *registrar) check(desc *grpc.ServiceDesc, implementation any) error {
	if _, taken := r.server.info[desc.ServiceName]; taken {
		return fmt.Errorf("service %s is registered twice, or is one of the runtime's own", desc.ServiceName)
	}
	if implementation == nil {
		return nil
	}
	if desc.HandlerType == nil {
		return fmt.Errorf("service %s: its description has no HandlerType", desc.ServiceName)
	}
	want, got := reflect.TypeOf(desc.HandlerType).Elem(), reflect.TypeOf(implementation)
	if !got.Implements(want) {
		return fmt.Errorf("service %s: %s is not a %s", desc.ServiceName, got, want)
	}
	return nil
}
