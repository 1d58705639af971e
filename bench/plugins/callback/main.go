// Command callback is the bench's plugin made with plugingen that calls its host back.
package main

import (
	"os"

	"github.com/plugingen/plugingen/bench/callback"
	"github.com/plugingen/plugingen/bench/contract"
	"github.com/plugingen/plugingen/bench/load"
	"github.com/plugingen/plugingen/runtime"
	"github.com/plugingen/plugingen/runtime/plugin"
)

func main() {
	os.Exit(plugin.Main(plugin.Config{
		Handshake: contract.Handshake,
		Services: map[int][]runtime.Implementation{1: {
			contract.WorkService.Implement(load.NewServer()),
			callback.CallerService.Implement(callback.Implementation{}),
		}},
	}))
}
