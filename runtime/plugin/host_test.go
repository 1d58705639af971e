package plugin_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/plugingen/plugingen/runtime/broker"
	"github.com/plugingen/plugingen/runtime/handshake"
	"github.com/plugingen/plugingen/runtime/transport"
)

// hangGuard ends a test that hangs; nothing is measured against it.
const hangGuard = time.Minute

// child is a process of this test binary, driven by hand: what a host does, without package host.
type child struct {
	t      *testing.T
	cmd    *exec.Cmd
	pipe   *os.File // our end of its standard output
	stdout *bufio.Reader
	stderr *lockedBuffer
	ended  chan struct{}
	resp   handshake.Response
	lane   net.Conn // our end of the socket that the plugin was offered; nil without
}

// hostEnv is what a host says, as go-plugin's does.
func hostEnv() []string {
	return []string{cookieKey + "=" + cookieValue, "PLUGIN_PROTOCOL_VERSIONS=1", "PLUGIN_MIN_PORT=10000", "PLUGIN_MAX_PORT=25000"}
}

// start starts the test binary in mode, with nothing but env in its environment.
func start(t *testing.T, mode string, env ...string) *child {
	t.Helper()
	return startCommand(t, exec.Command(self(t)), mode, env...)
}

func self(t *testing.T) string {
	t.Helper()
	path, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

func startCommand(t *testing.T, cmd *exec.Cmd, mode string, env ...string) *child {
	t.Helper()
	return startCommandTo(t, cmd, nil, mode, env...)
}

// startCommandTo starts cmd with stderr as its standard error; nil means that the child collects it.
func startCommandTo(t *testing.T, cmd *exec.Cmd, stderr *os.File, mode string, env ...string) *child {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	c := &child{t: t, cmd: cmd, pipe: r, stdout: bufio.NewReader(r), stderr: newLockedBuffer(), ended: make(chan struct{})}
	// The race detector would make every process sleep for a second before it exits.
	cmd.Env = append([]string{modeEnv + "=" + mode, "GORACE=atexit_sleep_ms=0", "PATH=" + os.Getenv("PATH"), "TMPDIR=" + t.TempDir()}, env...)
	cmd.Stdout, cmd.Stderr = w, c.stderr
	if stderr != nil {
		cmd.Stderr = stderr
	}
	cmd.WaitDelay = hangGuard
	err = cmd.Start()
	_ = w.Close()
	if err != nil {
		t.Fatal(err)
	}
	go func() { _ = cmd.Wait(); close(c.ended) }()
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = r.Close()
		<-c.ended
	})
	return c
}

// open starts a plugin, shakes hands and connects.
func open(t *testing.T, mode string, env ...string) (*child, *grpc.ClientConn) {
	t.Helper()
	if isOnLane(t) {
		return openOnLane(t, mode, append(hostEnv(), env...)...)
	}
	c := start(t, mode, append(hostEnv(), env...)...)
	c.handshake()
	if isInTunnel(t) {
		return c, tunnelled(t, c.dial())
	}
	return c, c.dial()
}

// handshake reads the line, which must be the very first bytes.
func (c *child) handshake() string {
	c.t.Helper()
	_ = c.pipe.SetReadDeadline(time.Now().Add(hangGuard))
	line, err := c.stdout.ReadString('\n')
	if err != nil {
		c.t.Fatalf("no handshake line: %v, got %q\nstderr:\n%s", err, line, c.stderr)
	}
	parse := handshake.ParseStrict
	if strings.Count(line, "|") == 6 { // multiplexed
		parse = handshake.Parse
	}
	if c.resp, err = parse(line); err != nil {
		c.t.Fatalf("%v\nstderr:\n%s", err, c.stderr)
	}
	return line
}

// dialer is how to make the main connection, and what carries it; nil when it is a socket of its own.
func (c *child) dialer() (func(context.Context) (net.Conn, error), broker.Mux) {
	raw := func(ctx context.Context) (net.Conn, error) {
		return transport.Dial(ctx, c.resp.Network, c.resp.Address)
	}
	if !c.resp.Multiplex {
		return raw, nil
	}
	mux := broker.NewMuxDialer(raw, slog.New(slog.DiscardHandler))
	c.t.Cleanup(func() { _ = mux.Close() })
	return mux.Dial, mux
}

func (c *child) dial() *grpc.ClientConn {
	c.t.Helper()
	dial, _ := c.dialer()
	cc, err := grpc.NewClient("passthrough:///plugin",
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return dial(ctx) }),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(1<<30), grpc.MaxCallSendMsgSize(1<<30)),
	)
	if err != nil {
		c.t.Fatal(err)
	}
	c.t.Cleanup(func() { _ = cc.Close() })
	return cc
}

// wait returns the exit code.
func (c *child) wait() int {
	c.t.Helper()
	select {
	case <-c.ended:
		return c.cmd.ProcessState.ExitCode()
	case <-time.After(hangGuard):
		c.t.Fatalf("the plugin has not ended\nstderr:\n%s", c.stderr)
		return 0
	}
}

// rest is what else comes on standard output.
func (c *child) rest() string {
	c.t.Helper()
	_ = c.pipe.SetReadDeadline(time.Now().Add(hangGuard))
	rest, err := io.ReadAll(c.stdout)
	if err != nil {
		c.t.Fatal(err)
	}
	return string(rest)
}

// guarded is a context that ends a hanging test.
func guarded(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), hangGuard)
	t.Cleanup(cancel)
	return ctx
}

func do(t *testing.T, cc grpc.ClientConnInterface, what string) string {
	t.Helper()
	out, err := try(guarded(t), cc, what)
	if err != nil {
		t.Fatalf("%.80s: %v", what, err)
	}
	return out
}

func try(ctx context.Context, cc grpc.ClientConnInterface, what string) (string, error) {
	out := &wrapperspb.StringValue{}
	err := cc.Invoke(ctx, "/test.Echo/Do", wrapperspb.String(what), out)
	return out.GetValue(), err
}

// lockedBuffer collects what a process writes; tests can wait for a piece of it.
type lockedBuffer struct {
	mu   sync.Mutex
	buf  bytes.Buffer
	more chan struct{}
}

func newLockedBuffer() *lockedBuffer { return &lockedBuffer{more: make(chan struct{})} }

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	close(b.more)
	b.more = make(chan struct{})
	return b.buf.Write(p)
}

func (b *lockedBuffer) String() string {
	s, _ := b.look()
	return s
}

func (b *lockedBuffer) look() (string, <-chan struct{}) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String(), b.more
}

// await waits until text has been written.
func (b *lockedBuffer) await(t *testing.T, text string) {
	t.Helper()
	guard := time.After(hangGuard)
	for {
		got, more := b.look()
		if strings.Contains(got, text) {
			return
		}
		select {
		case <-more:
		case <-guard:
			t.Fatalf("%q has not come; got:\n%s", text, got)
		}
	}
}

// hostMain is a host process: it starts the plugin "plain", tells its process id, starts a call when told to, and waits to be killed.
func hostMain() int {
	err := playHost(os.Getenv("HOST_CALLS"))
	fmt.Fprintln(os.Stderr, "host:", err)
	return 1
}

func playHost(call string) error {
	path, err := os.Executable()
	if err != nil {
		return err
	}
	cmd := exec.Command(path)
	cmd.Env = append(hostEnv(), modeEnv+"=plain", "TMPDIR="+os.Getenv("TMPDIR"), "GORACE="+os.Getenv("GORACE"))
	cmd.Stderr = os.Stderr
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	resp, err := handshake.Read(bufio.NewReader(stdout), nil)
	if err != nil {
		return err
	}
	fmt.Println(cmd.Process.Pid, resp.Address)
	if call != "" {
		cc, err := grpc.NewClient("unix:"+resp.Address, grpc.WithTransportCredentials(insecure.NewCredentials()))
		if err != nil {
			return err
		}
		_, err = try(context.Background(), cc, call)
		return err
	}
	if err := cmd.Wait(); err != nil {
		return err
	}
	return errors.New("the plugin ended before the host")
}

func selfCommand(t *testing.T) *exec.Cmd {
	t.Helper()
	return exec.Command(self(t))
}
