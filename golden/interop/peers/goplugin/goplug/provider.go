package goplug

import (
	"context"
	"fmt"
	"os/exec"

	"github.com/hashicorp/go-hclog"
	goplugin "github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"

	"github.com/plugingen/plugingen/golden/interop/peers/goplugin/provider"
	"github.com/plugingen/plugingen/golden/interop/peers/goplugin/work"
)

// providerPlugin is a host's view of a provider.
type providerPlugin struct {
	goplugin.NetRPCUnsupportedPlugin
}

// GRPCServer is goplugin.GRPCPlugin's.
func (providerPlugin) GRPCServer(*goplugin.GRPCBroker, *grpc.Server) error {
	return fmt.Errorf("this is a host")
}

// GRPCClient is goplugin.GRPCPlugin's.
func (providerPlugin) GRPCClient(_ context.Context, _ *goplugin.GRPCBroker, conn *grpc.ClientConn) (any, error) {
	return conn, nil
}

// RunProvider uses a provider as infrastructure tools do: with automatic TLS, and all protocol versions that the request offers.
func RunProvider(ctx context.Context, request work.Request) (r provider.Report, err error) {
	cmd := exec.Command(request.Command[0], request.Command[1:]...)
	cmd.Env = append(cmd.Env, request.Env...)
	stdout, log := work.NewOutput(), work.NewOutput()
	sets := map[int]goplugin.PluginSet{}
	for _, v := range request.Versions {
		sets[v] = goplugin.PluginSet{"provider": providerPlugin{}}
	}
	client := goplugin.NewClient(&goplugin.ClientConfig{
		HandshakeConfig:  goplugin.HandshakeConfig{ProtocolVersion: 4, MagicCookieKey: provider.CookieKey, MagicCookieValue: provider.CookieValue},
		VersionedPlugins: sets,
		Cmd:              cmd,
		SkipHostEnv:      true,
		AutoMTLS:         true,
		AllowedProtocols: []goplugin.Protocol{goplugin.ProtocolGRPC},
		SyncStdout:       stdout,
		SyncStderr:       log,
		Logger:           hclog.New(&hclog.LoggerOptions{Output: log, Level: hclog.Trace}),
	})
	defer client.Kill()
	if err := useProvider(ctx, client, stdout, &r); err != nil {
		return r, fmt.Errorf("%w\nlog: %s", err, log)
	}
	client.Kill()
	if state := cmd.ProcessState; state != nil && state.Exited() {
		code := state.ExitCode()
		r.Exit = &code
	}
	return r, nil
}

func useProvider(ctx context.Context, client *goplugin.Client, stdout *work.Output, r *provider.Report) error {
	protocol, err := client.Client()
	if err != nil {
		return err
	}
	if err := protocol.Ping(); err != nil {
		return err
	}
	dispensed, err := protocol.Dispense("provider")
	if err != nil {
		return err
	}
	r.Version = client.NegotiatedVersion()
	if err := provider.Services()[r.Version].Use(ctx, dispensed.(*grpc.ClientConn), r); err != nil {
		return err
	}
	if err := stdout.Wait(ctx, "configured by"); err != nil {
		return err
	}
	r.Stdout = stdout.String()
	return nil
}
