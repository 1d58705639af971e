package relay_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/plugingen/plugingen/runtime/relay"
)

// recorder writes records down with the types of their attributes, and checks that slog's own handlers can take them.
type recorder struct {
	settings
	t     *testing.T
	with  []slog.Attr
	text  *strings.Builder
	gate  chan struct{}
	open  *sync.Once
	whole *bytes.Buffer
	json  slog.Handler
}

func newRecorder(t *testing.T, s settings) *recorder {
	h := &recorder{settings: s, t: t, text: &strings.Builder{}, gate: make(chan struct{}), open: &sync.Once{}, whole: &bytes.Buffer{}}
	h.json = slog.NewJSONHandler(h.whole, &slog.HandlerOptions{Level: s.min})
	return h
}

// letGo ends the blocking of all calls, now and later.
func (h *recorder) letGo() { h.open.Do(func() { close(h.gate) }) }

func (h *recorder) Enabled(_ context.Context, level slog.Level) bool { return level >= h.min }

func (h *recorder) WithAttrs(attrs []slog.Attr) slog.Handler {
	with := *h
	with.with = slices.Concat(h.with, attrs)
	return &with
}

func (h *recorder) WithGroup(string) slog.Handler { panic("the relay makes no groups of its own") }

func (h *recorder) Handle(ctx context.Context, r slog.Record) error {
	if err := h.misbehave(r); err != nil {
		return err
	}
	if r.Message == "a line of the plugin could not be logged" && h.panicsOn == "" {
		h.t.Error("the relay panicked")
	}
	fmt.Fprintf(h.text, "%s %s %q\n", r.Time.Format(time.RFC3339Nano), r.Level, r.Message)
	for _, a := range h.with {
		h.attr(a, "\t")
	}
	r.Attrs(func(a slog.Attr) bool {
		h.attr(a, "\t")
		return true
	})
	h.check(ctx, r)
	return nil
}

func (h *recorder) misbehave(r slog.Record) error {
	on := func(text string) bool { return text != "" && strings.Contains(r.Message, text) }
	switch {
	case on(h.panicsOn):
		panic("the handler's fault: " + r.Message)
	case on(h.failsOn):
		return errors.New("no space left on device")
	case on(h.blocksOn):
		<-h.gate
	}
	return nil
}

func (h *recorder) attr(a slog.Attr, indent string) {
	if a.Value.Kind() == slog.KindGroup {
		fmt.Fprintf(h.text, "%s%q group\n", indent, a.Key)
		for _, member := range a.Value.Group() {
			h.attr(member, indent+"\t")
		}
		return
	}
	v := a.Value.Any()
	if text, ok := v.(string); ok && strings.Contains(text, "\n") {
		fmt.Fprintf(h.text, "%s%q %T\n%s\n", indent, a.Key, v, block(text, indent+"\t| "))
		return
	}
	format := "%s%q %T %v\n"
	switch v.(type) {
	case string, relay.JSON:
		format = "%s%q %T %q\n"
	}
	fmt.Fprintf(h.text, format, indent, a.Key, v, v)
}

func block(text, indent string) string {
	return indent + strings.ReplaceAll(text, "\n", "\n"+indent)
}

// check lets slog.JSONHandler have the record: it must make one valid line of it, without its word for what it cannot show.
func (h *recorder) check(ctx context.Context, r slog.Record) {
	h.whole.Reset()
	if err := h.json.Handle(ctx, r); err != nil {
		h.t.Errorf("JSONHandler: %v", err)
	}
	line := h.whole.Bytes()
	if !json.Valid(line) || bytes.Contains(line, []byte("!ERROR")) || bytes.IndexByte(line, '\n') != len(line)-1 {
		h.t.Errorf("JSONHandler makes of %q: %s", r.Message, line)
	}
}
