// Package live is a contract whose parameters and results stay in their process.
package live

import (
	"context"
	"errors"
	"io"
)

//go:generate go -C ../../.. run ./cmd/plugingen generate -type Live golden/interop/live

// ErrStop is the host's.
var ErrStop = errors.New("stop")

// Observer is called back.
type Observer interface {
	Step(ctx context.Context, n int) (int, error)
}

// Counter is a result.
type Counter interface {
	Next(ctx context.Context) (int, error)
	Close() error
}

// Live has what crosses by reference.
type Live interface {
	Watch(ctx context.Context, steps int, o Observer) (int, error)
	Count(ctx context.Context, from int) (Counter, error)
	Upper(ctx context.Context, r io.Reader) (io.ReadCloser, error)
	Apply(ctx context.Context, f func(ctx context.Context, text string) (string, error), text string) (string, error)
	Squares(ctx context.Context, in <-chan int) (<-chan int, error)
	// Hang calls back and stays.
	Hang(ctx context.Context, o Observer) error
}
