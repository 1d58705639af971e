package relay_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/plugingen/plugingen/runtime/relay"
)

// handlerFunc is a handler that takes everything; attributes of the logger are of no interest here.
type handlerFunc func(slog.Record) error

func (handlerFunc) Enabled(context.Context, slog.Level) bool        { return true }
func (h handlerFunc) Handle(_ context.Context, r slog.Record) error { return h(r) }
func (h handlerFunc) WithAttrs([]slog.Attr) slog.Handler            { return h }
func (h handlerFunc) WithGroup(string) slog.Handler                 { return h }
func logTo(h handlerFunc) *slog.Logger                              { return slog.New(h) }
func attr(r slog.Record, key string) (v slog.Value) {
	r.Attrs(func(a slog.Attr) bool {
		if a.Key == key {
			v = a.Value
		}
		return true
	})
	return v
}

// text is a record's message and attributes.
func text(r slog.Record) string {
	s := r.Message
	r.Attrs(func(a slog.Attr) bool {
		s += " " + a.String()
		return true
	})
	return s
}

func TestHandlerPanics(t *testing.T) { synctest.Test(t, testHandlerPanics) }

func testHandlerPanics(t *testing.T) {
	var got []string
	r := relay.New(relay.Config{Logger: logTo(func(r slog.Record) error {
		if strings.Contains(r.Message, "bad") || strings.Contains(text(r), "worse") {
			panic(fmt.Errorf("on \x1b %s", r.Message))
		}
		got = append(got, text(r))
		return nil
	})})
	err := r.Run(strings.NewReader("good\nbad\nworse bad\ngood\n"))
	var e *relay.Error
	if !errors.As(err, &e) || e.Lost != 1 || !errors.Is(err, relay.ErrHandler) || strings.Contains(err.Error(), "\x1b") {
		t.Errorf("got error %v", err)
	}
	want := []string{"good", `a line of the plugin could not be logged error=panic: on \x1b bad line=bad`, "good"}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// hostileHandler panics wherever it can.
type hostileHandler struct{}

func (hostileHandler) Enabled(context.Context, slog.Level) bool  { panic("enabled") }
func (hostileHandler) Handle(context.Context, slog.Record) error { panic("handle") }
func (hostileHandler) WithAttrs([]slog.Attr) slog.Handler        { panic("with") }
func (hostileHandler) WithGroup(string) slog.Handler             { panic("group") }

func TestHandlerPanicsEverywhere(t *testing.T) { synctest.Test(t, testHandlerPanicsEverywhere) }

func testHandlerPanicsEverywhere(t *testing.T) {
	r := relay.New(relay.Config{Stream: "stderr", Logger: slog.New(hostileHandler{})})
	err := r.Run(strings.NewReader("one\npanic: two\n\n[INFO] three\n"))
	var e *relay.Error
	if !errors.As(err, &e) || e.Lost != 4 {
		t.Errorf("got %v", err)
	}
}

// TestHandlerEndsGoroutine is what t.FailNow does in a handler.
func TestHandlerEndsGoroutine(t *testing.T) { synctest.Test(t, testHandlerEndsGoroutine) }

func testHandlerEndsGoroutine(t *testing.T) {
	r := relay.New(relay.Config{Logger: logTo(func(r slog.Record) error {
		if r.Message == "two" {
			runtime.Goexit()
		}
		return nil
	})})
	err := r.Run(strings.NewReader("one\ntwo\nthree\n"))
	var e *relay.Error
	if !errors.As(err, &e) || !errors.Is(err, relay.ErrHandler) || e.Lost != 2 {
		t.Errorf("got %v", err)
	}
}

// blockedHandler blocks even where no record is at stake.
type blockedHandler struct {
	slog.Handler
	gate <-chan struct{}
}

func (b blockedHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	<-b.gate
	return b.Handler.WithAttrs(attrs)
}

func TestHandlerBlocksEarly(t *testing.T) { synctest.Test(t, testHandlerBlocksEarly) }

func testHandlerBlocksEarly(t *testing.T) {
	gate := make(chan struct{})
	defer close(gate)
	r := relay.New(relay.Config{Stream: "stderr", Logger: slog.New(blockedHandler{slog.DiscardHandler, gate})})
	if err := r.Run(strings.NewReader("one\n")); !errors.Is(err, relay.ErrBlocked) {
		t.Errorf("got %v", err)
	}
}
