package contestant

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"

	"github.com/plugingen/plugingen/bench/bare"
	"github.com/plugingen/plugingen/bench/floor"
)

type bareSocket struct{}

// Floor is a unix socket with a length before each message, and a connection for each caller.
// Of stderr each line becomes a record of the logger that others have too: what no relay can do without.
func Floor() Contestant { return bareSocket{} }

// Name is Contestant's.
func (bareSocket) Name() string { return FloorName }

// Program is Contestant's.
func (bareSocket) Program() string { return "./plugins/floor" }

// Open is Contestant's.
func (bareSocket) Open(ctx context.Context, o Options) (Session, error) {
	var lines io.Writer
	if o.Log != nil {
		if o.Min > slog.LevelInfo {
			return nil, errors.ErrUnsupported // a line has no level here
		}
		lines = records{logger(o)}
	}
	process, err := bare.Start(ctx, o.Path, lines)
	if err != nil {
		return nil, err
	}
	return &floorSession{Client: floor.NewClient(process.Dial), Process: process}, nil
}

// records makes one of each Write, which is a line.
type records struct {
	log *slog.Logger
}

// Write is io.Writer's.
func (r records) Write(line []byte) (int, error) {
	r.log.Info(string(bytes.TrimSuffix(line, []byte("\n"))))
	return len(line), nil
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
