package plugin_test

import (
	"context"
	"fmt"
	"log/slog"
	"os"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/plugingen/plugingen/runtime"
	"github.com/plugingen/plugingen/runtime/broker"
	"github.com/plugingen/plugingen/runtime/host"
	"github.com/plugingen/plugingen/runtime/plugin"
)

// greet is a method of a plugin. It is told a number, and asks whoever accepts that number for a name.
func greet(ctx context.Context, number *wrapperspb.StringValue) (*wrapperspb.StringValue, error) {
	var id uint32
	if _, err := fmt.Sscan(number.GetValue(), &id); err != nil {
		return nil, err
	}
	caller, err := broker.FromContext(ctx).Dial(ctx, id)
	if err != nil {
		return nil, err
	}
	defer func() { _ = caller.Close() }()
	name := &wrapperspb.StringValue{}
	if err := caller.Invoke(ctx, "/example.Person/Call", wrapperspb.String("who are you?"), name); err != nil {
		return nil, err
	}
	return wrapperspb.String("hello, " + name.GetValue()), nil
}

// person is a method of the host, for the plugin to call.
func person(context.Context, *wrapperspb.StringValue) (*wrapperspb.StringValue, error) {
	return wrapperspb.String("Ada"), nil
}

// service is what a *_grpc.pb.go does for a service with one method.
func service(name string, call func(context.Context, *wrapperspb.StringValue) (*wrapperspb.StringValue, error)) runtime.Implementation {
	return runtime.Raw(name, func(r grpc.ServiceRegistrar) {
		r.RegisterService(&grpc.ServiceDesc{ServiceName: name, Methods: []grpc.MethodDesc{{
			MethodName: "Call",
			Handler: func(_ any, ctx context.Context, decode func(any) error, _ grpc.UnaryServerInterceptor) (any, error) {
				in := &wrapperspb.StringValue{}
				if err := decode(in); err != nil {
					return nil, err
				}
				return call(ctx, in)
			},
		}}}, nil)
	})
}

// greeterMain is the plugin's main.
func greeterMain() int {
	c := config()
	c.Services = map[int][]runtime.Implementation{1: {service("example.Greeter", greet)}}
	return plugin.Main(c)
}

// A plugin that calls its host back, and the host that it does so under.
func Example_callback() {
	ctx := context.Background()
	p, err := host.Open(ctx, host.Config{
		Handshake: config().Handshake,
		Path:      os.Args[0], // this very program is the plugin, too
		Env:       []string{modeEnv + "=greeter"},
		Logger:    slog.New(slog.DiscardHandler),
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	b := p.Broker()
	id := b.NextID()
	served := make(chan error, 1)
	go func() { served <- b.AcceptAndServe(ctx, id, service("example.Person", person)) }()

	greeting := &wrapperspb.StringValue{}
	err = p.Conn().Invoke(ctx, "/example.Greeter/Call", wrapperspb.String(fmt.Sprint(id)), greeting)
	fmt.Println(greeting.GetValue(), err)
	fmt.Println(p.Close())
	<-served // it ends with the plugin
	// Output:
	// hello, Ada <nil>
	// <nil>
}
