package contestant

import (
	"context"

	"github.com/plugingen/plugingen/bench/bare"
	"github.com/plugingen/plugingen/bench/floor"
)

type bareSocket struct{}

// Floor is a unix socket with a length before each message, and a connection for each caller.
func Floor() Contestant { return bareSocket{} }

// Name is Contestant's.
func (bareSocket) Name() string { return FloorName }

// Program is Contestant's.
func (bareSocket) Program() string { return "./plugins/floor" }

// Open is Contestant's.
func (bareSocket) Open(ctx context.Context, o Options) (Session, error) {
	process, err := startBare(ctx, o)
	if err != nil {
		return nil, err
	}
	return &floorSession{Client: floor.NewClient(process.Dial), Process: process}, nil
}

type floorSession struct {
	*floor.Client
	noStreams
	*bare.Process
}

// Close is Session's.
func (s *floorSession) Close() error {
	_ = s.Client.Close()
	return s.Process.Close()
}
