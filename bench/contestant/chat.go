package contestant

import (
	"context"
	"errors"
	"io"

	"google.golang.org/grpc"

	"github.com/plugingen/plugingen/bench/peer"
)

// streams opens streams of whatever looks like a gRPC connection.
type streams struct {
	conn grpc.ClientConnInterface
}

// Chat is Session's.
func (c streams) Chat(ctx context.Context) (Chat, error) {
	stream, err := peer.GRPCChat(ctx, c.conn)
	return noteChat{stream}, err
}

// Upload is Session's.
func (c streams) Upload(ctx context.Context, n int) (int64, error) {
	return peer.GRPCUpload(ctx, c.conn, n)
}

// Download is Session's.
func (c streams) Download(ctx context.Context, n int) (int64, error) {
	return peer.GRPCDownload(ctx, c.conn, n)
}

// noteStream is what grpc and ttrpc streams have in common.
type noteStream interface {
	Send(*peer.Note) error
	Recv() (*peer.Note, error)
	CloseSend() error
}

type noteChat struct {
	stream noteStream
}

// Say is Chat's.
func (c noteChat) Say(id int64, name string, value []byte) error {
	return c.stream.Send(&peer.Note{Id: id, Name: name, Value: value})
}

// Hear is Chat's.
func (c noteChat) Hear() (int64, error) {
	note, err := c.stream.Recv()
	return note.GetId(), err
}

// Close is Chat's.
func (c noteChat) Close() error {
	if err := c.stream.CloseSend(); err != nil {
		return err
	}
	if _, err := c.stream.Recv(); !errors.Is(err, io.EOF) {
		return errors.Join(errors.New("chat: it goes on after its end"), err)
	}
	return nil
}
