package relay_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/plugingen/plugingen/runtime/relay"
)

// Most tests run in a bubble: there the clock stands still while anybody works, so that a slow machine changes nothing.

// TestBlockedForEver is row 17 of the faults: the plugin writes on, and Run returns.
func TestBlockedForEver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		gate := make(chan struct{})
		var handled atomic.Int64
		r := relay.New(relay.Config{Stream: "stderr", Logger: logTo(func(slog.Record) error {
			<-gate
			handled.Add(1)
			return nil
		})})
		src, plugin := io.Pipe()
		go func() {
			defer plugin.Close()
			for range 100 {
				if _, err := plugin.Write(bytes.Repeat([]byte("a line of the plugin\n"), 1000)); err != nil {
					t.Error(err)
				}
			}
		}()
		begin := time.Now()
		err := r.Run(src)
		var e *relay.Error
		if !errors.As(err, &e) || !errors.Is(err, relay.ErrBlocked) || e.Lost != 100_000 || e.Stream != "stderr" {
			t.Errorf("got %v", err)
		}
		if took := time.Since(begin); took != 3*time.Second {
			t.Errorf("took %v, want a second of patience and two to drain", took)
		}
		if tail := r.Tail(); len(tail) != 20 {
			t.Errorf("tail has %d lines", len(tail))
		}
		close(gate)
		synctest.Wait()
		if n := handled.Load(); n != 1 {
			t.Errorf("%d lines were logged after they were called lost", n)
		}
	})
}

// TestSlowSink has a logger that needs half a second a record: what it did not take is counted, in its place.
func TestSlowSink(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var logged, dropped, reports uint64
		r := relay.New(relay.Config{MaxLine: 16, Buffer: 4 << 10, DrainTimeout: time.Hour, Logger: logTo(func(r slog.Record) error {
			<-time.After(500 * time.Millisecond)
			if v := attr(r, "dropped"); v.Kind() == slog.KindUint64 {
				dropped += v.Uint64()
				reports++
				return nil
			}
			logged++
			return nil
		})})
		const lines = 10_000
		if err := r.Run(strings.NewReader(strings.Repeat("a line\n", lines))); err != nil {
			t.Fatal(err)
		}
		if logged+dropped != lines || dropped == 0 || reports == 0 {
			t.Errorf("%d logged + %d dropped (%d reports), want %d", logged, dropped, reports, lines)
		}
	})
}

// TestHealthySinkLosesNothing floods a logger that is slower than the plugin, but moves: the plugin is held up instead.
func TestHealthySinkLosesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		logged := 0
		r := relay.New(relay.Config{Logger: logTo(func(slog.Record) error {
			if logged++; logged%1000 == 0 {
				<-time.After(10 * time.Millisecond)
			}
			return nil
		})})
		const lines = 100_000
		begin := time.Now()
		if err := r.Run(repeat(textLine, lines)); err != nil || logged != lines {
			t.Errorf("logged %d of %d, %v", logged, lines, err)
		}
		if took := time.Since(begin); took != time.Second {
			t.Errorf("took %v; the logger alone needs a second", took)
		}
	})
}

// TestLongLine is a line of 10 MB without a newline: it comes in parts, and as a whole.
func TestLongLine(t *testing.T) { synctest.Test(t, testLongLine) }

func testLongLine(t *testing.T) {
	const size = 10 << 20
	var total, parts int
	open := true
	r := relay.New(relay.Config{Logger: logTo(func(r slog.Record) error {
		total += len(r.Message)
		parts++
		if got := attr(r, "part").Int64(); got != int64(parts) {
			t.Errorf("part %d is called %d", parts, got)
		}
		open = attr(r, "more").Kind() == slog.KindBool
		return nil
	})})
	if err := r.Run(io.LimitReader(endless('x'), size)); err != nil {
		t.Fatal(err)
	}
	if total != size || parts != size/(64<<10) || open {
		t.Errorf("%d bytes in %d parts, more to come: %v", total, parts, open)
	}
	if tail := r.Tail(); len(tail) != 1 || len(tail[0]) > 1100 || !strings.HasSuffix(tail[0], "[10484736 more bytes]") {
		t.Errorf("tail is %.40q", tail)
	}
}

type endless byte

func (e endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = byte(e)
	}
	return len(p), nil
}

// TestFlood is 64 MiB as fast as it can be read, in lines and without any, into a logger that is blocked most of the time.
func TestFlood(t *testing.T) {
	for name, src := range map[string]io.Reader{
		"lines":      repeat(textLine, (64<<20)/len(textLine)),
		"no newline": io.LimitReader(endless('x'), 64<<20),
		"newlines":   io.LimitReader(endless('\n'), 256<<10),
	} {
		t.Run(name, func(t *testing.T) {
			var lost, logged uint64
			gate := make(chan struct{})
			r := relay.New(relay.Config{Patience: -1, DrainTimeout: time.Minute, Logger: logTo(func(r slog.Record) error {
				<-gate
				logged++
				if v := attr(r, "dropped"); v.Kind() == slog.KindUint64 {
					lost += v.Uint64()
				}
				return nil
			})})
			before := heap()
			var during uint64
			src := io.MultiReader(src, onRead(func() { during = heap(); close(gate) }))
			if err := r.Run(src); err != nil {
				t.Fatal(err)
			}
			if grown := int64(during) - int64(before); grown > 4<<20 {
				t.Errorf("the heap grew by %d KiB", grown>>10)
			}
			if lost == 0 || logged == 0 {
				t.Errorf("%d logged, %d dropped", logged, lost)
			}
		})
	}
}

// onRead is an empty reader that does something first.
type onRead func()

func (f onRead) Read([]byte) (int, error) {
	f()
	return 0, io.EOF
}

func heap() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// TestReadErrors: every end of a pipe is an end, every other error is told, and the half line before it is logged.
func TestReadErrors(t *testing.T) {
	broken := errors.New("broken")
	for _, c := range []struct {
		name string
		err  error
		want error
	}{
		{"end", io.EOF, nil},
		{"file closed", &os.PathError{Op: "read", Path: "|0", Err: os.ErrClosed}, nil},
		{"pipe closed", io.ErrClosedPipe, nil},
		{"other", broken, broken},
		{"nothing", nil, io.ErrNoProgress},
	} {
		t.Run(c.name, func(t *testing.T) {
			var got []string
			r := relay.New(relay.Config{Logger: logTo(func(r slog.Record) error {
				got = append(got, r.Message)
				return nil
			})})
			err := r.Run(&failing{text: "whole\nhalf", err: c.err})
			if !errors.Is(err, c.want) || c.want == nil && err != nil {
				t.Errorf("got %v, want %v", err, c.want)
			}
			if fmt.Sprint(got) != "[whole half]" {
				t.Errorf("got %q", got)
			}
		})
	}
}

type failing struct {
	text string
	err  error
}

func (f *failing) Read(p []byte) (int, error) {
	n := copy(p, f.text)
	f.text = f.text[n:]
	return n, f.err
}

// TestTailConcurrent reads the tail while lines come.
func TestTailConcurrent(t *testing.T) { synctest.Test(t, testTailConcurrent) }

func testTailConcurrent(t *testing.T) {
	r := relay.New(relay.Config{Logger: slog.New(slog.DiscardHandler), TailLines: 7})
	var done atomic.Bool
	var wg sync.WaitGroup
	for range 2 {
		wg.Go(func() {
			for ; !done.Load(); runtime.Gosched() {
				if tail := r.Tail(); len(tail) > 7 {
					t.Errorf("%d lines", len(tail))
				}
			}
		})
	}
	err := r.Run(repeat("panic: a\n\ngoroutine 1 [running]:\nmain.main()\n\tb\nc\nd\ne\nf\ng\nh\ni\nj\nk\nl\n", 5000))
	done.Store(true)
	wg.Wait()
	if err != nil {
		t.Error(err)
	}
}

// TestTwoRuns: a Relay may serve several pipes, one after the other or at once.
func TestTwoRuns(t *testing.T) { synctest.Test(t, testTwoRuns) }

func testTwoRuns(t *testing.T) {
	var logged atomic.Int64
	r := relay.New(relay.Config{Logger: logTo(func(slog.Record) error {
		logged.Add(1)
		return nil
	})})
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			if err := r.Run(repeat(slogLine, 1000)); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if logged.Load() != 4000 {
		t.Errorf("logged %d", logged.Load())
	}
}

// TestLongTrace has a trace that never ends: memory is bounded, and nothing is lost.
func TestLongTrace(t *testing.T) { synctest.Test(t, testLongTrace) }

func testLongTrace(t *testing.T) {
	lines, parts := 0, 0
	r := relay.New(relay.Config{Logger: logTo(func(r slog.Record) error {
		parts++
		trace := attr(r, "trace").String()
		if len(trace) > 512<<10 || r.Message != "panic: boom" || r.Level != slog.LevelError {
			t.Errorf("%d bytes after %q at %v", len(trace), r.Message, r.Level)
		}
		lines += strings.Count(trace, "\n") + 1
		return nil
	})})
	const frames = 50_000
	if err := r.Run(strings.NewReader("panic: boom\n" + strings.Repeat("main.main()\n", frames))); err != nil {
		t.Fatal(err)
	}
	if lines != frames || parts < 2 {
		t.Errorf("%d of %d lines in %d parts", lines, frames, parts)
	}
}

// TestLongPanic has a message that fills a record of its own.
func TestLongPanic(t *testing.T) { synctest.Test(t, testLongPanic) }

func testLongPanic(t *testing.T) {
	var total int
	r := relay.New(relay.Config{Logger: logTo(func(r slog.Record) error {
		checkShown(t, r)
		if part := attr(r, "part").Int64(); part == 1 {
			total += len(r.Message)
		} else if len(r.Message) > 1100 {
			t.Errorf("part %d has a message of %d bytes", part, len(r.Message))
		}
		if trace := attr(r, "trace"); trace.Kind() == slog.KindString {
			total += len(trace.String())
		}
		return nil
	})})
	in := "panic: .." + strings.Repeat("\u20ac", 200_000)
	if err := r.Run(strings.NewReader(in + "\nmain.main()\n")); err != nil || total != len(in)+len("\nmain.main()") {
		t.Errorf("%d of %d bytes, %v", total, len(in), err)
	}
}

func TestZeroConfig(t *testing.T) { synctest.Test(t, testZeroConfig) }

func testZeroConfig(t *testing.T) {
	var out bytes.Buffer
	old := slog.Default()
	defer slog.SetDefault(old)
	slog.SetDefault(slog.New(slog.NewTextHandler(&out, nil)))
	if err := relay.New(relay.Config{}).Run(strings.NewReader("hello\n")); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(out.String(), "level=INFO msg=hello\n") {
		t.Errorf("got %q", &out)
	}
}

func TestNoTail(t *testing.T) { synctest.Test(t, testNoTail) }

func testNoTail(t *testing.T) {
	r := relay.New(relay.Config{Logger: slog.New(slog.DiscardHandler), TailLines: -1})
	if err := r.Run(strings.NewReader("panic: a\nb\n")); err != nil || len(r.Tail()) != 0 {
		t.Errorf("%v, %q", err, r.Tail())
	}
}
