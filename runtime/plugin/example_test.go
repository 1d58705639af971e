package plugin_test

import (
	"context"
	"errors"
	"fmt"
	"os"

	"google.golang.org/grpc"
	"google.golang.org/grpc/reflection"

	"github.com/plugingen/plugingen/runtime"
	"github.com/plugingen/plugingen/runtime/handshake"
	"github.com/plugingen/plugingen/runtime/plugin"
)

// The main function of a plugin. Generated contracts have a runtime.Service, whose Implement pairs it with a value.
func ExampleMain() {
	main := func() {
		os.Exit(plugin.Main(plugin.Config{
			Handshake: handshake.Config{MagicCookieKey: "GREETER_PLUGIN", MagicCookieValue: "8f14e45f"},
			Services:  map[int][]runtime.Implementation{1: {echoImplementation()}},
		}))
	}
	_ = main
}

// A main that cleans up after the plugin has stopped, and tells a person from a host.
func ExampleServe() {
	err := plugin.Serve(context.Background(), plugin.Config{
		Handshake: handshake.Config{MagicCookieKey: "GREETER_PLUGIN", MagicCookieValue: "8f14e45f"},
		Services:  map[int][]runtime.Implementation{1: {echoImplementation()}},
	})
	if errors.Is(err, handshake.ErrCookieNotProvided) {
		fmt.Println("no host started this program")
	}
	// Output: no host started this program
}

// Reflection is off, because it tells whoever connects what there is. A plugin that wants it, for grpcurl say, adds one entry to its services.
func ExampleConfig_reflection() {
	reflected := runtime.Raw("grpc.reflection.v1.ServerReflection", func(r grpc.ServiceRegistrar) { reflection.Register(r.(reflection.GRPCServer)) })

	cfg := plugin.Config{
		Handshake: handshake.Config{MagicCookieKey: "GREETER_PLUGIN", MagicCookieValue: "8f14e45f"},
		Services:  map[int][]runtime.Implementation{1: {echoImplementation(), reflected}},
	}
	for _, service := range cfg.Services[1] {
		fmt.Println(service.Name())
	}
	// Output:
	// test.Echo
	// grpc.reflection.v1.ServerReflection
}
