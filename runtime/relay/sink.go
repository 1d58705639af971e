package relay

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"
)

const (
	maxTrace  = 256 << 10              // bytes of a trace in one record
	maxHead   = 1 << 10                // of its message, in the records after the first
	traceIdle = 500 * time.Millisecond // a trace that pauses for so long has ended
)

// sink turns queued pieces into records and hands them to the logger's handler, which may be slow, blocked or broken.
type sink struct {
	handler slog.Handler
	stream  string
	level   slog.Level // of lines that state none
	q       *queue
	settled atomic.Uint64 // pieces logged, filtered out, or reported as dropped

	decoder decoder
	trace   trace
	rate    limiter
	long    slog.Level // of the line whose parts are coming

	mu     sync.Mutex
	failed error // the handler's first failure
}

func newSink(cfg Config, q *queue) *sink {
	logger := cfg.Logger
	if logger == nil {
		logger = slog.Default()
	}
	return &sink{handler: logger.Handler(), stream: cfg.Stream, level: cfg.Level, q: q, rate: limiter{perSecond: cfg.MaxRate}}
}

// withStream adds the attribute once instead of to each record. A handler that panics here will do so again in Handle.
func withStream(h slog.Handler, stream string) (with slog.Handler) {
	if stream == "" {
		return h
	}
	defer func() {
		if recover() != nil {
			with = h
		}
	}()
	return h.WithAttrs([]slog.Attr{slog.String("stream", stream)})
}

// run logs until the queue ends. All calls of the handler are made here, so that it cannot hold up anyone else.
func (s *sink) run() {
	s.handler = withStream(s.handler, s.stream)
	var b batch
	idle := time.NewTimer(traceIdle)
	defer idle.Stop()
	for {
		var wait <-chan time.Time
		if s.trace.open() || s.rate.dropped > 0 {
			idle.Reset(traceIdle)
			wait = idle.C
		}
		var ok bool
		if b, ok = s.q.take(b.pieces, wait); !ok {
			s.endTrace()
			s.reportLimited()
			continue
		}
		if !s.batch(b) || b.end {
			return
		}
	}
}

// batch says whether there is any use in going on: not when Run has given up.
func (s *sink) batch(b batch) bool {
	for rest := b.pieces; len(rest) > 0 && !s.q.dead.Load(); {
		var p piece
		var text []byte
		p, text, rest = cutPiece(rest)
		s.piece(p, text)
	}
	if s.q.dead.Load() {
		return false
	}
	if b.dropped > 0 || b.end {
		s.endTrace()
		s.reportLimited()
	}
	if b.dropped > 0 {
		s.reportDropped(b.dropped)
	}
	return true
}

func (s *sink) piece(p piece, text []byte) {
	if s.trace.open() {
		if p.part > 1 || isTrace(text) {
			s.addTrace(p, text)
			return
		}
		s.endTrace()
	}
	if p.part <= 1 && startsTrace(text) {
		s.addTrace(p, text)
		return
	}
	if err := s.line(p, text); err != nil && s.failedLine(err, p, text) != nil {
		return
	}
	s.settled.Add(1)
}

// failedLine returns nil when the line could be logged in another way.
func (s *sink) failedLine(err error, p piece, text []byte) error {
	s.fail(err)
	var panicked *panicError
	if errors.As(err, &panicked) {
		return s.instead(panicked, p, text)
	}
	return err
}

// line logs a line, or a part of one.
func (s *sink) line(p piece, text []byte) (err error) {
	defer recovered(&err)
	f, level := s.classify(p, text)
	if !s.handler.Enabled(context.Background(), level) {
		return nil
	}
	if !s.rate.allow(p.at) {
		return nil
	}
	s.reportLimited()
	r := s.decoder.record(f, level, time.Unix(0, p.at), text)
	if p.part > 0 {
		r.AddAttrs(partAttrs(p.part, p.more)...)
	}
	return s.handler.Handle(context.Background(), r)
}

// classify decides the level before anything is decoded. The parts of a long line are texts at the level of the first.
func (s *sink) classify(p piece, text []byte) (form, slog.Level) {
	if p.part > 1 {
		return formText, s.long
	}
	f, level := classify(text, s.level)
	if p.part == 1 {
		s.long = level
		f = formText
	}
	return f, level
}

func partAttrs(part int, more bool) []slog.Attr {
	attrs := []slog.Attr{slog.Int("part", part)}
	if more {
		attrs = append(attrs, slog.Bool("more", true))
	}
	return attrs
}

// instead logs, in place of a record that the handler could not take, one of two strings: most often it can take that.
// It is not for a handler that returned an error: that may have written the record to one of several places.
func (s *sink) instead(cause *panicError, p piece, text []byte) error {
	r := slog.NewRecord(time.Unix(0, p.at), slog.LevelError, "a line of the plugin could not be logged", 0)
	r.AddAttrs(slog.String("error", cause.Error()), slog.String("line", Escape(string(text))))
	return s.handle(r)
}

func (s *sink) reportDropped(n uint64) {
	r := slog.NewRecord(time.Now(), slog.LevelWarn, "lines of the plugin were dropped: the logger is slower than the plugin", 0)
	r.AddAttrs(slog.Uint64("dropped", n))
	if s.handle(r) == nil {
		s.settled.Add(n)
	}
}

// reportLimited says how many lines are missing, once lines are logged again or no more come for a while.
func (s *sink) reportLimited() {
	n := s.rate.owed()
	if n == 0 {
		return
	}
	r := slog.NewRecord(time.Now(), slog.LevelWarn, "lines of the plugin were dropped: it writes more than is logged in a second", 0)
	r.AddAttrs(slog.Uint64("dropped", n), slog.Int("limit", s.rate.perSecond))
	_ = s.handle(r) // keeps the error
}

// handle logs a record of the relay's own.
func (s *sink) handle(r slog.Record) (err error) {
	defer func() { s.fail(err) }()
	defer recovered(&err)
	if !s.handler.Enabled(context.Background(), r.Level) {
		return nil
	}
	return s.handler.Handle(context.Background(), r)
}

// panicError is a panic of the handler; one of our own would be a fault, and must not end the host either.
type panicError struct{ text string }

func (e *panicError) Error() string { return "panic: " + e.text }

// recovered makes an error of a panic. Defer it.
func recovered(err *error) {
	if p := recover(); p != nil {
		*err = &panicError{text: Escape(fmt.Sprint(p))}
	}
}

// fail keeps the handler's first error, or nil.
func (s *sink) fail(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.failed = cmp.Or(s.failed, err)
}

// failure is why lines were lost, if any were.
func (s *sink) failure(blocked bool) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.failed != nil && blocked:
		return errors.Join(ErrBlocked, fmt.Errorf("%w: %w", ErrHandler, s.failed))
	case s.failed != nil:
		return fmt.Errorf("%w: %w", ErrHandler, s.failed)
	case blocked:
		return ErrBlocked
	}
	return ErrHandler // it ended the goroutine
}
