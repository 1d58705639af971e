// Command ttrpc is the bench's plugin made with containerd's ttrpc.
package main

import (
	"context"
	"errors"
	"io"
	"log"
	"net"

	"github.com/containerd/ttrpc"

	"github.com/plugingen/plugingen/bench/bare"
	"github.com/plugingen/plugingen/bench/load"
	"github.com/plugingen/plugingen/bench/peer"
)

func main() {
	server, err := ttrpc.NewServer()
	if err != nil {
		log.Fatal(err)
	}
	server.RegisterService(peer.ServiceName, service(peer.Server{Work: load.NewServer()}))
	if err := bare.Serve(func(l net.Listener) error { return server.Serve(context.Background(), l) }); err != nil {
		log.Fatal(err)
	}
}

func service(s peer.Server) *ttrpc.ServiceDesc {
	return &ttrpc.ServiceDesc{
		Methods: map[string]ttrpc.Method{
			"Echo":     unary(s.Echo),
			"Put":      unary(s.Put),
			"Get":      unary(s.Get),
			"Print":    unary(s.Print),
			"GetUsage": unary(s.GetUsage),
			"Hold":     unary(s.Hold),
		},
		Streams: map[string]ttrpc.Stream{
			"Chat":     {Handler: chat, StreamingClient: true, StreamingServer: true},
			"Upload":   {Handler: upload, StreamingClient: true},
			"Download": {Handler: download, StreamingServer: true},
		},
	}
}

func unary[Req, Resp any](method func(context.Context, *Req) (*Resp, error)) ttrpc.Method {
	return func(ctx context.Context, decode func(any) error) (any, error) {
		req := new(Req)
		if err := decode(req); err != nil {
			return nil, err
		}
		return method(ctx, req)
	}
}

// chat answers each message with itself.
func chat(_ context.Context, stream ttrpc.StreamServer) (any, error) {
	for {
		note := new(peer.Note)
		err := stream.RecvMsg(note)
		if errors.Is(err, io.EOF) {
			return nil, nil
		}
		if err != nil {
			return nil, err
		}
		if err := stream.SendMsg(note); err != nil {
			return nil, err
		}
	}
}

// upload counts.
func upload(_ context.Context, stream ttrpc.StreamServer) (any, error) {
	for n := int64(0); ; n++ {
		err := stream.RecvMsg(new(peer.Note))
		if errors.Is(err, io.EOF) {
			return &peer.Size{Size: n}, nil
		}
		if err != nil {
			return nil, err
		}
	}
}

// download sends as many messages as it is asked for.
func download(_ context.Context, stream ttrpc.StreamServer) (any, error) {
	size := new(peer.Size)
	if err := stream.RecvMsg(size); err != nil {
		return nil, err
	}
	note := load.SmallNote()
	for id := range size.GetSize() {
		if err := stream.SendMsg(&peer.Note{Id: id, Name: note.Name, Value: note.Value}); err != nil {
			return nil, err
		}
	}
	return nil, nil
}
