//go:build unix

package host_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/plugingen/plugingen/runtime/handshake"
	"github.com/plugingen/plugingen/runtime/host"
)

// startFault is a row of the list of faults whose end is an error of Open.
type startFault struct {
	row      string
	fault    string
	change   func(*host.Config)
	cancelOn string // a record that shows that the fault has happened; then the test gives up
	stage    host.Stage
	is       error
	code     int
	signal   string
	stderr   string // in the last lines
	text     string // in the error
	hint     string
}

func quick(d time.Duration) func(*host.Config) {
	return func(c *host.Config) { c.StartTimeout = d }
}

func multiplex(c *host.Config) { c.Multiplex, c.StartTimeout = true, 3*time.Second }

func versions(offered ...int) func(*host.Config) {
	return func(c *host.Config) { c.Handshake.ProtocolVersions = offered }
}

func startFaultTable() []startFault {
	const none = -1
	return []startFault{
		{row: "1", fault: "exit", stage: host.StageHandshake, is: host.ErrExited, code: 3, stderr: "boom: no such table", text: "exit code 3"},
		{row: "1", fault: "exit-silent", stage: host.StageHandshake, is: handshake.ErrNoHandshake, code: 0, text: "exit code 0", hint: "is it a plugin?"},
		{row: "1", fault: "exit-shell", stage: host.StageHandshake, is: host.ErrExited, code: 127, hint: "a shell started"},
		{row: "1", fault: "segfault", stage: host.StageHandshake, is: host.ErrExited, code: none, signal: "SIGSEGV"},
		{row: "39", fault: "killed", stage: host.StageHandshake, is: host.ErrExited, code: none, signal: "SIGKILL", hint: "memory"},
		{row: "2", fault: "hang", change: quick(300 * time.Millisecond), stage: host.StageHandshake, is: context.DeadlineExceeded, code: none, text: "not ready after 300ms: nothing came on its stdout", hint: "StartTimeout"},
		{row: "2", fault: "hang", cancelOn: "hanging", stage: host.StageHandshake, is: context.Canceled, code: none, stderr: "hanging"},
		{row: "2", fault: "stop", change: quick(300 * time.Millisecond), stage: host.StageHandshake, is: context.DeadlineExceeded, code: none},
		{row: "3", fault: "partial-hang", change: quick(3 * time.Second), stage: host.StageHandshake, is: context.DeadlineExceeded, code: none, text: `8 bytes on its stdout, which end in "1|1|unix"`},
		{row: "3", fault: "drip", change: quick(3 * time.Second), stage: host.StageHandshake, is: context.DeadlineExceeded, code: none, text: "bytes on its stdout"},
		{row: "4", fault: "garbage", stage: host.StageHandshake, is: handshake.ErrNoHandshake, code: 0, text: "exit code 0"},
		{row: "4", fault: "huge", stage: host.StageHandshake, is: handshake.ErrTooLong, code: none},
		{row: "3", fault: "eof", stage: host.StageHandshake, is: handshake.ErrNoHandshake, code: none},
		{row: "8", fault: "badnet", stage: host.StageHandshake, is: handshake.ErrNetwork, code: none, text: `"pipe"`},
		{row: "8", fault: "badcore", stage: host.StageHandshake, is: handshake.ErrUnsupportedCore, code: none},
		{row: "8", fault: "badproto", stage: host.StageHandshake, is: handshake.ErrProtocol, code: none},
		{row: "8", fault: "netrpc", stage: host.StageNegotiate, is: host.ErrProtocol, code: none, hint: "GRPCServer"},
		{row: "8", fault: "legacy", stage: host.StageNegotiate, is: host.ErrProtocol, code: none, hint: "GRPCServer"},
		{row: "8", fault: "mux", stage: host.StageNegotiate, is: host.ErrMultiplex, code: none},
		{row: "8", fault: "proto-7", change: versions(3, 1, 2), stage: host.StageNegotiate, is: handshake.ErrVersion, code: none, text: "the plugin speaks 7, the host 1,2,3"},
		{row: "9", fault: "cookie-goplugin", stage: host.StageHandshake, is: host.ErrExited, code: 1, hint: "cookie"},
		{row: "9", fault: "wants-tls", stage: host.StageHandshake, is: host.ErrExited, code: 1, hint: "TLS"},
		{row: "10", fault: "line-then-exit", stage: host.StageConnect, is: host.ErrExited, code: 4, stderr: "out of luck"},
		{row: "10", fault: "nosock", stage: host.StageConnect, code: none, text: "no such file", hint: "nothing listens"},
		{row: "11", fault: "mute", change: quick(3 * time.Second), stage: host.StageVerify, is: context.DeadlineExceeded, code: none, hint: "does not answer as a gRPC server"},
		{row: "11", fault: "mute", cancelOn: "heard", stage: host.StageVerify, is: context.Canceled, code: none},
		{row: "8", fault: "no-mux", change: multiplex, stage: host.StageNegotiate, is: host.ErrMultiplex, code: none, hint: "leave Multiplex out"},
		{row: "11", fault: "mux-mute", change: multiplex, cancelOn: "heard", stage: host.StageVerify, is: context.Canceled, code: none},
		{row: "11", fault: "mux-http11", change: multiplex, stage: host.StageVerify, code: none, hint: "does not answer as a gRPC server"},
		{row: "11", fault: "mux-hangup", change: multiplex, stage: host.StageVerify, code: none, hint: "does not answer as a gRPC server"},
		{row: "11", fault: "http11", stage: host.StageVerify, code: none, hint: "does not answer as a gRPC server"},
		{row: "11", fault: "hangup", stage: host.StageVerify, code: none, hint: "does not answer as a gRPC server"},
		{row: "16", fault: "grandchild-start", stage: host.StageHandshake, is: host.ErrExited, code: 5, stderr: "giving up"},
		{row: "21", fault: "unwell", change: func(c *host.Config) { c.Lane = host.LaneOff }, stage: host.StageVerify, is: host.ErrNotServing, code: none},
		{row: "25", fault: "uninvited-cert", stage: host.StageNegotiate, is: host.ErrTLS, code: none, text: "certificate that nobody asked for"},
		{row: "27", fault: "remote", stage: host.StageNegotiate, is: host.ErrRemote, code: none, text: "192.0.2.1:1", hint: "AllowRemote"},
		{row: "27", fault: "remote", change: func(c *host.Config) { c.AllowRemote, c.StartTimeout, c.TLS = true, 3*time.Second, host.TLSOff }, stage: host.StageConnect, code: none},
		{row: "8", fault: "tcp", change: func(c *host.Config) { c.Handshake.Transports = []string{"unix"} }, stage: host.StageNegotiate, is: handshake.ErrTransport, code: none},
	}
}

func TestStartFaults(t *testing.T) {
	for _, f := range startFaultTable() {
		name := "row " + f.row + " " + f.fault
		if f.cancelOn != "" {
			name += " cancelled"
		}
		t.Run(name, func(t *testing.T) { f.run(t) })
	}
}

func (f startFault) run(t *testing.T) {
	s := newStage(t)
	cfg := s.config(f.fault)
	if f.change != nil {
		f.change(&cfg)
	}
	ctx := t.Context()
	if f.cancelOn != "" {
		ctx = s.cancelOn(f.cancelOn)
	}
	f.check(t, s.openFails(ctx, cfg))
}

func (f startFault) check(t *testing.T, e *host.Error) {
	t.Helper()
	t.Logf("%v\nhint: %s", e, e.Hint)
	if e.Stage != f.stage || e.ExitCode != f.code || e.Signal != f.signal {
		t.Errorf("stage %s, exit code %d, signal %q; want %s, %d, %q", e.Stage, e.ExitCode, e.Signal, f.stage, f.code, f.signal)
	}
	if f.is != nil && !errors.Is(e, f.is) {
		t.Errorf("error %v: want %v in it", e, f.is)
	}
	if all := strings.Join(e.Stderr, "\n"); !strings.Contains(all, f.stderr) {
		t.Errorf("stderr %q: want %q in it", all, f.stderr)
	}
	if !strings.Contains(e.Error(), f.text) {
		t.Errorf("error %q: want %q in it", e, f.text)
	}
	if !strings.Contains(e.Hint, f.hint) {
		t.Errorf("hint %q: want %q in it", e.Hint, f.hint)
	}
}
