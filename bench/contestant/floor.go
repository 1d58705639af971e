package contestant

import (
	"context"
	"errors"
	"log/slog"

	"github.com/plugingen/plugingen/bench/bare"
	"github.com/plugingen/plugingen/bench/floor"
)

type bareSocket struct{}

// Floor is a unix socket with a length before each message, and a connection for each caller.
// Of stderr it writes each line as it is, by one Write: what no relay can do without.
func Floor() Contestant { return bareSocket{} }

// Name is Contestant's.
func (bareSocket) Name() string { return FloorName }

// Program is Contestant's.
func (bareSocket) Program() string { return "./plugins/floor" }

// Open is Contestant's.
func (bareSocket) Open(ctx context.Context, o Options) (Session, error) {
	if o.Min > slog.LevelDebug {
		return nil, errors.ErrUnsupported // a line has no level here
	}
	process, err := bare.Start(ctx, o.Path, o.Log)
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
