package host

import (
	"context"
	"io"
	"log/slog"
	"sync"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/plugingen/plugingen/runtime/internal/lane"
	"github.com/plugingen/plugingen/runtime/internal/wire"
	"github.com/plugingen/plugingen/runtime/relay"
)

// maxPrint is the largest piece of print that a plugin may send. go-plugin's have 1 KiB.
const maxPrint = 4 << 20

// stdio reads what the plugin prints once it serves.
type stdio struct {
	logger *slog.Logger
	cancel context.CancelFunc
	ended  chan struct{} // closed when the stream has
	out    sink
	err    sink
}

// sink takes what was printed on one of the streams.
type sink interface {
	write([]byte)
	// end waits a bounded time for what was written to arrive.
	end()
}

// openStdio reads in the background until the plugin, or end, ends the stream.
func openStdio(cfg Config, cc grpc.ClientConnInterface) *stdio {
	ctx, cancel := context.WithCancel(context.Background())
	s := &stdio{logger: cfg.Logger, cancel: cancel, ended: make(chan struct{})}
	s.out = newSink(ctx, cfg, cfg.Stdout, "stdout")
	if s.err = s.out; cfg.Stdout == nil || !sameWriter(cfg.Stdout, cfg.Stderr) {
		s.err = newSink(ctx, cfg, cfg.Stderr, "stderr")
	}
	go s.read(ctx, cc)
	return s
}

// sameWriter is a == b for writers whose type may not be comparable.
func sameWriter(a, b io.Writer) (same bool) {
	defer func() { _ = recover() }()
	return a == b
}

func newSink(ctx context.Context, cfg Config, w io.Writer, stream string) sink {
	if w == nil {
		return &logSink{cfg: relayConfig(cfg, stream)}
	}
	return newWriterSink(ctx, cfg.Logger, w, stream)
}

func (s *stdio) read(ctx context.Context, cc grpc.ClientConnInterface) {
	defer close(s.ended)
	err := wire.ReadStdio(ctx, limited{cc}, func(channel wire.StdioData_Channel, data []byte) {
		switch channel {
		case wire.StdioData_CHANNEL_STDOUT:
			s.out.write(data)
		case wire.StdioData_CHANNEL_STDERR:
			s.err.write(data)
		}
	})
	switch status.Code(err) {
	case codes.OK, codes.Canceled, codes.Unavailable: // the plugin has ended, or we have
	case codes.Unimplemented:
		note(s.logger, slog.LevelDebug, "the plugin has no stdio service: what it prints is lost")
	default:
		note(s.logger, slog.LevelWarn, "the plugin's prints can no longer be read", "error", err)
	}
}

// drain waits for the last prints of a plugin that has ended: they are in the socket.
func (s *stdio) drain() {
	closesWithin(context.Background(), s.ended, waitDelay)
}

// end ends the stream, and waits a bounded time for the writers.
func (s *stdio) end() {
	s.cancel()
	<-s.ended
	var sinks sync.WaitGroup
	sinks.Go(s.out.end)
	if s.err != s.out {
		sinks.Go(s.err.end)
	}
	sinks.Wait()
}

// limited bounds the messages of the stdio stream, which are queued. That stream makes no other call slower.
type limited struct{ grpc.ClientConnInterface }

// NewStream is grpc.ClientConnInterface's.
func (l limited) NewStream(ctx context.Context, desc *grpc.StreamDesc, method string, opts ...grpc.CallOption) (grpc.ClientStream, error) {
	return l.ClientConnInterface.NewStream(ctx, desc, method, append(opts, grpc.MaxCallRecvMsgSize(maxPrint), lane.Quiet())...)
}

// logSink logs what is printed, line by line. It starts with the first print.
type logSink struct {
	cfg  relay.Config
	w    *io.PipeWriter
	done chan struct{}
}

func (s *logSink) write(data []byte) {
	if s.w == nil {
		r, w := io.Pipe()
		s.w, s.done = w, make(chan struct{})
		go func() {
			defer close(s.done)
			_ = relay.New(s.cfg).Run(r) // reads to the end whatever the logger does
		}()
	}
	_, _ = s.w.Write(data)
}

func (s *logSink) end() {
	if s.w != nil {
		_ = s.w.Close() // never fails
		<-s.done        // bounded by relay.Config.DrainTimeout
	}
}
