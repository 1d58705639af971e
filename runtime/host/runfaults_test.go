//go:build unix

package host_test

import (
	"context"
	"errors"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/plugingen/plugingen/runtime/host"
)

// runFault is a row of the list of faults that happens to a plugin that serves.
type runFault struct {
	row    string
	fault  string
	change func(*host.Config)
	act    func(*testing.T, *stage, *host.Plugin)
	// closing is in the error of Close; nil means that Close succeeds, and is then what the plugin's Err is too.
	closing error
}

func runFaultTable() []runFault {
	return []runFault{
		{row: "5", fault: "prelog", act: func(t *testing.T, s *stage, _ *host.Plugin) {
			s.log.await(t, "loading")
			s.log.await(t, "loaded|3|parts")
		}},
		{row: "6", fault: "multi", act: func(t *testing.T, s *stage, _ *host.Plugin) {
			s.log.await(t, "one more line")
			s.log.await(t, "and another")
		}},
		{row: "7", fault: "plain", act: func(t *testing.T, _ *stage, p *host.Plugin) { mustDo(t, p, "bigline") }},
		{row: "12", fault: "plain", act: crashMidCall, closing: host.ErrExited},
		{row: "12", fault: "plain", act: panicMidCall, closing: host.ErrExited},
		{row: "12", fault: "plain", act: crashMidStream, closing: host.ErrExited},
		{row: "12", fault: "plain", act: exitMidCall, closing: host.ErrExited},
		{row: "13", fault: "plain", change: func(c *host.Config) { c.CallTimeout = 100 * time.Millisecond }, act: hangMidCall},
		{row: "13", fault: "plain", change: watched, act: hangForGood, closing: host.ErrUnresponsive},
		{row: "14", fault: "plain", change: brief, act: stopMidCall, closing: host.ErrKilled},
		{row: "15", fault: "hang-shutdown", change: brief, closing: host.ErrKilled},
		{row: "15", fault: "ignore-shutdown", change: brief, closing: host.ErrKilled},
		{row: "15", fault: "late-shutdown", change: func(c *host.Config) { c.StopTimeout = 8 * time.Second }}, // SIGTERM ends it after 6 s
		{row: "15", fault: "no-controller"},
		{row: "15", fault: "exit-7", closing: host.ErrExited},
		{row: "16", fault: "grandchild"},
		{row: "16", fault: "grandchild", act: exitMidCall, closing: host.ErrExited},
		{row: "16", fault: "runaway", act: killRunaway},
		{row: "18", fault: "stderr-flood", act: logs("the flood is over", "flood 0 ")},
		{row: "18", fault: "stderr-bigline", act: logs("the line is over", "yyyy")},
		{row: "18", fault: "stderr-binary", act: logs("the binary is over")},
		{
			row: "18", fault: "stderr-flood", change: func(c *host.Config) { c.MaxLogRate = 100 },
			act: logs("it writes more than is logged in a second", "flood 0 "),
		},
		{row: "19", fault: "stderr-json", act: logs("the json is over")},
		{row: "20", fault: "stderr-binary", act: noEscapes},
		{row: "20", fault: "plain", act: badStatus},
		{row: "20", fault: "printing-escapes", act: func(t *testing.T, s *stage, _ *host.Plugin) {
			if line := s.log.await(t, "printed"); strings.ContainsAny(line, "\x1b\u009b\u202e") {
				t.Errorf("log: %q", line)
			}
		}},
		{row: "21", fault: "plain", act: closedListener},
		{row: "21", fault: "tcp", change: func(c *host.Config) { c.TLS = host.TLSOff }, act: closedListener},
		{row: "22", fault: "plain", change: func(c *host.Config) { c.MaxMessageSize = 1 << 16 }, act: bigReply},
		{row: "37", fault: "plain", act: killedFromOutside, closing: host.ErrExited},
		{row: "40", fault: "plain", act: func(t *testing.T, _ *stage, p *host.Plugin) {
			if got := mustDo(t, p, "stdin"); got != "0 EOF" {
				t.Errorf("reading stdin: %s, want 0 EOF", got)
			}
		}},
	}
}

// brief is for plugins that have to be killed.
func brief(c *host.Config) { c.StopTimeout = 200 * time.Millisecond }

// TestRunFaults has the calls take the lane wherever they can, and where faults concern calls, or what is asked by calls, gRPC as well.
func TestRunFaults(t *testing.T) {
	for _, f := range runFaultTable() {
		t.Run("row "+f.row+" "+f.fault, func(t *testing.T) { f.run(t) })
		if f.concernsCalls() {
			t.Run("row "+f.row+" "+f.fault+" by gRPC", func(t *testing.T) { f.with(func(c *host.Config) { c.Lane = host.LaneOff }).run(t) })
		}
	}
}

// TestTunnelFaults has what happens to calls happen in a tunnel, with mutual TLS around it.
func TestTunnelFaults(t *testing.T) { faultsOfCalls(t, all(tlsMutual, multiplexed)) }

// TestSecuredFaults has it happen in TLS without one.
func TestSecuredFaults(t *testing.T) { faultsOfCalls(t, tlsMutual) }

// TestSocketFaults has it happen to the lane on the plugin's own socket.
func TestSocketFaults(t *testing.T) { faultsOfCalls(t, onSocket) }

func faultsOfCalls(t *testing.T, way func(*host.Config)) {
	for _, f := range runFaultTable() {
		if f.fault == "plain" && f.concernsCalls() && f.row != "21" { // that one has a listener to close
			f.fault = "good"
			t.Run("row "+f.row, func(t *testing.T) { f.with(way).run(t) })
		}
	}
}

// concernsCalls tells from faults in what a plugin writes on its pipes.
func (f runFault) concernsCalls() bool {
	return f.fault == "plain" && f.row != "7" && f.row != "40" || f.row == "15" || f.row == "16"
}

func (f runFault) with(more func(*host.Config)) runFault {
	change := f.change
	f.change = func(c *host.Config) {
		more(c)
		if change != nil {
			change(c)
		}
	}
	return f
}

func (f runFault) run(t *testing.T) {
	s := newStage(t)
	cfg := s.config(f.fault)
	if f.change != nil {
		f.change(&cfg)
	}
	p := s.open(cfg)
	want := wantTier(cfg)
	if want != host.TierPair && f.fault != "good" { // these plugins only know the inherited socket
		want = host.TierGRPC
	}
	if p.Tier() != want {
		t.Fatalf("calls go by %v, want %v", p.Tier(), want)
	}
	if f.act != nil {
		f.act(t, s, p)
	}
	err := p.Close()
	t.Logf("close: %v", err)
	if !errors.Is(err, f.closing) {
		t.Errorf("close: %v, want %v", err, f.closing)
	}
	await(t, p.Done(), "done after close")
	if got := p.Err(); !errors.Is(got, f.closing) {
		t.Errorf("err: %v, want %v", got, f.closing)
	}
}

// wantGone checks the error of a call that the plugin's end ended.
func wantGone(t *testing.T, err error, code int, stderr string) {
	t.Helper()
	if status.Code(err) != codes.Unavailable || !errors.Is(err, host.ErrExited) {
		t.Fatalf("call: %v, want Unavailable and ErrExited", err)
	}
	e := hostError(t, err)
	if e.Stage != host.StageRun || e.ExitCode != code || !strings.Contains(strings.Join(e.Stderr, "\n"), stderr) {
		t.Errorf("stage %s, exit code %d, stderr %q; want run, %d, %q", e.Stage, e.ExitCode, e.Stderr, code, stderr)
	}
	if message := status.Convert(err).Message(); !strings.Contains(message, stderr) {
		t.Errorf("status %q: want %q in it", message, stderr)
	}
}

func crashMidCall(t *testing.T, _ *stage, p *host.Plugin) {
	_, err := do(t.Context(), p.Conn(), "crash")
	wantGone(t, err, 2, "panic: boom while serving")
	await(t, p.Done(), "done after a crash")
	_, err = do(t.Context(), p.Conn(), "anything") // says the same for ever
	wantGone(t, err, 2, "panic: boom while serving")
	wantGone(t, p.Ping(t.Context()), 2, "panic: boom while serving")
}

// panicMidCall has the handler itself panic: that ends the program on every tier.
func panicMidCall(t *testing.T, _ *stage, p *host.Plugin) {
	for range 3 { // the lane runs the handlers of a method that is quick in another way
		mustDo(t, p, "x")
	}
	_, err := do(t.Context(), p.Conn(), "panic")
	wantGone(t, err, 2, "panic: boom while serving")
}

func crashMidStream(t *testing.T, _ *stage, p *host.Plugin) {
	s, err := p.Conn().NewStream(t.Context(), &grpc.StreamDesc{StreamName: "Watch", ServerStreams: true}, "/test.Deeds/Watch")
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(s.SendMsg(wrapperspb.String("crash")), s.CloseSend()); err != nil {
		t.Fatal(err)
	}
	err = s.RecvMsg(&wrapperspb.StringValue{})
	if err == nil { // the first answer was faster than the crash
		err = s.RecvMsg(&wrapperspb.StringValue{})
	}
	wantGone(t, err, 2, "panic: boom while serving")
}

func exitMidCall(t *testing.T, _ *stage, p *host.Plugin) {
	_, err := do(t.Context(), p.Conn(), "exit-5")
	wantGone(t, err, 5, "")
}

func hangMidCall(t *testing.T, _ *stage, p *host.Plugin) {
	if _, err := do(t.Context(), p.Conn(), "hang"); status.Code(err) != codes.DeadlineExceeded {
		t.Errorf("call: %v, want DeadlineExceeded", err)
	}
	mustDo(t, p, "still there")
}

// watched is for plugins that hang. Two misses are enough, also on a machine that is so busy that a healthy plugin misses.
func watched(c *host.Config) { c.Watchdog = host.Watchdog{Interval: 200 * time.Millisecond, Misses: 2} }

// hangForGood has the plugin stand still as a whole, so that nothing but the watchdog ends the call.
func hangForGood(t *testing.T, s *stage, p *host.Plugin) {
	_, err := do(t.Context(), p.Conn(), "stop")
	if status.Code(err) != codes.Unavailable || !errors.Is(err, host.ErrUnresponsive) {
		t.Errorf("call: %v, want Unavailable and ErrUnresponsive", err)
	}
	await(t, p.Done(), "done after the watchdog")
	if e := hostError(t, p.Err()); e.Stage != host.StageRun || e.Signal != "" || e.ExitCode != -1 || !strings.Contains(e.Hint, "debugger") {
		t.Errorf("%+v", e)
	}
	s.log.await(t, "misses=2")
}

func closedListener(t *testing.T, _ *stage, p *host.Plugin) {
	if err := p.Reachable(t.Context()); err != nil {
		t.Errorf("before: %v", err)
	}
	mustDo(t, p, "closesock")
	mustDo(t, p, "still there")
	if err := p.Ping(t.Context()); err != nil { // it is well, as far as the connection that stands can tell
		t.Errorf("ping: %v", err)
	}
	if err := p.Reachable(t.Context()); !errors.Is(err, host.ErrNotListening) {
		t.Errorf("reachable: %v, want ErrNotListening", err)
	}
	if err := p.Close(); err != nil {
		t.Errorf("close: %v", err)
	}
	if err := p.Reachable(t.Context()); !errors.Is(err, host.ErrClosed) {
		t.Errorf("reachable after close: %v, want ErrClosed", err)
	}
}

func stopMidCall(t *testing.T, _ *stage, p *host.Plugin) {
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if _, err := do(ctx, p.Conn(), "stop"); status.Code(err) != codes.DeadlineExceeded {
		t.Errorf("call: %v, want DeadlineExceeded", err)
	}
	signalPlugin(t, p, syscall.SIGSTOP)                                         // in case that the call has not reached it in time
	if err := p.Ping(t.Context()); status.Code(err) != codes.DeadlineExceeded { // it has a deadline of its own
		t.Errorf("ping: %v, want DeadlineExceeded", err)
	}
}

func killRunaway(t *testing.T, s *stage, p *host.Plugin) {
	if err := p.Close(); err != nil {
		t.Errorf("close: %v", err)
	}
	s.killProcesses()
}

func logs(texts ...string) func(*testing.T, *stage, *host.Plugin) {
	return func(t *testing.T, s *stage, p *host.Plugin) {
		for _, text := range texts {
			s.log.await(t, text)
		}
		mustDo(t, p, "still there")
	}
}

func noEscapes(t *testing.T, s *stage, p *host.Plugin) {
	s.log.await(t, "the binary is over")
	for _, line := range append(s.log.all(), p.Stderr()...) {
		if strings.ContainsAny(line, "\x00\x07\x1b\u202e") {
			t.Errorf("log: %q", line)
		}
	}
}

func badStatus(t *testing.T, _ *stage, p *host.Plugin) {
	_, err := do(t.Context(), p.Conn(), "bad-utf8-status")
	if got, want := status.Convert(err).Message(), "no\\x1b[2J such\nthing \\u202e"; got != want {
		t.Errorf("status %q, want %q", got, want)
	}
	if status.Code(err) != codes.NotFound {
		t.Errorf("code %v, want NotFound", status.Code(err))
	}
}

func bigReply(t *testing.T, _ *stage, p *host.Plugin) {
	if _, err := do(t.Context(), p.Conn(), "big"); status.Code(err) != codes.ResourceExhausted {
		t.Errorf("call: %v, want ResourceExhausted", err)
	}
}

func killedFromOutside(t *testing.T, s *stage, p *host.Plugin) {
	if err := syscall.Kill(p.PID(), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	await(t, p.Done(), "done after a kill")
	e := hostError(t, p.Err())
	if e.Signal != "SIGKILL" || e.Stage != host.StageRun || !strings.Contains(e.Hint, "memory") {
		t.Errorf("%+v", e)
	}
	s.nothingLeft(1 << 20) // the socket and its folder are gone before Close
}

// TestOutOfMemory is row 39 where the system refuses memory instead of killing: the error shows what the plugin said, and the hint what it means.
func TestOutOfMemory(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("the plugin's memory is limited by what Linux tells about it")
	}
	s := newStage(t)
	p := s.open(s.config("plain"))
	_, err := do(t.Context(), p.Conn(), "exhaust")
	if err != nil && strings.Contains(err.Error(), "-race mode") {
		t.Skip("the race detector ends the program in a way of its own")
	}
	wantGone(t, err, 2, "out of memory")
	await(t, p.Done(), "done after the crash")
	if e := hostError(t, p.Err()); !strings.Contains(e.Hint, "ran out of memory") {
		t.Errorf("%+v", e)
	}
}
