package contestant_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"path"
	"path/filepath"
	"testing"
	"time"

	"github.com/plugingen/plugingen/bench/contestant"
	"github.com/plugingen/plugingen/bench/load"
	"github.com/plugingen/plugingen/bench/programs"
)

// TestContestants shows that all of them do the work that their times are taken for.
func TestContestants(t *testing.T) {
	root, err := programs.Root(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := contestant.Build(t.Context(), root, dir, contestant.All()); err != nil {
		t.Fatal(err)
	}
	for _, c := range contestant.All() {
		t.Run(c.Name(), func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			o := contestant.Options{Path: contestant.Path(dir, c)}
			s, err := c.Open(ctx, o)
			if err != nil {
				t.Fatal(err)
			}
			exercise(ctx, t, s)
			chat(ctx, t, s)
			flows(ctx, t, s)
			if err := s.Close(); err != nil {
				t.Errorf("close: %v", err)
			}
			relay(ctx, t, c, o)
			callBack(ctx, t, c, o)
		})
	}
}

func exercise(ctx context.Context, t *testing.T, s contestant.Session) {
	t.Helper()
	for range 2 {
		id, name, value, err := s.Echo(ctx, 7, "name", []byte("value"))
		if err != nil || id != 7 || name != "name" || string(value) != "value" {
			t.Fatalf("Echo = %d, %q, %q, %v", id, name, value, err)
		}
	}
	payload := load.Payload(1 << 20)
	if size, err := s.Put(ctx, payload); err != nil || size != 1<<20 {
		t.Errorf("Put = %d, %v", size, err)
	}
	if got, err := s.Get(ctx, 1<<20); err != nil || !bytes.Equal(got, payload) {
		t.Errorf("Get: %d bytes, %v", len(got), err)
	}
	fields, err := s.Usage(ctx)
	if err != nil {
		t.Fatalf("Usage: %v", err)
	}
	if usage, err := load.ParseUsage(fields); err != nil || usage.Mallocs == 0 || s.PID() == 0 {
		t.Errorf("usage of %d = %+v, %v", s.PID(), usage, err)
	}
}

func chat(ctx context.Context, t *testing.T, s contestant.Session) {
	t.Helper()
	c, err := s.Chat(ctx)
	if errors.Is(err, errors.ErrUnsupported) {
		return
	}
	if err != nil {
		t.Fatalf("Chat: %v", err)
	}
	for i := range int64(3) {
		if err := c.Say(i, "name", []byte("value")); err != nil {
			t.Fatalf("say: %v", err)
		}
		if got, err := c.Hear(); err != nil || got != i {
			t.Fatalf("hear = %d, %v, want %d", got, err, i)
		}
	}
	if err := c.Close(); err != nil {
		t.Errorf("close the chat: %v", err)
	}
}

// flows go one way.
func flows(ctx context.Context, t *testing.T, s contestant.Session) {
	t.Helper()
	for name, transfer := range map[string]func(context.Context, int) (int64, error){"Upload": s.Upload, "Download": s.Download} {
		n, err := transfer(ctx, 300)
		if !errors.Is(err, errors.ErrUnsupported) && (err != nil || n != 300) {
			t.Errorf("%s = %d, %v, want 300", name, n, err)
		}
	}
}

// callBack counts what comes back.
func callBack(ctx context.Context, t *testing.T, c contestant.Contestant, o contestant.Options) {
	t.Helper()
	if c, has := c.(contestant.CallbackProgram); has {
		o.Path = filepath.Join(filepath.Dir(o.Path), path.Base(c.CallbackProgram()))
	}
	s, err := c.Open(ctx, o)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	caller, can := s.(contestant.CallingBack)
	if !can {
		return
	}
	for range 2 {
		var sum int64
		err := caller.CallBack(ctx, 4, func(_ context.Context, n int64) (int64, error) {
			sum += n
			return n, nil
		})
		if err != nil || sum != 0+1+2+3 {
			t.Errorf("CallBack: %v, the numbers called back add up to %d", err, sum)
		}
	}
}

// relay waits for the last line of what the plugin prints.
func relay(ctx context.Context, t *testing.T, c contestant.Contestant, o contestant.Options) {
	t.Helper()
	pr, pw := io.Pipe()
	o.Log, o.Min = pw, slog.LevelError
	s, err := c.Open(ctx, o)
	if errors.Is(err, errors.ErrUnsupported) { // some relay, but know no levels
		o.Min = slog.LevelDebug
		s, err = c.Open(ctx, o)
	}
	if errors.Is(err, errors.ErrUnsupported) {
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	stop := context.AfterFunc(ctx, func() { _ = pw.CloseWithError(ctx.Err()) })
	defer stop()
	printed := make(chan error, 1)
	go func() { printed <- s.Print(ctx, load.HCLog, 10) }()
	if err := readUntilLast(pr); err != nil {
		t.Errorf("the last line: %v", err)
	}
	go func() { _, _ = io.Copy(io.Discard, pr) }()
	if err := <-printed; err != nil {
		t.Errorf("Print: %v", err)
	}
	_ = s.Close()
	_ = pw.Close()
}

func readUntilLast(r io.Reader) error {
	buf := make([]byte, 64<<10)
	for {
		n, err := r.Read(buf)
		if bytes.Contains(buf[:n], []byte(load.LastLine)) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}
