// Command floor is the bench's plugin made with nothing.
package main

import (
	"log"
	"net"

	"github.com/plugingen/plugingen/bench/bare"
	"github.com/plugingen/plugingen/bench/floor"
	"github.com/plugingen/plugingen/bench/load"
)

func main() {
	work := load.NewServer()
	if err := bare.Serve(func(l net.Listener) error { return floor.Serve(l, work) }); err != nil {
		log.Fatal(err)
	}
}
