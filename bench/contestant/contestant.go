// Package contestant says what the bench compares: one file for each library, with the host's half of it.
//
// A further contestant is a type that implements Contestant, a program under plugins unless one there serves it, and a line in All.
package contestant

import (
	"context"
	"errors"
	"io"
	"log/slog"

	"github.com/plugingen/plugingen/bench/load"
)

// Contestant starts plugins of one library in one configuration.
type Contestant interface {
	// Name is what the table calls it; it never changes between runs.
	Name() string
	// Program is the package of the plugin's program, such as "./plugins/grpc".
	Program() string
	// Open starts a plugin and returns when it may be called. It may be called concurrently. The error is
	// errors.ErrUnsupported when the library cannot do what the options ask for.
	Open(ctx context.Context, o Options) (Session, error)
}

// Options say how a plugin is started.
type Options struct {
	Path string     // of the plugin's program
	Log  io.Writer  // gets what the host logs of the plugin's stderr, one Write a record; nil: it is thrown away
	Min  slog.Level // what is below is filtered out by the host's logger
}

// Session is a plugin that runs, as its host sees it. Its methods may be called concurrently.
type Session interface {
	load.Work
	// Chat opens a bidirectional stream; errors.ErrUnsupported where there are none.
	Chat(ctx context.Context) (Chat, error)
	// PID is the number of the plugin's process.
	PID() int
	// Close ends the plugin and returns when its process is gone.
	Close() error
}

// Chat is a bidirectional stream that answers each message with itself. One goroutine may say and another hear.
type Chat interface {
	Say(id int64, name string, value []byte) error
	Hear() (id int64, err error)
	// Close ends the stream orderly.
	Close() error
}

// All returns the contestants in the order of the table.
func All() []Contestant {
	return []Contestant{
		Ours(),
		OursGRPC(),
		OursTLS(),
		OursTLSGRPC(),
		GoPlugin(),
		GoPluginBuiltAlike(),
		GoPluginAutoMTLS(),
		GoPluginMux(),
		GoPluginNetRPC(),
		GRPC(),
		TTRPC(),
		Connect(),
		Floor(),
	}
}

// Names of the two that all others are compared with.
const (
	ReferenceName = "go-plugin"
	FloorName     = "bare socket"
)

// Names of the two with automatic mutual TLS, which are compared with each other besides.
const (
	OursTLSName  = "plugingen TLS"
	TheirTLSName = "go-plugin AutoMTLS"
)

// noChat is the Chat of libraries without streams, or whose streams are not compared.
type noChat struct{}

// Chat is Session's.
func (noChat) Chat(context.Context) (Chat, error) { return nil, errors.ErrUnsupported }

// OnlyStarts says that c differs from another contestant in its start alone, so that nothing else is measured.
func OnlyStarts(c Contestant) bool {
	only, ok := c.(interface{ OnlyStarts() bool })
	return ok && only.OnlyStarts()
}
