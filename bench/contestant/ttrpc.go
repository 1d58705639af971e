package contestant

import (
	"context"
	"errors"
	"io"

	"github.com/containerd/ttrpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/plugingen/plugingen/bench/bare"
	"github.com/plugingen/plugingen/bench/load"
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

// ttrpcMax bounds a message; nobody can set it.
const ttrpcMax = 4 << 20

type ttrpcSession struct {
	peer.Client
	*bare.Process
	client *ttrpc.Client
}

// Get is load.Work's. A reply that is too large ends ttrpc's connection.
func (s *ttrpcSession) Get(ctx context.Context, size int64) ([]byte, error) {
	payload, err := s.Client.Get(ctx, size)
	if errors.Is(err, ttrpc.ErrClosed) && size > ttrpcMax {
		err = status.Error(codes.ResourceExhausted, "its connection ends with a reply larger than 4 MiB")
	}
	return payload, err
}

// Chat is Session's.
func (s *ttrpcSession) Chat(ctx context.Context) (Chat, error) {
	desc := &ttrpc.StreamDesc{StreamingClient: true, StreamingServer: true}
	stream, err := s.client.NewStream(ctx, desc, peer.ServiceName, "Chat", nil)
	return noteChat{ttrpcStream{stream}}, err
}

// Upload is Session's.
func (s *ttrpcSession) Upload(ctx context.Context, n int) (int64, error) {
	stream, err := s.client.NewStream(ctx, &ttrpc.StreamDesc{StreamingClient: true}, peer.ServiceName, "Upload", nil)
	if err != nil {
		return 0, err
	}
	note := load.SmallNote()
	for id := range int64(n) {
		if err := stream.SendMsg(&peer.Note{Id: id, Name: note.Name, Value: note.Value}); err != nil {
			return 0, err
		}
	}
	size := new(peer.Size)
	err = errors.Join(stream.CloseSend(), stream.RecvMsg(size))
	return size.GetSize(), err
}

// Download is Session's.
func (s *ttrpcSession) Download(ctx context.Context, n int) (int64, error) {
	stream, err := s.client.NewStream(ctx, &ttrpc.StreamDesc{StreamingServer: true}, peer.ServiceName, "Download", &peer.Size{Size: int64(n)})
	if err != nil {
		return 0, err
	}
	for came := int64(0); ; came++ {
		err := stream.RecvMsg(new(peer.Note))
		if errors.Is(err, io.EOF) {
			return came, nil
		}
		if err != nil {
			return came, err
		}
	}
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
