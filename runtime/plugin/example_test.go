package plugin_test

import (
	"context"
	"errors"
	"fmt"
	"os"

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
