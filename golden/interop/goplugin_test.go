package interop

import (
	"context"
	"io"
	"os"
	"os/exec"

	"github.com/hashicorp/go-hclog"
	goplugin "github.com/hashicorp/go-plugin"
	grpctest "github.com/hashicorp/go-plugin/test/grpc"
	"google.golang.org/grpc"
)

// What both sides of every pair agree on.
const (
	cookieKey   = "INTEROP_MAGIC_COOKIE"
	cookieValue = "8f0a2d1c"
	version     = 3
)

func goHandshake(version uint) goplugin.HandshakeConfig {
	return goplugin.HandshakeConfig{ProtocolVersion: version, MagicCookieKey: cookieKey, MagicCookieValue: cookieValue}
}

// goPlugin is the test service as go-plugin sees it, for its hosts and its plugins.
type goPlugin struct {
	goplugin.NetRPCUnsupportedPlugin
}

func (goPlugin) GRPCServer(_ *goplugin.GRPCBroker, s *grpc.Server) error {
	registerTest(s, testService{
		stdout: func() io.Writer { return os.Stdout },
		stderr: func() io.Writer { return os.Stderr },
	})
	return nil
}

func (goPlugin) GRPCClient(_ context.Context, _ *goplugin.GRPCBroker, conn *grpc.ClientConn) (any, error) {
	return grpctest.NewTestClient(conn), nil
}

// serveGoPlugin is the main of a plugin made with go-plugin.
func serveGoPlugin() int {
	goplugin.Serve(&goplugin.ServeConfig{
		HandshakeConfig: goHandshake(version),
		Plugins:         goplugin.PluginSet{"test": goPlugin{}},
		GRPCServer:      goplugin.DefaultGRPCServer,
	})
	return 0
}

// goHost returns go-plugin's host, of the given protocol version, for the plugin that cmd runs.
func goHost(version uint, cmd *exec.Cmd, autoMTLS bool, stdout, stderr, log io.Writer) *goplugin.Client {
	return goplugin.NewClient(&goplugin.ClientConfig{
		HandshakeConfig:  goHandshake(version),
		Plugins:          goplugin.PluginSet{"test": goPlugin{}},
		Cmd:              cmd,
		AutoMTLS:         autoMTLS,
		AllowedProtocols: []goplugin.Protocol{goplugin.ProtocolGRPC},
		SyncStdout:       stdout,
		SyncStderr:       stderr,
		Logger:           hclog.New(&hclog.LoggerOptions{Output: log, Level: hclog.Trace}),
	})
}
