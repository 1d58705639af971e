package peer

import (
	"context"
	"errors"
	"io"

	"google.golang.org/grpc"

	"github.com/plugingen/plugingen/bench/load"
)

// Server serves load.Server's work as messages.
type Server struct {
	Work load.Work // required
}

var _ PeerServer = Server{}

// Echo is PeerServer's.
func (s Server) Echo(ctx context.Context, r *Note) (*Note, error) {
	id, name, value, err := s.Work.Echo(ctx, r.GetId(), r.GetName(), r.GetValue())
	return &Note{Id: id, Name: name, Value: value}, err
}

// Put is PeerServer's.
func (s Server) Put(ctx context.Context, r *Payload) (*Size, error) {
	size, err := s.Work.Put(ctx, r.GetPayload())
	return &Size{Size: size}, err
}

// Get is PeerServer's.
func (s Server) Get(ctx context.Context, r *Size) (*Payload, error) {
	payload, err := s.Work.Get(ctx, r.GetSize())
	return &Payload{Payload: payload}, err
}

// Print is PeerServer's.
func (s Server) Print(ctx context.Context, r *PrintRequest) (*Empty, error) {
	return &Empty{}, s.Work.Print(ctx, r.GetFormat(), r.GetLines())
}

// GetUsage is PeerServer's.
func (s Server) GetUsage(ctx context.Context, _ *Empty) (*Usage, error) {
	usage, err := s.Work.Usage(ctx)
	return &Usage{Usage: usage}, err
}

// Hold is PeerServer's.
func (s Server) Hold(ctx context.Context, r *HoldRequest) (*Empty, error) {
	return &Empty{}, s.Work.Hold(ctx, r.GetMicros())
}

// Upload answers with the number of messages.
func (Server) Upload(stream grpc.ClientStreamingServer[Note, Size]) error {
	for n := int64(0); ; n++ {
		_, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return stream.SendAndClose(&Size{Size: n})
		}
		if err != nil {
			return err
		}
	}
}

// Download sends as many messages as it is asked for.
func (Server) Download(r *Size, stream grpc.ServerStreamingServer[Note]) error {
	note := load.SmallNote()
	for id := range r.GetSize() {
		if err := stream.Send(&Note{Id: id, Name: note.Name, Value: note.Value}); err != nil {
			return err
		}
	}
	return nil
}

// Chat answers each message with itself.
func (s Server) Chat(stream grpc.BidiStreamingServer[Note, Note]) error {
	for {
		note, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := stream.Send(note); err != nil {
			return err
		}
	}
}
