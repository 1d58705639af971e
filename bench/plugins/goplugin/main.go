// Command goplugin is the bench's plugin made with hashicorp/go-plugin; the argument "netrpc" chooses its older protocol.
package main

import (
	"os"
	"slices"

	goplugin "github.com/hashicorp/go-plugin"

	"github.com/plugingen/plugingen/bench/goplug"
	"github.com/plugingen/plugingen/bench/load"
)

func main() {
	config := &goplugin.ServeConfig{
		HandshakeConfig: goplug.Handshake(),
		Plugins:         goplug.Plugins(load.NewServer()),
		GRPCServer:      goplugin.DefaultGRPCServer,
	}
	if slices.Contains(os.Args[1:], goplug.NetRPC) {
		config.GRPCServer = nil
	}
	goplugin.Serve(config)
}
