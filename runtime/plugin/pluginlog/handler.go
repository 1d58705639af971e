package pluginlog

import (
	"context"
	"io"
	"log/slog"
	"sync"
)

// LevelTrace is the level of hclog's "trace", for which slog has no name.
const LevelTrace slog.Level = -8

// maxKept is the largest buffer that is kept for the next record.
const maxKept = 16 << 10

// Options say what a Handler writes. The zero value works.
type Options struct {
	// Level is the least level that is written. Nil means all: the host decides what is shown.
	Level slog.Leveler
	// Module is hclog's name of the logger, such as "myplugin.http". Empty means none.
	Module string
	// AddSource adds the caller's file and line, as @caller.
	AddSource bool
}

// Handler is a slog.Handler for plugins. [NewHandler] makes one. It may be used concurrently.
type Handler struct {
	out   *output
	opts  Options
	own   []byte // what follows the message in each line: the module
	attrs []byte // of WithAttrs
	group []byte // of WithGroup: what keys begin with, such as "a.b.", escaped
}

// output is shared by all handlers that were made from one.
type output struct {
	lines sync.Pool // of *line

	mu sync.Mutex
	w  io.Writer
}

// NewHandler returns a Handler that writes to w, a plugin's standard error: each record in one Write, and one at a time.
func NewHandler(w io.Writer, opts Options) *Handler {
	h := &Handler{out: &output{w: w}, opts: opts}
	if opts.Module != "" {
		h.own = appendString([]byte(`,"@module":`), opts.Module)
	}
	return h
}

// Enabled says whether records of the level are written.
func (h *Handler) Enabled(_ context.Context, level slog.Level) bool {
	return h.opts.Level == nil || level >= h.opts.Level.Level()
}

// Handle writes the record. The error is that of the writer.
func (h *Handler) Handle(_ context.Context, r slog.Record) error {
	l := h.out.line()
	defer h.out.release(l)
	l.begin(r, h.own, h.opts.AddSource)
	l.buf = append(l.buf, h.attrs...)
	l.prefix = append(l.prefix, h.group...)
	r.Attrs(func(a slog.Attr) bool {
		l.attr(a)
		return true
	})
	l.buf = append(l.buf, '}', '\n')
	return h.out.write(l.buf)
}

// WithAttrs returns a Handler that adds attrs to each record.
func (h *Handler) WithAttrs(attrs []slog.Attr) slog.Handler {
	l := line{buf: append([]byte(nil), h.attrs...), prefix: append([]byte(nil), h.group...)}
	for _, a := range attrs {
		l.attr(a)
	}
	with := *h
	with.attrs = l.buf
	return &with
}

// WithGroup returns a Handler that puts name and a dot in front of the keys that follow.
func (h *Handler) WithGroup(name string) slog.Handler {
	if name == "" {
		return h
	}
	with := *h
	with.group = appendPrefix(append([]byte(nil), h.group...), name)
	return &with
}

func (o *output) line() *line {
	if l, ok := o.lines.Get().(*line); ok {
		return l
	}
	return &line{buf: make([]byte, 0, 1024)}
}

func (o *output) release(l *line) {
	if cap(l.buf) > maxKept {
		return
	}
	l.buf, l.prefix = l.buf[:0], l.prefix[:0]
	o.lines.Put(l)
}

func (o *output) write(line []byte) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	_, err := o.w.Write(line)
	return err
}
