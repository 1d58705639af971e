package interop

import (
	"context"
	"net"
	"os"
	"strings"
	"testing"

	hclog "github.com/hashicorp/go-hclog"
	goplugin "github.com/hashicorp/go-plugin"

	"github.com/plugingen/plugingen/golden/interop/live"
	"github.com/plugingen/plugingen/golden/interop/peers/goplugin/work"
	"github.com/plugingen/plugingen/runtime"
	"github.com/plugingen/plugingen/runtime/handshake"
	"github.com/plugingen/plugingen/runtime/host"
	"github.com/plugingen/plugingen/runtime/plugin"
	"github.com/plugingen/plugingen/runtime/plugintest"
)

func liveHandshake() handshake.Config {
	return handshake.Config{MagicCookieKey: liveCookie, MagicCookieValue: "live"}
}

// apply is a call with a call back in it.
func apply(t *testing.T, l live.Live) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), work.Patience)
	defer cancel()
	got, err := l.Apply(ctx, func(_ context.Context, text string) (string, error) { return strings.ToUpper(text), nil }, "text")
	if err != nil || !strings.Contains(got, "TEXT") {
		t.Errorf("got %q, %v", got, err)
	}
}

// Our hosts come to a plugin in go-plugin's test mode and go again, as its own do.
func TestOurHostAttachesToGoPluginTestMode(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	configs, closed := make(chan *goplugin.ReattachConfig, 1), make(chan struct{})
	serve := goLive()
	serve.Test = &goplugin.ServeTestConfig{Context: ctx, ReattachConfigCh: configs, CloseCh: closed}
	go goplugin.Serve(serve)
	defer func() { stop(); <-closed }()
	cfg := <-configs
	to := handshake.Attachment{
		Protocol: string(cfg.Protocol), ProtocolVersion: cfg.ProtocolVersion,
		Network: cfg.Addr.Network(), Address: cfg.Addr.String(), PID: cfg.Pid, Test: cfg.Test,
	}
	for i := range 2 {
		p, err := host.Attach(t.Context(), to, host.Config{Handshake: liveHandshake(), StopAttached: true})
		if err != nil {
			t.Fatal(err)
		}
		if i == 0 { // once a host has gone, a plugin of go-plugin's has no broker any more
			l, err := host.Dispense(p, live.LiveService)
			if err != nil {
				t.Fatal(err)
			}
			apply(t, l)
		}
		if err := p.Ping(t.Context()); err != nil {
			t.Errorf("ping: %v", err)
		}
		if err := p.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
		select {
		case <-closed:
			t.Fatal("the plugin has ended")
		default:
		}
	}
}

// go-plugin's hosts come to a plugin of ours that serves in a test, and go again; call backs work for each.
func TestGoPluginHostAttachesToOurs(t *testing.T) {
	to := plugintest.Serve(t, plugin.Config{
		Handshake: liveHandshake(),
		Services:  map[int][]runtime.Implementation{1: {live.LiveService.Implement(live.Impl{})}},
	})
	if to.PID != os.Getpid() || !to.Test {
		t.Errorf("description %s", to)
	}
	serve := goLive()
	for range 2 {
		client := goplugin.NewClient(&goplugin.ClientConfig{
			HandshakeConfig: serve.HandshakeConfig, Plugins: serve.Plugins, Logger: hclog.NewNullLogger(),
			AllowedProtocols: []goplugin.Protocol{goplugin.ProtocolGRPC},
			Reattach: &goplugin.ReattachConfig{
				Protocol: goplugin.Protocol(to.Protocol), ProtocolVersion: to.ProtocolVersion, Pid: to.PID, Test: to.Test,
				Addr: &net.UnixAddr{Name: to.Address, Net: to.Network},
			},
		})
		protocol, err := client.Client()
		if err != nil {
			t.Fatal(err)
		}
		if err := protocol.Ping(); err != nil {
			t.Errorf("ping: %v", err)
		}
		raw, err := protocol.Dispense("live")
		if err != nil {
			t.Fatal(err)
		}
		apply(t, raw.(live.Live))
		_ = protocol.Close() // which asks for the end, that a plugin in test mode does not heed
		client.Kill()
	}
	p, err := host.Attach(t.Context(), to, host.Config{Handshake: liveHandshake()})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = p.Close() }()
	l, err := host.Dispense(p, live.LiveService)
	if err != nil {
		t.Fatal(err)
	}
	apply(t, l)
}
