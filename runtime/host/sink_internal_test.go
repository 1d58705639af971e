package host

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// valve is a writer that passes one write for each token.
type valve struct {
	tokens chan struct{}
	got    []string
	err    error
}

func (v *valve) Write(p []byte) (int, error) {
	<-v.tokens
	v.got = append(v.got, string(p))
	return len(p), v.err
}

func TestWriterSinkStalls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		v := &valve{tokens: make(chan struct{})}
		s := newWriterSink(t.Context(), slog.New(slog.NewTextHandler(&log, nil)), v, "stdout")
		start := time.Now()
		for range 1 + sinkQueue { // one in the writer's hands
			s.write([]byte("kept"))
			synctest.Wait()
		}
		if waited := time.Since(start); waited != 0 {
			t.Errorf("a queue with room made the stream wait %v", waited)
		}
		s.write([]byte("lost"))
		s.write([]byte("lost"))
		if waited := time.Since(start); waited != patience {
			t.Errorf("waited %v for a writer that blocks, want %v once", waited, patience)
		}
		v.tokens <- struct{}{}
		synctest.Wait()
		s.write([]byte("kept"))
		if !strings.Contains(log.String(), "bytes=8") {
			t.Errorf("log %q: want the 8 bytes lost", &log)
		}
		close(v.tokens)
		s.end()
		if len(v.got) != 2+sinkQueue || strings.Contains(strings.Join(v.got, ""), "lost") {
			t.Errorf("written: %q", v.got)
		}
	})
}

func TestWriterSinkEndIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := &valve{tokens: make(chan struct{})}
		ctx, cancel := context.WithCancel(t.Context())
		s := newWriterSink(ctx, slog.New(slog.DiscardHandler), v, "stdout")
		for range 1 + sinkQueue {
			s.write([]byte("x"))
			synctest.Wait()
		}
		start := time.Now()
		cancel()
		s.write([]byte("y"))
		s.end()
		if waited := time.Since(start); waited != waitDelay {
			t.Errorf("end took %v, want %v", waited, waitDelay)
		}
		close(v.tokens)
	})
}

func TestWriterSinkError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		v := &valve{tokens: make(chan struct{}, 9), err: errors.New("disk full")}
		v.tokens <- struct{}{}
		s := newWriterSink(t.Context(), slog.New(slog.NewTextHandler(&log, nil)), v, "stderr")
		for range 9 * sinkQueue {
			s.write([]byte("x"))
		}
		s.end()
		if strings.Count(log.String(), "disk full") != 1 || len(v.got) != 1 {
			t.Errorf("log %q, %d writes; want one of each", &log, len(v.got))
		}
	})
}
