package interop

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	grpctest "github.com/hashicorp/go-plugin/test/grpc"

	"github.com/plugingen/plugingen/runtime/handshake"
	"github.com/plugingen/plugingen/runtime/host"
)

// foreign is a plugin and a host in another language: see folder peers.
type foreign struct {
	interpreter  string
	plugin, host string // scripts
	stdio        bool   // the plugin has plugin.GRPCStdio
}

// link is one way for a host and a plugin to be connected.
type link struct {
	name      string
	transport string
	tls       host.TLSMode
	flags     []string // of the peers' hosts
}

func links() []link {
	return []link{
		{"unix", handshake.Unix, host.TLSOff, nil},
		{"tcp", handshake.TCP, host.TLSOff, []string{"--tcp"}},
		{"unix with TLS", handshake.Unix, host.TLSMutual, []string{"--tls"}},
		{"tcp with TLS", handshake.TCP, host.TLSMutual, []string{"--tcp", "--tls"}},
	}
}

// stopTimeout is so long that SIGTERM, which the host sends when three quarters are over, cannot pass for Shutdown.
const stopTimeout = time.Minute

// peerEnv is what the tests need to set for the peers' interpreters.
func peerEnv() []string { return []string{"PYTHONDONTWRITEBYTECODE=1", "GRPC_VERBOSITY=ERROR"} }

// testPeerPlugin runs the peer's plugin under our host, in every way that they can be connected.
func testPeerPlugin(t *testing.T, p foreign) {
	for _, l := range links() {
		t.Run(l.name, func(t *testing.T) { peerPlugin(t, p, l) })
	}
	t.Run("no version in common", func(t *testing.T) {
		tmp := shortTemp(t)
		cfg := p.hostConfig(newOutput())
		cfg.Handshake.ProtocolVersions = []int{version + 1}
		if _, err := host.Open(t.Context(), cfg); !errors.Is(err, handshake.ErrVersion) {
			t.Errorf("open: %v, want ErrVersion", err)
		}
		checkEmpty(t, tmp)
	})
}

func peerPlugin(t *testing.T, p foreign, l link) {
	tmp := shortTemp(t)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	stdout, log := newOutput(), newOutput()
	cfg := p.hostConfig(log)
	cfg.Stdout, cfg.TLS = stdout, l.tls
	cfg.Handshake.Transports = []string{l.transport}
	opened, err := host.Open(ctx, cfg)
	if err != nil {
		t.Fatalf("open: %v\nlog: %s", err, log)
	}
	t.Cleanup(func() { _ = opened.Close() })

	if got := opened.Version(); got != version {
		t.Errorf("version %d, want %d", got, version)
	}
	if err := opened.Ping(ctx); err != nil {
		t.Errorf("ping: %v", err)
	}
	client := grpctest.NewTestClient(opened.Conn())
	exercise(t, client)
	p.prints(ctx, t, client, stdout, log)

	pid, asked := opened.PID(), time.Now()
	if err := opened.Close(); err != nil {
		t.Errorf("close: %v\nlog: %s", err, log)
	}
	if time.Since(asked) > stopTimeout/2 || strings.Contains(log.String(), "does not take Shutdown") {
		t.Errorf("the plugin did not end by Shutdown; log: %s", log)
	}
	if !gone(pid) {
		t.Errorf("process %d is still there after Close", pid)
	}
	checkEmpty(t, tmp)
}

// prints checks where the plugin's prints arrive: on the host's writer if it has GRPCStdio, else in the log, as stderr does.
func (p foreign) prints(ctx context.Context, t *testing.T, client grpctest.TestClient, stdout, log *output) {
	t.Helper()
	request := &grpctest.PrintStdioRequest{Stdout: []byte("to stdout\n"), Stderr: []byte("to stderr\n")}
	if _, err := client.PrintStdio(ctx, request); err != nil {
		t.Fatalf("PrintStdio: %v", err)
	}
	if p.stdio {
		stdout.waitFor(t, "to stdout\n")
	} else {
		log.waitFor(t, "to stdout")
	}
	log.waitFor(t, "to stderr")
}

// hostConfig starts the peer's plugin.
func (p foreign) hostConfig(log *output) host.Config {
	return host.Config{
		Handshake:   ourHandshake(),
		Path:        p.interpreter,
		Args:        []string{p.plugin},
		Env:         peerEnv(),
		StopTimeout: stopTimeout,
		Logger:      slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	}
}

// hostReport is what the peers' hosts print when all went well.
type hostReport struct {
	PID     int     `json:"pid"`
	Version int     `json:"version"`
	Ping    int     `json:"ping"` // 1 is SERVING
	Double  int32   `json:"double"`
	Stream  []int32 `json:"stream"`
	Stdout  string  `json:"stdout"`
	Exit    *int    `json:"exit"` // nil when it had to be killed
}

// testPeerHost has the peer's host start our plugin, in every way that they can be connected.
func testPeerHost(t *testing.T, p foreign) {
	for _, l := range links() {
		t.Run(l.name, func(t *testing.T) { peerHost(t, p, l) })
	}
}

func peerHost(t *testing.T, p foreign, l link) {
	tmp := shortTemp(t)
	got := p.runHost(t, append(l.flags, self(t)))
	if pid := got.PID; pid == 0 || !gone(pid) {
		t.Errorf("process %d is still there", pid)
	}
	code := 0
	want := hostReport{
		PID: got.PID, Version: version, Ping: 1, Double: 42,
		Stream: []int32{0, 2, 4, 6, 8, 10, 12, 14, 16, 18}, Stdout: "to stdout\n", Exit: &code,
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("the host reports %s\nwant %s", asJSON(t, got), asJSON(t, want))
	}
	checkEmpty(t, tmp)
}

func (p foreign) runHost(t *testing.T, args []string) (report hostReport) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, p.interpreter, append([]string{p.host}, args...)...)
	cmd.Env = append(os.Environ(), append(peerEnv(), modeEnv+"=ours")...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("the host: %v\nstdout: %s\nstderr: %s", err, out, &stderr)
	}
	if err := json.Unmarshal(out, &report); err != nil {
		t.Fatalf("the host printed %q: %v", out, err)
	}
	return report
}

func asJSON(t *testing.T, v any) []byte {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// script is the path of a peer's file.
func script(t *testing.T, name string) string {
	t.Helper()
	path, err := filepath.Abs(filepath.Join("peers", name))
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// interpreter returns the first of the programs that runs check, or skips the test and says what to install.
func interpreter(t *testing.T, install string, check []string, programs ...string) string {
	t.Helper()
	for _, program := range programs {
		if path, err := exec.LookPath(program); err == nil && exec.CommandContext(t.Context(), path, check...).Run() == nil {
			return path
		}
	}
	t.Skipf("needs %s", install)
	return ""
}
