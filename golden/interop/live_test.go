package interop

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	hclog "github.com/hashicorp/go-hclog"
	goplugin "github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"

	"github.com/plugingen/plugingen/golden/interop/live"
	"github.com/plugingen/plugingen/runtime"
	"github.com/plugingen/plugingen/runtime/handshake"
	"github.com/plugingen/plugingen/runtime/host"
	"github.com/plugingen/plugingen/runtime/plugin"
)

// A contract whose values stay in their process, generated here, between the two runtimes in all four ways.

const liveCookie = "LIVE_PLUGIN"

func serveOurLive() int {
	return plugin.Main(plugin.Config{
		Handshake: handshake.Config{MagicCookieKey: liveCookie, MagicCookieValue: "live"},
		Services:  map[int][]runtime.Implementation{1: {live.LiveService.Implement(live.Impl{})}},
	})
}

func serveGoLive() { goplugin.Serve(goLive()) }

func goLive() *goplugin.ServeConfig {
	return &goplugin.ServeConfig{
		HandshakeConfig: goplugin.HandshakeConfig{ProtocolVersion: 1, MagicCookieKey: liveCookie, MagicCookieValue: "live"},
		Plugins:         goplugin.PluginSet{"live": livePlugin{}},
		GRPCServer:      goplugin.DefaultGRPCServer,
		Logger:          hclog.NewNullLogger(),
	}
}

// livePlugin is the contract as go-plugin takes it.
type livePlugin struct {
	goplugin.NetRPCUnsupportedPlugin
}

func (livePlugin) GRPCServer(_ *goplugin.GRPCBroker, s *grpc.Server) error {
	live.LiveService.Register(s, live.Impl{})
	return nil
}

func (livePlugin) GRPCClient(_ context.Context, _ *goplugin.GRPCBroker, cc *grpc.ClientConn) (any, error) {
	return live.LiveService.NewClient(cc), nil
}

// liveHost opens a plugin, and gives what it serves and how to kill it.
type liveHost func(t *testing.T, mode string) (l live.Live, kill func())

func ourLiveHost(t *testing.T, mode string) (live.Live, func()) {
	return liveIn(t, mode, host.TLSAuto)
}

func ourLiveHostInTLS(t *testing.T, mode string) (live.Live, func()) {
	return liveIn(t, mode, host.TLSMutual)
}

func liveIn(t *testing.T, mode string, protection host.TLSMode) (live.Live, func()) {
	p, err := host.Open(t.Context(), host.Config{
		Handshake: handshake.Config{MagicCookieKey: liveCookie, MagicCookieValue: "live"},
		Path:      self(t), Env: []string{modeEnv + "=" + mode}, TLS: protection,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Close() })
	l, err := host.Dispense(p, live.LiveService)
	if err != nil {
		t.Fatal(err)
	}
	return l, func() { killProcess(t, p.PID()) }
}

func goLiveHost(t *testing.T, mode string) (live.Live, func()) {
	cmd := exec.Command(self(t))
	cmd.Env = append(os.Environ(), modeEnv+"="+mode)
	serve := goLive()
	c := goplugin.NewClient(&goplugin.ClientConfig{
		HandshakeConfig: serve.HandshakeConfig, Plugins: serve.Plugins, Cmd: cmd, Logger: hclog.NewNullLogger(),
		AllowedProtocols: []goplugin.Protocol{goplugin.ProtocolGRPC}, AutoMTLS: true,
	})
	t.Cleanup(c.Kill)
	protocol, err := c.Client()
	if err != nil {
		t.Fatal(err)
	}
	l, err := protocol.Dispense("live")
	if err != nil {
		t.Fatal(err)
	}
	return l.(live.Live), func() { killProcess(t, cmd.Process.Pid) }
}

func killProcess(t *testing.T, pid int) {
	p, err := os.FindProcess(pid)
	if err == nil {
		err = p.Kill()
	}
	if err != nil {
		t.Error(err)
	}
}

func TestLiveValues(t *testing.T) {
	for hostName, open := range map[string]liveHost{"our host": ourLiveHost, "our host with TLS": ourLiveHostInTLS, "go-plugin's host": goLiveHost} {
		for pluginName, mode := range map[string]string{"our plugin": "live", "go-plugin's plugin": "go-live"} {
			t.Run(hostName+", "+pluginName, func(t *testing.T) {
				shortTemp(t)
				l, kill := open(t, mode)
				callbacks(t, l)
				results(t, l)
				streams(t, l)
				death(t, l, kill)
			})
		}
	}
}

type observer struct {
	step func(ctx context.Context, n int) (int, error)
}

func (o *observer) Step(ctx context.Context, n int) (int, error) { return o.step(ctx, n) }

func callbacks(t *testing.T, l live.Live) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	sum, err := l.Watch(ctx, 10, &observer{func(_ context.Context, n int) (int, error) { return 2 * n, nil }})
	if sum != 90 || err != nil {
		t.Errorf("got %d, %v", sum, err)
	}
	sum, err = l.Watch(ctx, 10, &observer{func(ctx context.Context, n int) (int, error) {
		if n == 3 {
			return 0, fmt.Errorf("at three: %w", live.ErrStop)
		}
		return l.Watch(ctx, n, &observer{func(context.Context, int) (int, error) { return 1, nil }}) // nested
	}})
	if sum != 3 || !errors.Is(err, live.ErrStop) || err.Error() != "step 3: at three: stop" {
		t.Errorf("got %d, %v", sum, err)
	}
	text, err := l.Apply(ctx, func(_ context.Context, text string) (string, error) { return text + "!", nil }, "a")
	if text != "a!" || err != nil {
		t.Errorf("got %q, %v", text, err)
	}
}

func results(t *testing.T, l live.Live) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	c, err := l.Count(ctx, 5)
	if err != nil {
		t.Fatal(err)
	}
	for want := 6; want < 10; want++ {
		if n, err := c.Next(ctx); n != want || err != nil {
			t.Errorf("got %d, %v", n, err)
		}
	}
	if err := c.Close(); err != nil {
		t.Error(err)
	}
	if _, err := c.Next(ctx); err == nil {
		t.Error("a closed result was called")
	}
}

func streams(t *testing.T, l live.Live) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	text := strings.Repeat("some text ", 200_000)
	r, err := l.Upper(ctx, strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	data, err := io.ReadAll(r)
	if err != nil || !bytes.Equal(data, []byte(strings.ToUpper(text))) {
		t.Errorf("got %d bytes, %v", len(data), err)
	}
	if err := r.Close(); err != nil {
		t.Error(err)
	}
	in := make(chan int)
	go func() {
		defer close(in)
		for i := range 500 {
			in <- i
		}
	}()
	out, err := l.Squares(ctx, in)
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for square := range out {
		if square != n*n {
			t.Fatalf("got %d, want %d", square, n*n)
		}
		n++
	}
	if n != 500 {
		t.Errorf("%d squares", n)
	}
}

// death kills the plugin in the middle of a callback.
func death(t *testing.T, l live.Live, kill func()) {
	ended := make(chan error, 1)
	err := l.Hang(t.Context(), &observer{func(ctx context.Context, _ int) (int, error) {
		kill()
		<-ctx.Done()
		ended <- ctx.Err()
		return 0, ctx.Err()
	}})
	var call *runtime.CallError
	if !errors.As(err, &call) {
		t.Errorf("got %v, want a *runtime.CallError", err)
	}
	select {
	case <-ended:
	case <-time.After(time.Minute):
		t.Error("the callback was not told")
	}
}

// TestLiveIsGenerated holds what is checked in against what would be generated.
func TestLiveIsGenerated(t *testing.T) {
	command := filepath.Join(t.TempDir(), "plugingen")
	run(t, "../..", "go", "build", "-o", command, "./cmd/plugingen")
	run(t, "live", command, "generate", "--check", "-type", "Live")
}
