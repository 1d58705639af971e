package interop

import (
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	grpctest "github.com/hashicorp/go-plugin/test/grpc"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/peer"

	"github.com/plugingen/plugingen/runtime/handshake"
	"github.com/plugingen/plugingen/runtime/host"
)

// The same work is asked of every pair of host and plugin.
func exercise(t *testing.T, client grpctest.TestClient) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	unary(ctx, t, client)
	stream(ctx, t, client)
}

func unary(ctx context.Context, t *testing.T, client grpctest.TestClient) {
	t.Helper()
	got, err := client.Double(ctx, &grpctest.TestRequest{Input: 21})
	if err != nil {
		t.Fatalf("Double: %v", err)
	}
	if got.Output != 42 {
		t.Errorf("Double(21) = %d, want 42", got.Output)
	}
}

func stream(ctx context.Context, t *testing.T, client grpctest.TestClient) {
	t.Helper()
	s, err := client.Stream(ctx)
	if err != nil {
		t.Fatalf("Stream: %v", err)
	}
	for i := range int32(10) {
		if err := s.Send(&grpctest.TestRequest{Input: i}); err != nil {
			t.Fatalf("send %d: %v", i, err)
		}
		got, err := s.Recv()
		if err != nil {
			t.Fatalf("receive %d: %v", i, err)
		}
		if got.Output != 2*i {
			t.Errorf("answer to %d = %d, want %d", i, got.Output, 2*i)
		}
	}
	if err := s.CloseSend(); err != nil {
		t.Fatalf("close the stream: %v", err)
	}
	if _, err := s.Recv(); err != io.EOF {
		t.Errorf("after the end: %v, want EOF", err)
	}
}

// way is how a host and its plugin are connected.
type way struct {
	network string
	tls     bool
}

func (w way) String() string {
	if w.tls {
		return w.network + " with TLS"
	}
	return w.network + " plain"
}

// along runs test once for each way. Plugins made with go-plugin know tcp on Windows alone.
func along(t *testing.T, networks []string, test func(*testing.T, way)) {
	t.Helper()
	for _, network := range networks {
		for _, tls := range []bool{false, true} {
			w := way{network, tls}
			t.Run(w.String(), func(t *testing.T) { test(t, w) })
		}
	}
}

func TestOurPluginUnderGoPluginHost(t *testing.T) {
	along(t, []string{handshake.Unix, handshake.TCP}, ourPluginUnderGoPluginHost)
}

func ourPluginUnderGoPluginHost(t *testing.T, w way) {
	tmp := shortTemp(t)
	cmd := ourPlugin(t, tmp)
	cmd.Env = append(cmd.Env, handshake.EnvTransports+"="+w.network)
	stdout, log := newOutput(), newOutput()
	client := goHost(version, cmd, w.tls, stdout, io.Discard, log)
	defer client.Kill()

	protocol, err := client.Client()
	if err != nil {
		t.Fatalf("start: %v\nlog: %s", err, log)
	}
	if got := client.NegotiatedVersion(); got != version {
		t.Errorf("negotiated version %d, want %d", got, version)
	}
	if got := client.ReattachConfig().Addr.Network(); got != w.network {
		t.Errorf("connected by %s, want %s", got, w.network)
	}
	if err := protocol.Ping(); err != nil {
		t.Errorf("ping: %v", err)
	}
	dispensed, err := protocol.Dispense("test")
	if err != nil {
		t.Fatalf("dispense: %v", err)
	}
	test := dispensed.(grpctest.TestClient)
	exercise(t, test)
	printed(t, test, stdout)

	client.Kill()
	checkStopped(t, cmd, tmp)
}

// printed has the plugin print a line on stdout and waits for it to arrive.
func printed(t *testing.T, client grpctest.TestClient, stdout *output) {
	t.Helper()
	if _, err := client.PrintStdio(t.Context(), &grpctest.PrintStdioRequest{Stdout: []byte("to stdout\n")}); err != nil {
		t.Fatalf("PrintStdio: %v", err)
	}
	stdout.waitFor(t, "to stdout\n")
}

// ourPlugin is the command of our plugin, for a host that is not ours.
func ourPlugin(t *testing.T, tmp string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command(self(t))
	cmd.Env = []string{modeEnv + "=ours", "TMPDIR=" + tmp}
	return cmd
}

// checkEmpty asserts that no socket, folder or file is left in dir.
func checkEmpty(t *testing.T, dir string) {
	t.Helper()
	left, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	if len(left) > 0 {
		t.Errorf("left in the temporary folder: %v", left)
	}
}

// checkStopped asserts an orderly end: exit code 0, not a signal, and no socket left.
func checkStopped(t *testing.T, cmd *exec.Cmd, tmp string) {
	t.Helper()
	if state := cmd.ProcessState; state == nil || !state.Exited() || state.ExitCode() != 0 {
		t.Errorf("the plugin ended with %v, want exit status 0", state)
	}
	checkEmpty(t, tmp)
}

func TestGoPluginPluginUnderOurHost(t *testing.T) {
	along(t, []string{handshake.Unix}, goPluginPluginUnderOurHost)
}

func goPluginPluginUnderOurHost(t *testing.T, w way) {
	tmp := shortTemp(t)
	stdout, stderr, log := newOutput(), newOutput(), newOutput()
	p := openOurs(t, "go-plugin", w, stdout, stderr, log)
	if got := p.Version(); got != version {
		t.Errorf("version %d, want %d", got, version)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if err := p.Ping(ctx); err != nil {
		t.Errorf("ping: %v", err)
	}
	client := grpctest.NewTestClient(p.Conn())
	exercise(t, client)
	connectedBy(t, client, w)
	printed(t, client, stdout)
	if _, err := client.PrintStdio(ctx, &grpctest.PrintStdioRequest{Stderr: []byte("to stderr\n")}); err != nil {
		t.Fatalf("PrintStdio: %v", err)
	}
	stderr.waitFor(t, "to stderr\n")

	pid := p.PID()
	if err := p.Close(); err != nil {
		t.Errorf("close: %v", err)
	}
	if !gone(pid) {
		t.Errorf("process %d is still there after Close", pid)
	}
	checkEmpty(t, tmp)
}

// connectedBy asserts that a call goes by the way that it should.
func connectedBy(t *testing.T, client grpctest.TestClient, want way) {
	t.Helper()
	var at peer.Peer
	if _, err := client.Double(t.Context(), &grpctest.TestRequest{}, grpc.Peer(&at)); err != nil {
		t.Fatalf("Double: %v", err)
	}
	_, isTLS := at.AuthInfo.(credentials.TLSInfo)
	if got := (way{at.Addr.Network(), isTLS}); got != want {
		t.Errorf("connected by %v, want %v", got, want)
	}
}

func TestOurPluginUnderOurHost(t *testing.T) {
	along(t, []string{handshake.Unix, handshake.TCP}, ourPluginUnderOurHost)
}

func ourPluginUnderOurHost(t *testing.T, w way) {
	tmp := shortTemp(t)
	stdout := newOutput()
	p := openOurs(t, "ours", w, stdout, io.Discard, newOutput())
	client := grpctest.NewTestClient(p.Conn())
	exercise(t, client)
	connectedBy(t, client, w)
	printed(t, client, stdout)
	if err := p.Close(); err != nil {
		t.Errorf("close: %v", err)
	}
	checkEmpty(t, tmp)
}

// A host that speaks another version says so, and nothing is left running.
func TestNoVersionInCommon(t *testing.T) {
	t.Run("our plugin under go-plugin's host", func(t *testing.T) {
		tmp := shortTemp(t)
		cmd := ourPlugin(t, tmp)
		client := goHost(version+1, cmd, false, io.Discard, io.Discard, newOutput())
		defer client.Kill()
		if _, err := client.Client(); err == nil || !strings.Contains(err.Error(), "incompatible API version") {
			t.Errorf("start: %v, want go-plugin's error on versions", err)
		}
		client.Kill()

		// That host kills what it does not like, so the socket stays; the next plugin clears it away.
		next := goHost(version, ourPlugin(t, tmp), false, io.Discard, io.Discard, newOutput())
		if _, err := next.Client(); err != nil {
			t.Fatalf("start the next plugin: %v", err)
		}
		next.Kill()
		checkEmpty(t, tmp)
	})
	t.Run("go-plugin's plugin under our host", func(t *testing.T) {
		tmp := shortTemp(t)
		cfg := hostConfig(t, "go-plugin", newOutput())
		cfg.Handshake.ProtocolVersions = []int{1, 2}
		_, err := host.Open(t.Context(), cfg)
		if !errors.Is(err, handshake.ErrVersion) {
			t.Errorf("open: %v, want ErrVersion", err)
		}
		checkEmpty(t, tmp)
	})
}
