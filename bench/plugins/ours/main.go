// Command ours is the bench's plugin made with plugingen.
package main

import (
	"os"

	"google.golang.org/grpc"

	"github.com/plugingen/plugingen/bench/contract"
	"github.com/plugingen/plugingen/bench/load"
	"github.com/plugingen/plugingen/bench/peer"
	"github.com/plugingen/plugingen/runtime"
	"github.com/plugingen/plugingen/runtime/plugin"
)

func main() {
	work := load.NewServer()
	chat := func(r grpc.ServiceRegistrar) { peer.RegisterPeerServer(r, peer.Server{Work: work}) }
	os.Exit(plugin.Main(plugin.Config{
		Handshake:      contract.Handshake,
		MaxMessageSize: load.MaxMessage,
		Services: map[int][]runtime.Implementation{1: {
			contract.WorkService.Implement(work),
			runtime.Raw(peer.ServiceName, chat), // contracts have no streams
		}},
	}))
}
