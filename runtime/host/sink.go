package host

import (
	"context"
	"io"
	"log/slog"
	"time"
)

const (
	sinkQueue = 16              // pieces between the stream and a writer
	patience  = 5 * time.Second // for which a writer that blocks holds up the plugin
)

// writerSink gives what is printed to the host's writer, in a goroutine of its own: one that blocks must not keep
// anything else from ending.
type writerSink struct {
	ctx    context.Context // of the stream; a write that waits for the writer ends with it
	logger *slog.Logger
	stream string
	w      io.Writer

	queue   chan []byte
	done    chan struct{}
	lost    int  // bytes since the writer began to stall
	stalled bool // the writer has used up its patience; pieces are lost until it takes one
}

func newWriterSink(ctx context.Context, logger *slog.Logger, w io.Writer, stream string) *writerSink {
	s := &writerSink{ctx: ctx, logger: logger, stream: stream, w: w, queue: make(chan []byte, sinkQueue), done: make(chan struct{})}
	go s.run()
	return s
}

// run writes until end. After an error of the writer it only empties the queue.
func (s *writerSink) run() {
	defer close(s.done)
	var failed error
	for data := range s.queue {
		if failed != nil {
			continue
		}
		if _, failed = s.w.Write(data); failed != nil {
			note(s.logger, slog.LevelWarn, "what the plugin prints cannot be written", "stream", s.stream, "error", failed)
		}
	}
}

func (s *writerSink) write(data []byte) {
	if s.enqueue(data) {
		s.reportLost()
		return
	}
	s.stalled = true
	s.lost += len(data)
}

func (s *writerSink) enqueue(data []byte) bool {
	select {
	case s.queue <- data:
		return true
	default:
	}
	return !s.stalled && s.enqueuePatiently(data)
}

func (s *writerSink) enqueuePatiently(data []byte) bool {
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case s.queue <- data:
		return true
	case <-timer.C:
		return false
	case <-s.ctx.Done():
		return false
	}
}

func (s *writerSink) reportLost() {
	if s.lost > 0 {
		note(s.logger, slog.LevelWarn, "prints of the plugin were lost: the host's writer is slower than the plugin", "stream", s.stream, "bytes", s.lost)
	}
	s.lost, s.stalled = 0, false
}

// end leaves a writer that still blocks to itself; its goroutine ends when it returns.
func (s *writerSink) end() {
	close(s.queue)
	if !closesWithin(context.Background(), s.done, waitDelay) {
		note(s.logger, slog.LevelWarn, "the host's writer blocks: what it has not taken is lost", "stream", s.stream)
	}
	s.reportLost()
}
