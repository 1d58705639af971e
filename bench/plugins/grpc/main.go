// Command grpc is the bench's plugin made with grpc-go and its defaults, but for the size of messages.
package main

import (
	"log"
	"net"

	"google.golang.org/grpc"

	"github.com/plugingen/plugingen/bench/bare"
	"github.com/plugingen/plugingen/bench/load"
	"github.com/plugingen/plugingen/bench/peer"
)

func main() {
	server := grpc.NewServer(grpc.MaxRecvMsgSize(load.MaxMessage))
	peer.RegisterPeerServer(server, peer.Server{Work: load.NewServer()})
	if err := bare.Serve(func(l net.Listener) error { return server.Serve(l) }); err != nil {
		log.Fatal(err)
	}
}
