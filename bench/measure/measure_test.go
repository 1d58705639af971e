package measure

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/plugingen/plugingen/bench/contestant"
	"github.com/plugingen/plugingen/bench/load"
)

// local is a contestant without a plugin: what it costs is what measuring costs.
type local struct{ opened atomic.Int64 }

func (*local) Name() string    { return "local" }
func (*local) Program() string { return "" }

func (l *local) Open(_ context.Context, o contestant.Options) (contestant.Session, error) {
	if o.Log != nil {
		return nil, errors.ErrUnsupported
	}
	l.opened.Add(1)
	return &localSession{Work: load.NewServer(), l: l}, nil
}

type localSession struct {
	load.Work
	l *local
}

func (s *localSession) Chat(context.Context) (contestant.Chat, error) {
	return nil, errors.ErrUnsupported
}

func (s *localSession) Upload(context.Context, int) (int64, error) { return 0, errors.ErrUnsupported }

func (s *localSession) Download(context.Context, int) (int64, error) {
	return 0, errors.ErrUnsupported
}

func (s *localSession) PID() int { return 0 }
func (s *localSession) Close() error {
	s.l.opened.Add(-1)
	return nil
}

// TestMeasuringAllocatesNothing: what a call allocates is the library's, not the bench's.
func TestMeasuringAllocatesNothing(t *testing.T) {
	for _, callers := range []int{1, 64} {
		b := &Bench{Contestant: new(local)}
		d := 20 * time.Millisecond
		s, err := b.Do(t.Context(), Job{Kind: Echo, Callers: callers, Time: d})
		for ; err == nil && allocates(s) && d < 5*time.Second; d *= 4 { // a busy machine makes too few calls to tell in a short time
			s, err = b.Do(t.Context(), Job{Kind: Echo, Callers: callers, Time: d})
		}
		if err != nil {
			t.Fatal(err)
		}
		if allocates(s) {
			t.Errorf("%d callers: %+v", callers, s)
		}
	}
}

func allocates(s Sample) bool { return s[HostAllocs] > 0.5 || s[Rate] == 0 }

func TestPluginsAreClosed(t *testing.T) {
	l := new(local)
	b := &Bench{Contestant: l}
	for _, job := range []Job{{Kind: Start}, {Kind: Fleet, Plugins: 5}, {Kind: Put, Size: 10}} {
		if _, err := b.Do(t.Context(), job); err != nil {
			t.Fatalf("%s: %v", job.Kind, err)
		}
	}
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	if n := l.opened.Load(); n != 0 {
		t.Errorf("%d plugins are left", n)
	}
}

func TestWhatCannotBeDone(t *testing.T) {
	b := &Bench{Contestant: new(local)}
	for _, job := range []Job{{Kind: Relay, Lines: 1, Format: load.Text}, {Kind: Chat}, {Kind: Upload, Count: 1}, {Kind: CallBack, Count: 1}} {
		if reply := b.reply(t.Context(), job); !reply.Unsupported || reply.Error != "" {
			t.Errorf("%s: %+v", job.Kind, reply)
		}
	}
	if reply := b.reply(t.Context(), Job{Kind: "dance"}); reply.Error == "" {
		t.Error("a job that there is not was done")
	}
}

// TestALimitIsNoFailure: what is too large for a library says so in the table.
func TestALimitIsNoFailure(t *testing.T) {
	l := limited{Session: &localSession{Work: load.NewServer(), l: new(local)}}
	b := &Bench{session: l}
	if reply := b.reply(t.Context(), Job{Kind: Put, Size: 10}); reply.Refused != "too large" || reply.Error != "" {
		t.Errorf("%+v", reply)
	}
}

type limited struct{ contestant.Session }

func (limited) Put(context.Context, []byte) (int64, error) {
	return 0, status.Error(codes.ResourceExhausted, "too large")
}

// TestACallThatFails ends the other callers too.
func TestACallThatFails(t *testing.T) {
	broken := errors.New("broken")
	var calls atomic.Int64
	call := func(ctx context.Context) error {
		if calls.Add(1) == 3 {
			return broken
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return nil
	}
	if _, err := callFor(t.Context(), newStopwatches(8), time.Hour, 1, call); !errors.Is(err, broken) {
		t.Errorf("err = %v, want %v", err, broken)
	}
}

func TestSinkSeesTheLastLine(t *testing.T) {
	s := &sink{last: make(chan struct{})}
	for _, line := range []string{"one\n", "two\n", "x " + load.LastLine + "\n"} {
		if _, err := s.Write([]byte(line)); err != nil {
			t.Fatal(err)
		}
	}
	select {
	case <-s.last:
	default:
		t.Error("it did not see the last line")
	}
	if s.lines() != 2 {
		t.Errorf("lines = %d, want 2", s.lines())
	}
}
