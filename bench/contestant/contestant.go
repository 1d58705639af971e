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
	// Upload sends n small messages in a client stream, Download asks for a server stream of n; both return how many arrived.
	// errors.ErrUnsupported where there are none.
	Upload(ctx context.Context, n int) (arrived int64, err error)
	Download(ctx context.Context, n int) (arrived int64, err error)
	// PID is the number of the plugin's process.
	PID() int
	// Close ends the plugin and returns when its process is gone.
	Close() error
}

// CallingBack is a session whose plugin can call functions of its host.
type CallingBack interface {
	// CallBack makes one call, in which the plugin calls back times times, one after the other.
	CallBack(ctx context.Context, times int64, back func(ctx context.Context, n int64) (int64, error)) error
}

// CallbackProgram is of contestants that have a program of its own for callbacks, served by the same Open: what they link
// is not in the one that all else is measured with.
type CallbackProgram interface {
	CallbackProgram() string
}

// Mortal is a session whose library notices by itself that the plugin has died.
type Mortal interface {
	// Dead returns when the library says so.
	Dead(ctx context.Context) error
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

// Names of ours, and of those that all others are compared with.
const (
	OursName      = "plugingen"
	ReferenceName = "go-plugin"
	FallbackName  = "grpc-go" // for work that ReferenceName refuses
	FloorName     = "bare socket"
)

// Names of the two with automatic mutual TLS, which are compared with each other besides.
const (
	OursTLSName  = "plugingen TLS"
	TheirTLSName = "go-plugin AutoMTLS"
)

// noStreams is for libraries without streams, or whose streams are not compared.
type noStreams struct{}

// Chat is Session's.
func (noStreams) Chat(context.Context) (Chat, error) { return nil, errors.ErrUnsupported }

// Upload is Session's.
func (noStreams) Upload(context.Context, int) (int64, error) { return 0, errors.ErrUnsupported }

// Download is Session's.
func (noStreams) Download(context.Context, int) (int64, error) { return 0, errors.ErrUnsupported }

// OnlyStarts says that c differs from another contestant in its start alone, so that nothing else is measured.
func OnlyStarts(c Contestant) bool {
	only, ok := c.(interface{ OnlyStarts() bool })
	return ok && only.OnlyStarts()
}
