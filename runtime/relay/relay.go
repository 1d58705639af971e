// Package relay turns what a plugin prints into log records.
//
// A [Relay] reads a pipe to its end. It understands the JSON lines of log/slog and hclog (and of loggers with the same
// keys), logfmt, and a [LEVEL] in front of a text; a Go panic with its trace becomes one record. Everything else is a
// text of its own, at [Config.Level]. Nothing is hidden: what is not understood is logged as it came.
//
// Attributes of a line keep their order and types: numbers are int64, uint64 or float64, objects are groups, what fits
// none of slog's kinds is [JSON]. The plugin's time becomes the record's, where it is one. The relay itself adds:
//
//   - stream: [Config.Stream];
//   - part, more: the record is a part of a long line, and another one follows;
//   - trace: the lines of a panic after the first, kept apart by newlines;
//   - level_name: what the plugin called a level that slog has no name for, such as "fatal";
//   - dropped: how many lines are missing at this place, because the logger was too slow for too long, or beyond the limit;
//   - limit: how many lines a second are logged, where lines are missing for that ([Config.MaxRate]);
//   - error, line: why a line could not be logged as it should be, and the line.
//
// A plugin may use these and any other keys itself. A host that must tell them apart gives the Logger a group:
// logger.With("plugin", name).WithGroup("log").
//
// A plugin is not trusted: lines, traces, queues and waits are bounded, and characters that could move a terminal's
// cursor or hide text are escaped (see [Escape]).
package relay

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"time"
)

const (
	defaultMaxLine   = 64 << 10
	defaultTailLines = 20
	defaultBuffer    = 1 << 20
	defaultPatience  = time.Second
	defaultDrain     = 2 * time.Second
	minMaxLine       = 16 // room for any rune, so that a split never stands still
)

// ErrBlocked says that the logger took no lines for so long that Run gave up waiting for it.
var ErrBlocked = errors.New("the log handler is blocked")

// ErrHandler says that the logger's handler failed: it returned an error, panicked or ended its goroutine.
var ErrHandler = errors.New("the log handler failed")

// Config says where a plugin's lines go. The zero value logs to slog.Default().
type Config struct {
	// Logger takes the records; nil means slog.Default() at the time of Run. Name the plugin with its With method.
	Logger *slog.Logger
	// Stream is what the pipe carries, such as "stderr"; each record gets it as attribute "stream". Empty adds none.
	Stream string
	// Level is the level of lines that state none. The zero value is slog.LevelInfo, so that they are seen.
	Level slog.Level
	// MaxLine bounds a line, in bytes; zero means 64 KiB, the least is 16. A longer line becomes several records, whose
	// attribute "part" counts from 1; all but the last also have more=true.
	MaxLine int
	// TailLines is how many lines Tail keeps; zero means 20, negative none.
	TailLines int
	// Buffer bounds what waits for a slow logger, in bytes; zero means 1 MiB, the least is four times MaxLine.
	Buffer int
	// Patience is how long the plugin may be held up by a logger that does not make room in a full Buffer; zero means
	// a second, negative not at all. Then lines are dropped until there is room; a record at level warn counts them.
	Patience time.Duration
	// MaxRate is how many lines a second are logged; zero means no limit. Of more, the rest of the second's lines are dropped,
	// and a record at level warn counts them. Lines below the Logger's level do not count, panics are always logged, and
	// Tail knows all lines.
	MaxRate int
	// DrainTimeout is how long Run waits, after the end of the pipe, for the logger to take what is left; zero means 2 s.
	DrainTimeout time.Duration
}

func (c Config) withDefaults() Config {
	c.MaxLine = max(cmp.Or(c.MaxLine, defaultMaxLine), minMaxLine)
	c.TailLines = max(cmp.Or(c.TailLines, defaultTailLines), 0)
	c.Buffer = max(cmp.Or(c.Buffer, defaultBuffer), 4*c.MaxLine)
	c.Patience = max(cmp.Or(c.Patience, defaultPatience), 0)
	c.MaxRate = max(c.MaxRate, 0)
	c.DrainTimeout = max(cmp.Or(c.DrainTimeout, defaultDrain), 0)
	return c
}

// Error says that lines were read but could not be logged, or that the pipe could not be read to its end.
type Error struct {
	Stream string // Config.Stream
	Lost   uint64 // lines (parts of long ones count each) that the handler did not take, and that were not reported as dropped
	Err    error  // ErrBlocked, ErrHandler with its cause, or what reading returned
}

// Error names the stream, what was lost, and why.
func (e *Error) Error() string {
	text := "relay " + cmp.Or(e.Stream, "output") + ": "
	if e.Lost > 0 {
		text += fmt.Sprintf("%d lines not logged: ", e.Lost)
	}
	return text + e.Err.Error()
}

// Unwrap returns Err.
func (e *Error) Unwrap() error { return e.Err }

// Relay reads what a plugin prints. Make one with New for each stream; its methods may be called concurrently.
type Relay struct {
	cfg  Config
	tail *tail
}

// New returns a Relay; it starts nothing.
func New(cfg Config) *Relay {
	cfg = cfg.withDefaults()
	return &Relay{cfg: cfg, tail: newTail(cfg.TailLines)}
}

// Run relays src until it ends, and returns when everything that it read has been logged, or counted as dropped.
// The end is io.EOF or a pipe that this process closed: both are nil. A last line without its newline is logged too.
//
// Run is never held up for ever by the logger: after Config.DrainTimeout it returns an *Error with ErrBlocked. The
// goroutine that is blocked in the handler then ends as soon as the handler returns. A handler that fails or panics
// costs its record: Run goes on, and in the end returns an *Error with ErrHandler. To end Run early, close src.
func (r *Relay) Run(src io.Reader) error {
	q := newQueue(r.cfg.Buffer/2, r.cfg.Patience)
	s := newSink(r.cfg, q)
	done := make(chan struct{})
	q.first = func() {
		go func() {
			defer close(done)
			defer q.abandon() // also when the handler ends the goroutine
			s.run()
		}()
	}
	in := newReader(r.cfg.MaxLine, q, r.tail)
	err := in.run(src)
	blocked := q.close() && !r.wait(done, q)
	return r.result(err, s.failure(blocked), in.pieces-s.settled.Load())
}

// wait says whether the sink came to its end in time.
func (r *Relay) wait(done <-chan struct{}, q *queue) bool {
	timer := time.NewTimer(r.cfg.DrainTimeout)
	defer timer.Stop()
	select {
	case <-done:
		return true
	case <-timer.C:
		q.abandon()
		return false
	}
}

func (r *Relay) result(read, sink error, lost uint64) error {
	if isEnd(read) {
		read = nil
	}
	if lost == 0 {
		sink = nil // what failed was logged in another way
	}
	err := errors.Join(read, sink)
	if err == nil {
		return nil
	}
	if read == nil || sink == nil {
		err = cmp.Or(read, sink)
	}
	return &Error{Stream: r.cfg.Stream, Lost: lost, Err: err}
}

func isEnd(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, fs.ErrClosed) || errors.Is(err, io.ErrClosedPipe)
}

// Tail returns the last lines that were read, escaped and each cut to 1 KiB, for the error that says why a plugin ended.
// When the plugin panicked, the beginning of the panic stays in it, however long its trace is.
// It may be called while Run runs, and after; the slice is the caller's.
func (r *Relay) Tail() []string { return r.tail.lines() }
