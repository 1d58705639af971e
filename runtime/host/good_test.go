//go:build unix

package host_test

import (
	"context"
	"errors"
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/plugingen/plugingen/runtime"
	"github.com/plugingen/plugingen/runtime/handshake"
	"github.com/plugingen/plugingen/runtime/host"
)

func TestGoodPlugin(t *testing.T) {
	s := newStage(t)
	cfg := s.config("good")
	cfg.Handshake.ProtocolVersions = []int{2, 1, 3}
	p := s.open(cfg)
	if err := p.Ping(t.Context()); err != nil {
		t.Errorf("ping: %v", err)
	}
	if got := mustDo(t, p, "hello"); got != "hello" {
		t.Errorf("do: %q", got)
	}
	if p.Version() != 2 || p.PID() <= 0 || p.Name() != filepath.Base(cfg.Path) || p.Err() != nil {
		t.Errorf("version %d, pid %d, name %s, err %v", p.Version(), p.PID(), p.Name(), p.Err())
	}
	if err := p.Close(); err != nil {
		t.Errorf("close: %v", err)
	}
	_, err := do(t.Context(), p.Conn(), "hello")
	if !errors.Is(err, host.ErrClosed) || status.Code(err) != codes.Unavailable {
		t.Errorf("call after close: %v, want ErrClosed and Unavailable", err)
	}
	if err := p.Ping(t.Context()); !errors.Is(err, host.ErrClosed) {
		t.Errorf("ping after close: %v, want ErrClosed", err)
	}
}

func TestCallCancelled(t *testing.T) {
	s := newStage(t)
	p := s.open(s.config("plain"))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := do(ctx, p.Conn(), "x"); status.Code(err) != codes.Canceled || errors.Is(err, host.ErrExited) {
		t.Errorf("call: %v, want Canceled", err)
	}
	stream, err := p.Conn().NewStream(t.Context(), &grpc.StreamDesc{StreamName: "No", ServerStreams: true}, "/test.Deeds/No")
	if err != nil {
		t.Fatal(err)
	}
	_, _ = stream.Header()
	if err := stream.RecvMsg(&wrapperspb.StringValue{}); status.Code(err) != codes.Unimplemented {
		t.Errorf("stream: %v, want Unimplemented", err)
	}
}

// TestNothingLeftAtOnce looks the moment that Close returns, not a while later.
func TestNothingLeftAtOnce(t *testing.T) {
	s := newStage(t)
	before := openFiles(t)
	p := s.open(s.config("good"))
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	if after := openFiles(t); len(after) > len(before) {
		t.Errorf("descriptors %q, before %q", after, before)
	}
	if left := s.processes(); len(left) > 0 {
		t.Errorf("processes %v", left)
	}
}

func TestTCP(t *testing.T) {
	s := newStage(t)
	cfg := s.config("good")
	cfg.Handshake.Transports = []string{handshake.TCP}
	cfg.MinPort, cfg.MaxPort = 20000, 40000
	p := s.open(cfg)
	env := mustDo(t, p, "hello")
	if err := p.Close(); err != nil || env != "hello" {
		t.Errorf("do: %q, close: %v", env, err)
	}
}

func TestCloseConcurrently(t *testing.T) {
	s := newStage(t)
	p := s.open(s.config("exit-7"))
	var errs [64]error
	var wg sync.WaitGroup
	for i := range errs {
		wg.Go(func() { errs[i] = p.Close() })
	}
	wg.Wait()
	for _, err := range errs {
		if hostError(t, err) != hostError(t, errs[0]) {
			t.Fatalf("close: %v, want the first one's error: %v", err, errs[0])
		}
	}
	if e := hostError(t, errs[0]); e.ExitCode != 7 || e.Stage != host.StageClose {
		t.Errorf("stage %s, exit code %d", e.Stage, e.ExitCode)
	}
}

func TestCloseCutsCallsOff(t *testing.T) {
	s := newStage(t)
	p := s.open(s.config("plain"))
	result := make(chan error, 1)
	go func() {
		_, err := do(t.Context(), p.Conn(), "hang")
		result <- err
	}()
	mustDo(t, p, "x")
	if err := p.Close(); err != nil {
		t.Errorf("close: %v", err)
	}
	select {
	case err := <-result:
		if status.Code(err) != codes.Unavailable && status.Code(err) != codes.Canceled {
			t.Errorf("call: %v", err)
		}
	case <-time.After(guard):
		t.Fatal("the call goes on after Close")
	}
}

func TestLogsNameThePlugin(t *testing.T) {
	s := newStage(t)
	p := s.open(s.config("multi"))
	line := s.log.await(t, "one more line")
	if !strings.Contains(line, "plugin="+p.Name()) || !strings.Contains(line, "stream=stdout") {
		t.Errorf("record %q: want the plugin's name and the stream", line)
	}
}

func TestDispense(t *testing.T) {
	s := newStage(t)
	p := s.open(s.config("good"))
	conn, err := host.Dispense(p, runtime.Service[grpc.ClientConnInterface]{
		Name:      "test.Deeds",
		NewClient: func(c grpc.ClientConnInterface) grpc.ClientConnInterface { return c },
	})
	if err != nil {
		t.Fatal(err)
	}
	if got, err := do(t.Context(), conn, "hello"); got != "hello" || err != nil {
		t.Errorf("do: %q, %v", got, err)
	}
	if _, err := host.Dispense(p, runtime.Service[int]{Name: "x"}); err == nil {
		t.Error("a service without NewClient: no error")
	}
	_ = p.Close()
	_, err = host.Dispense(p, runtime.Service[int]{Name: "x", NewClient: func(grpc.ClientConnInterface) int { return 1 }})
	if !errors.Is(err, host.ErrClosed) {
		t.Errorf("after close: %v, want ErrClosed", err)
	}
}

func TestCallLost(t *testing.T) {
	s := newStage(t)
	var lost []error
	cfg := s.config("plain")
	cfg.OnCallLost = func(err error) { lost = append(lost, err) }
	p := s.open(cfg)
	runtime.ReportLost(p.Conn(), errMind)
	if len(lost) != 1 || !errors.Is(lost[0], errMind) {
		t.Errorf("OnCallLost got %v", lost)
	}
	if line := s.log.await(t, errMind.Error()); !strings.HasPrefix(line, slog.LevelError.String()) {
		t.Errorf("record %q: want level ERROR", line)
	}
}

func TestUnavailableAnswer(t *testing.T) { // a plugin's own Unavailable is no sign of its end
	s := newStage(t)
	p := s.open(s.config("plain"))
	_, err := do(t.Context(), p.Conn(), "unavailable")
	if status.Code(err) != codes.Unavailable || status.Convert(err).Message() != "come back later" || errors.Is(err, host.ErrExited) {
		t.Errorf("call: %v", err)
	}
}

func TestNoHealthService(t *testing.T) {
	s := newStage(t)
	p := s.open(s.config("no-health"))
	if err := p.Ping(t.Context()); err != nil {
		t.Errorf("ping: %v", err)
	}
}

func TestArgsAndDir(t *testing.T) {
	s := newStage(t)
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	cfg := s.config("plain")
	cfg.Dir, cfg.Args = dir, []string{"one", "two words"}
	p := s.open(cfg)
	if got, want := mustDo(t, p, "cwd"), dir+" one two words"; got != want {
		t.Errorf("working directory and arguments %q, want %q", got, want)
	}
}
