// Command connect is the bench's plugin made with connect-go.
package main

import (
	"context"
	"log"
	"net"
	"net/http"

	"connectrpc.com/connect"

	"github.com/plugingen/plugingen/bench/bare"
	"github.com/plugingen/plugingen/bench/load"
	"github.com/plugingen/plugingen/bench/peer"
)

func main() {
	server := &http.Server{Handler: handler(peer.Server{Work: load.NewServer()}), Protocols: new(http.Protocols)}
	server.Protocols.SetUnencryptedHTTP2(true)
	if err := bare.Serve(func(l net.Listener) error { return server.Serve(l) }); err != nil {
		log.Fatal(err)
	}
}

func handler(s peer.Server) http.Handler {
	mux := http.NewServeMux()
	unary(mux, "Echo", s.Echo)
	unary(mux, "Put", s.Put)
	unary(mux, "Get", s.Get)
	unary(mux, "Print", s.Print)
	unary(mux, "GetUsage", s.GetUsage)
	unary(mux, "Hold", s.Hold)
	return mux
}

func unary[Req, Resp any](mux *http.ServeMux, name string, method func(context.Context, *Req) (*Resp, error)) {
	path := "/" + peer.ServiceName + "/" + name
	mux.Handle(path, connect.NewUnaryHandler(path, func(ctx context.Context, req *connect.Request[Req]) (*connect.Response[Resp], error) {
		resp, err := method(ctx, req.Msg)
		if err != nil {
			return nil, err
		}
		return connect.NewResponse(resp), nil
	}))
}
