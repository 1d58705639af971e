package interop

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	goplugin "github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"
	grpcpeer "google.golang.org/grpc/peer"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/plugingen/plugingen/golden/interop/peers/goplugin/goplug"
	"github.com/plugingen/plugingen/golden/interop/peers/goplugin/work"
	"github.com/plugingen/plugingen/runtime"
	"github.com/plugingen/plugingen/runtime/handshake"
	"github.com/plugingen/plugingen/runtime/host"
	"github.com/plugingen/plugingen/runtime/plugin"
)

// An idle raw connection is in the way of grpc's own stop for two minutes. A go-plugin host kills after two seconds what has not
// ended; it must not have to.
func TestIdleConnectionUnderGoPluginHost(t *testing.T) {
	for name, change := range map[string]func(*goplugin.ClientConfig){
		"plain":       func(*goplugin.ClientConfig) {},
		"TLS":         func(cfg *goplugin.ClientConfig) { cfg.AutoMTLS = true },
		"multiplexed": func(cfg *goplugin.ClientConfig) { cfg.GRPCBrokerMultiplex = true },
	} {
		t.Run(name, func(t *testing.T) {
			tmp := tempDir(t)
			cmd, client := goPluginHost(t, tmp, "ours", change)
			protocol, err := client.Client()
			if err != nil {
				t.Fatal(err)
			}
			address := client.ReattachConfig().Addr
			idle(t, address.Network(), address.String())
			if err := protocol.Ping(); err != nil {
				t.Errorf("ping: %v", err)
			}
			client.Kill()
			checkStopped(t, cmd, tmp)
		})
	}
}

// Our host does not wait for a plugin that an idle connection holds up: ours ends by Shutdown all the same, go-plugin's by SIGTERM.
func TestIdleConnectionUnderOurHost(t *testing.T) {
	for mode, stop := range map[string]time.Duration{"ours": noTerm, "go-plugin": 8 * time.Second} {
		t.Run(mode, func(t *testing.T) {
			tmp := tempDir(t)
			cfg := hostConfig(t, mode, tmp)
			log := work.NewOutput()
			cfg.StopTimeout, cfg.Logger = stop, slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug}))
			ctx, cancel := context.WithTimeout(t.Context(), work.Patience)
			defer cancel()
			p, err := host.Open(ctx, cfg)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = p.Close() }()
			var at grpcpeer.Peer
			if err := p.Conn().Invoke(ctx, "/"+work.ServiceName+"/Double", &wrapperspb.Int32Value{}, &wrapperspb.Int32Value{}, grpc.Peer(&at)); err != nil {
				t.Fatal(err)
			}
			if err := p.Reachable(ctx); err != nil { // on the lane a plugin of ours listens a moment after it has answered
				t.Fatal(err)
			}
			idle(t, at.Addr.Network(), at.Addr.String())
			if err := p.Close(); err != nil {
				t.Errorf("close: %v", err)
			}
			if mode == "ours" && strings.Contains(log.String(), "SIGTERM") {
				t.Errorf("Shutdown was not enough; log: %s", log)
			}
			checkEmpty(t, tmp)
		})
	}
}

// idle makes a connection that says nothing until the test ends.
func idle(t *testing.T, network, address string) {
	t.Helper()
	conn, err := net.Dial(network, address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
}

// A plugin multiplexes when it is asked to. A go-plugin one does whatever the variable says, "false" too.
func TestMultiplexIsFalse(t *testing.T) {
	const no = handshake.EnvMultiplexGRPC + "=false"
	t.Run("our plugin's line", func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), work.Patience)
		defer cancel()
		cmd := exec.CommandContext(ctx, self(t))
		cmd.Env = append(pluginEnv(tempDir(t), "ours"), no, work.CookieKey+"="+work.CookieValue, handshake.EnvProtocolVersions+"="+strconv.Itoa(work.Version))
		if start(t, cmd).Multiplex {
			t.Error("it multiplexes")
		}
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	t.Run("our plugin under go-plugin's host", func(t *testing.T) {
		tmp := tempDir(t)
		r, err := goplug.Run(t.Context(), work.Request{Command: []string{self(t)}, Env: append(pluginEnv(tmp, "ours"), no), Broker: true, Job: work.Everything})
		if err = errors.Join(err, calledBack(cell{report: r})); err != nil {
			t.Error(err)
		}
		checkEmpty(t, tmp)
	})
	t.Run("go-plugin's plugin under our host", func(t *testing.T) {
		t.Setenv(handshake.EnvMultiplexGRPC, "false")
		tmp := tempDir(t)
		cfg := hostConfig(t, "go-plugin", tmp)
		cfg.InheritEnv = []string{"*"}
		use(t, cfg, "unix")
		checkEmpty(t, tmp)
	})
}

// serveNested is our plugin, which is itself a host of go-plugin: it starts a plugin of its own when it is told to log, with the
// environment that it finds, and prints what that answers.
func serveNested() int {
	service := work.Server{Version: work.Version, Log: func(ctx context.Context) {
		r, err := goplug.Run(ctx, work.Request{Command: []string{os.Args[0]}, Env: append(os.Environ(), modeEnv+"=go-plugin"), Job: work.Negotiate})
		_, _ = fmt.Fprintf(os.Stdout, "served %d %s %v\n", r.Served, r.Error, err)
	}}
	return plugin.Main(plugin.Config{
		Handshake: ourHandshake(work.Version),
		Services:  map[int][]runtime.Implementation{work.Version: {runtime.Raw(work.ServiceName, service.Register)}},
	})
}

// A host of go-plugin panics at a certificate that it did not ask for, and its plugin answers with one when it finds somebody
// else's in its environment. So ours takes away what its host has said, before any code of its author runs.
func TestPluginOfAPlugin(t *testing.T) {
	tmp := tempDir(t)
	cfg := hostConfig(t, "nested", tmp)
	stdout := work.NewOutput()
	cfg.TLS, cfg.Multiplex, cfg.Stdout = host.TLSMutual, true, stdout
	ctx, cancel := context.WithTimeout(t.Context(), work.Patience)
	defer cancel()
	p, err := host.Open(ctx, cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = p.Close() }()
	if err := p.Conn().Invoke(ctx, "/"+work.ServiceName+"/Log", &wrapperspb.Int32Value{}, &wrapperspb.Int32Value{}); err != nil {
		t.Fatal(err)
	}
	if err := stdout.Wait(ctx, fmt.Sprintf("served %d  <nil>\n", work.Version)); err != nil {
		t.Error(err)
	}
	if err := p.Close(); err != nil {
		t.Errorf("close: %v", err)
	}
	checkEmpty(t, tmp)
}
