package contestant

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os/exec"
	"time"

	"github.com/hashicorp/go-hclog"
	goplugin "github.com/hashicorp/go-plugin"

	"github.com/plugingen/plugingen/bench/goplug"
	"github.com/plugingen/plugingen/bench/load"
	"github.com/plugingen/plugingen/bench/programs"
)

// goPlugin is hashicorp/go-plugin on both sides.
type goPlugin struct {
	name     string
	protocol goplugin.Protocol
	tls, mux bool
	alike    bool // built as ours is
}

// GoPlugin is go-plugin with its gRPC protocol, as its documentation recommends it: what all others are compared with.
func GoPlugin() Contestant { return goPlugin{name: ReferenceName, protocol: goplugin.ProtocolGRPC} }

// GoPluginBuiltAlike is GoPlugin with a plugin that is built as ours is, which its documentation says nothing of: what of a start is the library's.
func GoPluginBuiltAlike() Contestant {
	return goPlugin{name: "go-plugin built alike", protocol: goplugin.ProtocolGRPC, alike: true}
}

// GoPluginAutoMTLS is GoPlugin with AutoMTLS.
func GoPluginAutoMTLS() Contestant {
	return goPlugin{name: TheirTLSName, protocol: goplugin.ProtocolGRPC, tls: true}
}

// GoPluginMux is GoPlugin with the broker's connections multiplexed.
func GoPluginMux() Contestant {
	return goPlugin{name: "go-plugin mux", protocol: goplugin.ProtocolGRPC, mux: true}
}

// GoPluginNetRPC is go-plugin's older protocol.
func GoPluginNetRPC() Contestant {
	return goPlugin{name: "go-plugin net/rpc", protocol: goplugin.ProtocolNetRPC}
}

// Name is Contestant's.
func (g goPlugin) Name() string { return g.name }

// Program is Contestant's.
func (g goPlugin) Program() string { return "./plugins/goplugin" }

// Settings are for Build.
func (g goPlugin) Settings() programs.Settings {
	if g.alike {
		return programs.Generated
	}
	return programs.Plain
}

// OnlyStarts is for OnlyStarts.
func (g goPlugin) OnlyStarts() bool { return g.alike }

// Open is Contestant's.
func (g goPlugin) Open(_ context.Context, o Options) (Session, error) {
	cmd := exec.Command(o.Path)
	if g.protocol == goplugin.ProtocolNetRPC {
		cmd.Args = append(cmd.Args, goplug.NetRPC)
	}
	client := goplugin.NewClient(&goplugin.ClientConfig{
		HandshakeConfig:     goplug.Handshake(),
		Plugins:             goplug.Plugins(nil),
		Cmd:                 cmd,
		AllowedProtocols:    []goplugin.Protocol{g.protocol},
		AutoMTLS:            g.tls,
		GRPCBrokerMultiplex: g.mux,
		Logger:              hcLogger(o),
	})
	session, err := dispense(client, cmd)
	if err != nil {
		client.Kill()
		return nil, err
	}
	return session, nil
}

func dispense(client *goplugin.Client, cmd *exec.Cmd) (Session, error) {
	protocol, err := client.Client()
	if err != nil {
		return nil, err
	}
	dispensed, err := protocol.Dispense(goplug.Name)
	if err != nil {
		return nil, err
	}
	s := goPluginSession{client: client, pid: cmd.Process.Pid}
	switch d := dispensed.(type) {
	case goplug.GRPCClient:
		return &struct {
			goPluginSession
			goplug.GRPCClient
			streams
		}{s, d, streams{d.Conn}}, nil
	case load.Work:
		return &struct {
			goPluginSession
			load.Work
			noStreams
		}{goPluginSession: s, Work: d}, nil
	default:
		return nil, fmt.Errorf("go-plugin dispensed a %T", dispensed)
	}
}

func hcLogger(o Options) hclog.Logger {
	if o.Log == nil {
		return hclog.New(&hclog.LoggerOptions{Output: io.Discard, Level: hclog.Off})
	}
	level := hclog.Trace
	if o.Min > slog.LevelDebug {
		level = hclog.Error
	}
	return hclog.New(&hclog.LoggerOptions{Output: o.Log, Level: level})
}

type goPluginSession struct {
	client *goplugin.Client
	pid    int
}

// PID is Session's.
func (s goPluginSession) PID() int { return s.pid }

// Dead is Mortal's: go-plugin has to be asked.
func (s goPluginSession) Dead(ctx context.Context) error {
	tick := time.NewTicker(50 * time.Microsecond)
	defer tick.Stop()
	for !s.client.Exited() {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	return nil
}

// Close is Session's.
func (s goPluginSession) Close() error {
	s.client.Kill()
	return nil
}
