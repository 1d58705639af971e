package contestant

import (
	"context"

	"github.com/containerd/ttrpc"

	"github.com/plugingen/plugingen/bench/bare"
	"github.com/plugingen/plugingen/bench/peer"
)

type ttrpcs struct{}

// TTRPC is containerd's ttrpc over a unix socket.
func TTRPC() Contestant { return ttrpcs{} }

// Name is Contestant's.
func (ttrpcs) Name() string { return "ttrpc" }

// Program is Contestant's.
func (ttrpcs) Program() string { return "./plugins/ttrpc" }

// Open is Contestant's.
func (ttrpcs) Open(ctx context.Context, o Options) (Session, error) {
	process, err := startBare(ctx, o)
	if err != nil {
		return nil, err
	}
	conn, err := process.Dial(ctx)
	if err != nil {
		return nil, closeAfter(process, err)
	}
	client := ttrpc.NewClient(conn)
	invoke := func(ctx context.Context, method string, req, resp any) error {
		return client.Call(ctx, peer.ServiceName, method, req, resp)
	}
	return &ttrpcSession{Client: peer.NewClient(invoke), Process: process, client: client}, nil
}

type ttrpcSession struct {
	peer.Client
	*bare.Process
	client *ttrpc.Client
}

// Chat is Session's.
func (s *ttrpcSession) Chat(ctx context.Context) (Chat, error) {
	desc := &ttrpc.StreamDesc{StreamingClient: true, StreamingServer: true}
	stream, err := s.client.NewStream(ctx, desc, peer.ServiceName, "Chat", nil)
	return noteChat{ttrpcStream{stream}}, err
}

// Close is Session's.
func (s *ttrpcSession) Close() error {
	_ = s.client.Close()
	return s.Process.Close()
}

type ttrpcStream struct {
	ttrpc.ClientStream
}

func (s ttrpcStream) Send(note *peer.Note) error { return s.SendMsg(note) }

func (s ttrpcStream) Recv() (*peer.Note, error) {
	note := new(peer.Note)
	return note, s.RecvMsg(note)
}
