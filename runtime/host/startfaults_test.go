//go:build unix

package host_test

import (
	"context"
	"errors"
	"fmt"
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
	within   time.Duration // the StartTimeout, at first: a busy machine may need longer until the fault happens
	cancelOn string        // a record that shows that the fault has happened; then the test gives up
	stage    host.Stage
	is       error
	code     int
	signal   string
	stderr   string // in the last lines
	text     string // in the error
	hint     string
}

func multiplex(c *host.Config) { c.Multiplex = true }

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
		{row: "2", fault: "hang", within: 300 * time.Millisecond, stage: host.StageHandshake, is: context.DeadlineExceeded, code: none, text: "nothing came on its stdout", hint: "StartTimeout"},
		{row: "2", fault: "hang", cancelOn: "hanging", stage: host.StageHandshake, is: context.Canceled, code: none, stderr: "hanging"},
		{row: "2", fault: "stop", within: 300 * time.Millisecond, stage: host.StageHandshake, is: context.DeadlineExceeded, code: none},
		{row: "3", fault: "partial-hang", within: 500 * time.Millisecond, stage: host.StageHandshake, is: context.DeadlineExceeded, code: none, text: `8 bytes on its stdout, which end in "1|1|unix"`},
		{row: "3", fault: "drip", within: 500 * time.Millisecond, stage: host.StageHandshake, is: context.DeadlineExceeded, code: none, text: "bytes on its stdout"},
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
		{row: "11", fault: "mute", within: 500 * time.Millisecond, stage: host.StageVerify, is: context.DeadlineExceeded, code: none, hint: "does not answer as a gRPC server"},
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
		{row: "27", fault: "remote", change: func(c *host.Config) { c.AllowRemote, c.TLS = true, host.TLSOff }, within: 500 * time.Millisecond, stage: host.StageConnect, code: none},
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
	if f.within > 0 {
		cfg.StartTimeout = f.within
	}
	e := s.openFails(ctx, cfg)
	for ; f.within > 0 && f.wrong(e, cfg) != "" && cfg.StartTimeout < roomy; e = s.openFails(ctx, cfg) {
		cfg.StartTimeout *= 4
	}
	t.Logf("%v\nhint: %s", e, e.Hint)
	if wrong := f.wrong(e, cfg); wrong != "" {
		t.Error(wrong)
	}
}

// wrong says in what e is not the error that is wanted.
func (f startFault) wrong(e *host.Error, cfg host.Config) (wrong string) {
	if e.Stage != f.stage || e.ExitCode != f.code || e.Signal != f.signal {
		wrong += fmt.Sprintf("stage %s, exit code %d, signal %q; want %s, %d, %q\n", e.Stage, e.ExitCode, e.Signal, f.stage, f.code, f.signal)
	}
	if f.is != nil && !errors.Is(e, f.is) {
		wrong += fmt.Sprintf("error %v: want %v in it\n", e, f.is)
	}
	if late := fmt.Sprint("not ready after ", cfg.StartTimeout); errors.Is(f.is, context.DeadlineExceeded) && !strings.Contains(e.Error(), late) {
		wrong += fmt.Sprintf("error %q: want %q in it\n", e, late)
	}
	for _, part := range []struct{ what, got, want string }{
		{"stderr", strings.Join(e.Stderr, "\n"), f.stderr}, {"error", e.Error(), f.text}, {"hint", e.Hint, f.hint},
	} {
		if !strings.Contains(part.got, part.want) {
			wrong += fmt.Sprintf("%s %q: want %q in it\n", part.what, part.got, part.want)
		}
	}
	return wrong
}
