package goplug

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"

	"github.com/hashicorp/go-hclog"
	goplugin "github.com/hashicorp/go-plugin"

	"github.com/plugingen/plugingen/golden/interop/peers/goplugin/work"
)

// host is one run of a go-plugin host.
type host struct {
	request             work.Request
	cmd                 *exec.Cmd
	stdout, stderr, log *work.Output
	synced              *work.Output // what came by stdio, of stderr
	client              *goplugin.Client
}

// Run does what request says, with a go-plugin host. The error is for what went wrong after the plugin's start.
func Run(ctx context.Context, request work.Request) (work.Report, error) {
	var r work.Report
	var right *goplugin.SecureConfig
	if request.Job == work.Checksum {
		sum, err := checksum(request.Command[0])
		if err != nil {
			return r, err
		}
		right = &goplugin.SecureConfig{Checksum: sum, Hash: sha256.New()}
		if err := refusesWrongSum(request, sum); err != nil {
			return r, err
		}
		r.Checked = "the wrong one refused"
	}
	return newHost(request, right).run(ctx, r)
}

func newHost(request work.Request, secure *goplugin.SecureConfig) *host {
	h := &host{
		request: request,
		cmd:     exec.Command(request.Command[0], request.Command[1:]...),
		stdout:  work.NewOutput(), stderr: work.NewOutput(), log: work.NewOutput(), synced: work.NewOutput(),
	}
	h.cmd.Env = append(h.cmd.Env, request.Env...)
	if request.TCP {
		h.cmd.Env = append(h.cmd.Env, "PLUGIN_TRANSPORTS=tcp")
	}
	h.client = goplugin.NewClient(h.config(secure))
	return h
}

func (h *host) config(secure *goplugin.SecureConfig) *goplugin.ClientConfig {
	sets := map[int]goplugin.PluginSet{}
	for _, v := range h.request.Versions {
		sets[v] = Set()
	}
	if len(sets) == 0 {
		sets[work.Version] = Set()
	}
	return &goplugin.ClientConfig{
		HandshakeConfig:     Handshake(),
		VersionedPlugins:    sets,
		Cmd:                 h.cmd,
		SkipHostEnv:         true,
		SecureConfig:        secure,
		AutoMTLS:            h.request.TLS,
		GRPCBrokerMultiplex: h.request.Mux,
		AllowedProtocols:    []goplugin.Protocol{goplugin.ProtocolGRPC},
		SyncStdout:          h.stdout,
		SyncStderr:          io.MultiWriter(h.synced, h.stderr),
		Stderr:              h.stderr, // what comes by the pipe: from plugins that leave their standard error alone
		Logger:              hclog.New(&hclog.LoggerOptions{JSONFormat: true, Output: h.log, Level: hclog.Trace}),
	}
}

func (h *host) run(ctx context.Context, r work.Report) (work.Report, error) {
	defer h.client.Kill()
	protocol, err := h.client.Client()
	if err != nil {
		r.Error = err.Error()
		return r, nil
	}
	r.PID, r.Version = h.cmd.Process.Pid, h.client.NegotiatedVersion()
	r.Ping = protocol.Ping() == nil
	dispensed, err := protocol.Dispense(name)
	if err != nil {
		return r, err
	}
	if err := h.session(dispensed.(connected)).Do(ctx, h.request.Job, &r); err != nil {
		return r, fmt.Errorf("%w\nlog: %s", err, h.log)
	}
	if h.request.Job == work.Reattach {
		if r.Attached, err = h.reattach(ctx); err != nil {
			return r, err
		}
	}
	h.client.Kill()
	if state := h.cmd.ProcessState; state != nil && state.Exited() {
		code := state.ExitCode()
		r.Exit = &code
	}
	return r, nil
}

func (h *host) session(c connected) *work.Session {
	s := &work.Session{
		Conn: c.conn, Stdout: h.stdout, Stderr: h.stderr, StdioStderr: h.synced,
		LogLines: h.log, MessageKey: "@message", LevelKey: "@level",
	}
	if h.request.Broker || h.request.Mux {
		s.Broker = c.broker
	}
	return s
}

// reattach connects to the running plugin anew, and stops it by that connection.
func (h *host) reattach(ctx context.Context) (int32, error) {
	second := goplugin.NewClient(&goplugin.ClientConfig{
		HandshakeConfig:  Handshake(),
		Plugins:          Set(),
		Reattach:         h.client.ReattachConfig(),
		AllowedProtocols: []goplugin.Protocol{goplugin.ProtocolGRPC},
		Logger:           hclog.New(&hclog.LoggerOptions{JSONFormat: true, Output: h.log, Level: hclog.Trace}),
	})
	defer second.Kill()
	protocol, err := second.Client()
	if err != nil {
		return 0, fmt.Errorf("reattach: %w", err)
	}
	dispensed, err := protocol.Dispense(name)
	if err != nil {
		return 0, err
	}
	return work.Double(ctx, dispensed.(connected).conn)
}

func checksum(path string) ([]byte, error) {
	program, err := os.ReadFile(path)
	sum := sha256.Sum256(program)
	return sum[:], err
}

func refusesWrongSum(request work.Request, sum []byte) error {
	wrong := append([]byte{^sum[0]}, sum[1:]...)
	h := newHost(request, &goplugin.SecureConfig{Checksum: wrong, Hash: sha256.New()})
	defer h.client.Kill()
	if _, err := h.client.Start(); !errors.Is(err, goplugin.ErrChecksumsDoNotMatch) {
		return fmt.Errorf("a wrong checksum: %w, want %w", err, goplugin.ErrChecksumsDoNotMatch)
	}
	return nil
}
