//go:build unix

package host_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/plugingen/plugingen/runtime"
	"github.com/plugingen/plugingen/runtime/handshake"
	"github.com/plugingen/plugingen/runtime/host"
	"github.com/plugingen/plugingen/runtime/plugin"
	"github.com/plugingen/plugingen/runtime/plugintest"
)

// attacher is another host: it attaches to what it is told, calls it, and closes.
func attacher() int {
	to, err := handshake.ParseAttachment(os.Args[1])
	if err != nil {
		fmt.Println(err)
		return 1
	}
	p, err := host.Attach(context.Background(), to, host.Config{Handshake: testHandshake(), StopTimeout: roomy, StopAttached: os.Args[2] == "stop"})
	if err != nil {
		fmt.Println(err)
		return 1
	}
	defer func() { _ = p.Close() }()
	out, err := do(context.Background(), p.Conn(), "hello")
	fmt.Println(out, err, p.Ping(context.Background()), p.ID(), p.Close())
	return 0
}

// attachElsewhere lets another process attach, and returns what it prints.
func (s *stage) attachElsewhere(to handshake.Attachment, then string) string {
	s.t.Helper()
	exe, err := os.Executable()
	if err != nil {
		s.t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(s.t.Context(), guard)
	defer cancel()
	cmd := exec.CommandContext(ctx, exe, to.String(), then)
	cmd.Env = append(os.Environ(), faultEnv+"=attacher", markEnv+"="+s.mark, "GORACE=atexit_sleep_ms=0")
	out, err := cmd.Output()
	if err != nil {
		s.t.Errorf("the other host: %v", err)
	}
	return strings.TrimSpace(string(out))
}

func (s *stage) attach(to handshake.Attachment, change ...func(*host.Config)) *host.Plugin {
	s.t.Helper()
	cfg := s.config("")
	all(change...)(&cfg)
	p, err := host.Attach(s.t.Context(), to, cfg)
	if err != nil {
		s.t.Fatalf("attach: %v", err)
	}
	s.t.Cleanup(func() { _ = p.Close() })
	return p
}

func stopAttached(c *host.Config) { c.StopAttached = true }

func TestAttach(t *testing.T) {
	s := newStage(t)
	p := s.open(s.config("good"))
	to, err := handshake.ParseAttachment(p.Attachment().String())
	if err != nil {
		t.Fatal(err)
	}
	if to.PID != p.PID() || to.ProtocolVersion != 1 || to.Start == "" || to.Test || to.TLS != handshake.TLSNone || to.MagicCookieKey != testHandshake().MagicCookieKey {
		t.Errorf("description %s", to)
	}
	want := fmt.Sprintf("hello <nil> <nil> process %d <nil>", p.PID())
	for range 2 { // hosts come and go
		if got := s.attachElsewhere(to, "leave"); got != want {
			t.Errorf("the other host: %s, want %s", got, want)
		}
	}
	if got := mustDo(t, p, "hello"); got != "hello" {
		t.Errorf("do: %q", got)
	}
	if got := s.attachElsewhere(to, "stop"); got != want {
		t.Errorf("the other host: %s, want %s", got, want)
	}
	await(t, p.Done(), "the plugin ends")
	if e := hostError(t, p.Err()); e.ExitCode != 0 || !errors.Is(e, host.ErrExited) {
		t.Errorf("%v, want that it has ended, with code 0", e)
	}
}

// TestAttachedEnds has the plugin end while another host is attached.
func TestAttachedEnds(t *testing.T) {
	s := newStage(t)
	p := s.open(s.config("plain"))
	a := s.attach(p.Attachment())
	again := s.attach(a.Attachment())
	_, _ = do(t.Context(), a.Conn(), "exit-5")
	for _, attached := range []*host.Plugin{a, again} {
		await(t, attached.Done(), "the end is noticed")
		e := hostError(t, attached.Err())
		if !errors.Is(e, host.ErrExited) || e.ExitCode != -1 || e.Stage != host.StageRun {
			t.Errorf("%v", e)
		}
		if err := attached.Close(); !errors.Is(err, host.ErrExited) {
			t.Errorf("close: %v", err)
		}
	}
	if e := hostError(t, p.Close()); e.ExitCode != 5 {
		t.Errorf("the host that started it: %v", e)
	}
}

func TestAttachedIsKilled(t *testing.T) {
	s := newStage(t)
	p := s.open(s.config("ignore-shutdown"))
	a := s.attach(p.Attachment(), stopAttached, brief)
	if err := a.Close(); !errors.Is(err, host.ErrKilled) {
		t.Errorf("close: %v, want ErrKilled", err)
	}
	await(t, p.Done(), "the plugin ends")
	if e := hostError(t, p.Err()); e.Signal != "SIGKILL" {
		t.Errorf("%v", e)
	}
}

// TestAttachedIsNotKilled has descriptions that do not tell the plugin from a process that got its number later.
func TestAttachedIsNotKilled(t *testing.T) {
	for name, change := range map[string]func(*handshake.Attachment){
		"no birth":  func(to *handshake.Attachment) { to.Start = "" },
		"no number": func(to *handshake.Attachment) { to.PID, to.Start = 0, "" },
		"test mode": func(to *handshake.Attachment) { to.Test = true },
	} {
		t.Run(name, func(t *testing.T) {
			s := newStage(t)
			p := s.open(s.config("ignore-shutdown"))
			to := p.Attachment()
			change(&to)
			a := s.attach(to, stopAttached, brief)
			if err := a.Close(); err != nil {
				t.Errorf("close: %v", err)
			}
			if err := p.Ping(t.Context()); err != nil {
				t.Errorf("the plugin does not answer any more: %v", err)
			}
			_ = syscall.Kill(p.PID(), syscall.SIGKILL)
		})
	}
}

// TestAttachMultiplexed has the second host carry all over one connection because the plugin does, whatever its Config says.
func TestAttachMultiplexed(t *testing.T) {
	s := newStage(t)
	for _, starter := range []bool{true, false} {
		cfg := s.config("good")
		cfg.Multiplex = starter
		p := s.open(cfg)
		to, err := handshake.ParseAttachment(p.Attachment().String())
		if err != nil || to.Multiplex != starter {
			t.Fatalf("description %s, %v", to, err)
		}
		a := s.attach(to, func(c *host.Config) { c.Multiplex = !starter })
		if got := mustDo(t, a, "hello"); got != "hello" {
			t.Errorf("do: %q", got)
		}
		if err := errors.Join(a.Ping(t.Context()), a.Close(), p.Ping(t.Context())); err != nil {
			t.Error(err)
		}
	}
}

func TestAttachRefuses(t *testing.T) {
	s := newStage(t)
	p := s.open(s.config("good"))
	gone := s.open(s.config("good"))
	ended := gone.Attachment()
	_ = gone.Close()
	for name, c := range map[string]struct {
		to     func(*handshake.Attachment)
		change func(*host.Config)
		stage  host.Stage
		want   error
	}{
		"version":         {to: func(to *handshake.Attachment) { to.ProtocolVersion = 7 }, stage: host.StageNegotiate, want: handshake.ErrVersion},
		"net/rpc":         {to: func(to *handshake.Attachment) { to.Protocol = "netrpc" }, stage: host.StageNegotiate, want: host.ErrProtocol},
		"no protocol":     {to: func(to *handshake.Attachment) { to.Protocol = "" }, stage: host.StageNegotiate, want: host.ErrProtocol},
		"contract":        {to: func(to *handshake.Attachment) { to.MagicCookieKey = "OTHER" }, stage: host.StageNegotiate, want: handshake.ErrCookieMismatch},
		"its TLS":         {to: func(to *handshake.Attachment) { to.TLS = "own" }, stage: host.StageNegotiate, want: host.ErrTLS},
		"automatic TLS":   {to: func(to *handshake.Attachment) { to.TLS = "mutual" }, stage: host.StageNegotiate, want: host.ErrTLS},
		"the host's TLS":  {change: tlsMutual, stage: host.StageNegotiate, want: host.ErrTLS},
		"TLS but not it":  {change: func(c *host.Config) { c.TLSConfig = &tls.Config{MinVersion: tls.VersionTLS13} }, stage: host.StageConnect, want: host.ErrTLS},
		"tcp":             {to: func(to *handshake.Attachment) { to.Network, to.Address = "tcp", "127.0.0.1:9" }, stage: host.StageNegotiate, want: host.ErrTLS},
		"remote":          {to: func(to *handshake.Attachment) { to.Network, to.Address = "tcp", "192.0.2.1:1" }, change: tlsOff, stage: host.StageNegotiate, want: host.ErrRemote},
		"address":         {to: func(to *handshake.Attachment) { to.Address = "relative" }, stage: host.StageAttach, want: handshake.ErrAddress},
		"another process": {to: func(to *handshake.Attachment) { to.Start = "1" }, stage: host.StageAttach, want: host.ErrExited},
		"gone":            {to: func(to *handshake.Attachment) { *to = ended }, stage: host.StageAttach, want: host.ErrExited},
		"no socket":       {to: func(to *handshake.Attachment) { to.Address += "x" }, stage: host.StageConnect, want: syscall.ENOENT},
		"multiplexed":     {to: func(to *handshake.Attachment) { to.Multiplex = true }, stage: host.StageVerify},
		"checksum":        {change: func(c *host.Config) { c.Checksum = checksum(t, c.Path) }, stage: host.StageConfig},
		"config":          {change: func(c *host.Config) { c.Handshake.MagicCookieKey = "" }, stage: host.StageConfig, want: handshake.ErrCookieKeyNotConfigured},
	} {
		t.Run(name, func(t *testing.T) {
			to, cfg := p.Attachment(), s.config("")
			if c.to != nil {
				c.to(&to)
			}
			if c.change != nil {
				c.change(&cfg)
			}
			_, err := host.Attach(t.Context(), to, cfg)
			e := hostError(t, err)
			if e.Stage != c.stage || c.want != nil && !errors.Is(e, c.want) {
				t.Errorf("stage %s, %v; want %s, %v", e.Stage, e, c.stage, c.want)
			}
			if e.Hint == "" && e.Stage != host.StageConfig {
				t.Errorf("no advice in %v", e)
			}
		})
	}
	if err := p.Ping(t.Context()); err != nil {
		t.Errorf("the plugin suffers from hosts that were refused: %v", err)
	}
}

func TestAttachWithOwnTLS(t *testing.T) {
	file, roots := ownCertificate(t)
	s := newStage(t)
	cfg := s.config("own-tls")
	cfg.Env = append(cfg.Env, "OWN_TLS="+file)
	cfg.TLSConfig = &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS13}
	p := s.open(cfg)
	if got := p.Attachment().TLS; got != handshake.TLSOwn {
		t.Errorf("TLS %q", got)
	}
	a := s.attach(p.Attachment(), func(c *host.Config) { c.TLSConfig = cfg.TLSConfig })
	if got := mustDo(t, a, "hello"); got != "hello" {
		t.Errorf("do: %q", got)
	}
	if err := a.Close(); err != nil {
		t.Errorf("close: %v", err)
	}
}

func TestAttachmentOfMutualTLS(t *testing.T) {
	s := newStage(t)
	cfg := s.config("good")
	cfg.TLS = host.TLSMutual
	if got := s.open(cfg).Attachment().TLS; got != handshake.TLSMutual {
		t.Errorf("TLS %q", got)
	}
}

// byHand starts a plugin as a person does who wants to debug it, and returns what the plugin says to set for a host.
func (s *stage) byHand(value string, env ...string) (cmd *exec.Cmd, attach string) {
	s.t.Helper()
	exe, err := os.Executable()
	if err != nil {
		s.t.Fatal(err)
	}
	cmd = exec.CommandContext(s.t.Context(), exe)
	cmd.Env = append(append(os.Environ(), faultEnv+"=good", markEnv+"="+s.mark, "GORACE=atexit_sleep_ms=0", handshake.EnvDebug+"="+value, "TMPDIR="+s.dir), env...)
	stderr, err := cmd.StderrPipe()
	if err != nil {
		s.t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { _, _ = cmd.Process.Kill(), cmd.Wait() })
	lines := bufio.NewScanner(stderr)
	for lines.Scan() {
		if text, ok := strings.CutPrefix(lines.Text(), handshake.EnvAttach+"='"); ok {
			go func() { _, _ = io.Copy(io.Discard, stderr) }()
			return cmd, strings.TrimSuffix(text, "'")
		}
	}
	s.t.Fatalf("the plugin does not say how to attach: %v", cmd.Wait())
	return nil, ""
}

func TestDebug(t *testing.T) {
	s := newStage(t)
	cmd, attach := s.byHand("1")
	t.Setenv(handshake.EnvAttach, attach)
	cfg := s.config("exit") // which no host may start
	cfg.AttachFromEnv, cfg.StopAttached, cfg.Handshake.ProtocolVersions = true, true, []int{1, 2}
	for range 3 {
		p := s.open(cfg)
		if p.PID() != cmd.Process.Pid || !p.Attachment().Test || p.Version() != 2 {
			t.Fatalf("process %d, want %d; %s", p.PID(), cmd.Process.Pid, p.Attachment())
		}
		if got := mustDo(t, p, "hello"); got != "hello" {
			t.Errorf("do: %q", got)
		}
		if err := p.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	}
	s.log.await(t, "WARN the plugin is not started")
	if err := cmd.Process.Signal(syscall.SIGINT); err != nil {
		t.Error(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("Ctrl-C: %v", err)
	}
	if e := s.openFails(t.Context(), cfg); !errors.Is(e, host.ErrExited) || e.Stage != host.StageAttach {
		t.Errorf("afterwards: %v", e)
	}
}

// TestDebugUnderAHost has a variable that a person set for another plugin, or forgot.
func TestDebugUnderAHost(t *testing.T) {
	s := newStage(t)
	cfg := s.config("good")
	cfg.Env = append(cfg.Env, handshake.EnvDebug+"=1")
	p := s.open(cfg)
	if err := p.Close(); err != nil {
		t.Errorf("close: %v", err)
	}
}

func TestAttachFromEnv(t *testing.T) {
	s := newStage(t)
	name := filepath.Base(os.Args[0])
	running := s.open(s.config("good"))
	for what, c := range map[string]struct {
		value  string
		heeded bool
		pid    bool // of the running one
		stage  host.Stage
	}{
		"not heeded":       {handshake.FormatAttachments(map[string]handshake.Attachment{name: running.Attachment()}), false, false, ""},
		"rubbish unheeded": {"rubbish", false, false, ""},
		"another program":  {handshake.FormatAttachments(map[string]handshake.Attachment{"other": running.Attachment()}), true, false, ""},
		"empty":            {"", true, false, ""},
		"this program":     {handshake.FormatAttachments(map[string]handshake.Attachment{name: running.Attachment()}), true, true, ""},
		"rubbish":          {"rubbish", true, false, host.StageConfig},
		"not its own":      {`{"` + name + `":{}}`, true, false, host.StageConfig},
	} {
		t.Run(what, func(t *testing.T) {
			t.Setenv(handshake.EnvAttach, c.value)
			cfg := s.config("good")
			cfg.AttachFromEnv = c.heeded
			p, err := host.Open(t.Context(), cfg)
			if c.stage != "" {
				if e := hostError(t, err); e.Stage != c.stage || e.Hint == "" {
					t.Errorf("%v, hint %q", e, e.Hint)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = p.Close() }()
			if (p.PID() == running.PID()) != c.pid {
				t.Errorf("attached: %v, want %v", !c.pid, c.pid)
			}
		})
	}
}

// TestServedInATest has another process attach to a plugin that lives in this one.
func TestServedInATest(t *testing.T) {
	s := newStage(t)
	t.Run("serve", func(t *testing.T) {
		t.Setenv("TMPDIR", s.dir)
		to := plugintest.Serve(t, plugin.Config{Handshake: testHandshake(), Services: map[int][]runtime.Implementation{1: {deeds()}}})
		want := fmt.Sprintf("hello <nil> <nil> process %d <nil>", os.Getpid())
		for range 2 {
			if got := s.attachElsewhere(to, "stop"); got != want {
				t.Errorf("the other host: %s, want %s", got, want)
			}
		}
		p := s.attach(to)
		if got := mustDo(t, p, "hello"); got != "hello" {
			t.Errorf("do: %q", got)
		}
		if err := p.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
}

// BenchmarkAttach is a host that comes and goes.
func BenchmarkAttach(b *testing.B) {
	p, err := host.Open(b.Context(), benchConfig())
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = p.Close() }()
	for b.Loop() {
		a, err := host.Attach(b.Context(), p.Attachment(), host.Config{Handshake: testHandshake()})
		if err != nil {
			b.Fatal(err)
		}
		if err := a.Close(); err != nil {
			b.Fatal(err)
		}
	}
}

// TestAttachIsBounded has something on the address that does not answer.
func TestAttachIsBounded(t *testing.T) {
	s := newStage(t)
	cfg := s.config("mute")
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	failed := make(chan error, 1)
	go func() {
		_, err := host.Open(ctx, cfg)
		failed <- err
	}()
	s.log.await(t, "heard") // it waits for the answer for as long as its StartTimeout
	sockets, err := filepath.Glob(filepath.Join(s.dir, "*", "*"))
	if err != nil || len(sockets) != 1 {
		t.Fatalf("sockets %v, %v", sockets, err)
	}
	to := handshake.Attachment{Protocol: "grpc", ProtocolVersion: 1, Network: "unix", Address: sockets[0]}
	var e *host.Error
	for cfg.StartTimeout = 100 * time.Millisecond; cfg.StartTimeout < guard; cfg.StartTimeout *= 4 { // until it has come as far as that
		_, err := host.Attach(t.Context(), to, cfg)
		if e = hostError(t, err); e.Stage == host.StageVerify {
			break
		}
	}
	if e.Stage != host.StageVerify || !errors.Is(e, context.DeadlineExceeded) {
		t.Errorf("%v", e)
	}
	cancel()
	<-failed
}

// A host attaches to a plugin that another one has started. The description is JSON, and may come from a file or the environment.
func ExampleAttach() {
	ctx := context.Background()
	cfg := host.Config{Handshake: testHandshake(), Path: os.Args[0], Env: []string{faultEnv + "=" + "good"}, Logger: slog.New(slog.DiscardHandler)}
	p, err := host.Open(ctx, cfg)
	if err != nil {
		panic(err)
	}
	description := p.Attachment().String()

	to, err := handshake.ParseAttachment(description)
	if err != nil {
		panic(err)
	}
	second, err := host.Attach(ctx, to, host.Config{Handshake: testHandshake()})
	if err != nil {
		panic(err)
	}
	fmt.Println(second.Ping(ctx), second.Close())
	fmt.Println(p.Ping(ctx), p.Close()) // the second host has left the plugin alone
	// Output:
	// <nil> <nil>
	// <nil> <nil>
}
