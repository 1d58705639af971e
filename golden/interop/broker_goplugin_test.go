package interop

import (
	"context"
	"os"
	"os/exec"
	"testing"

	"github.com/hashicorp/go-hclog"
	goplugin "github.com/hashicorp/go-plugin"
	grpctest "github.com/hashicorp/go-plugin/test/grpc"
	"google.golang.org/grpc"

	"github.com/plugingen/plugingen/golden/interop/peers/goplugin/goplug"
	"github.com/plugingen/plugingen/golden/interop/peers/goplugin/work"
)

// brokerEnv makes a test of this binary the peer of another: "ours" or "go-plugin".
const brokerEnv = "INTEROP_BROKER_PLUGIN"

// brokerPlugin is the command of a plugin that brokers connections.
func brokerPlugin(t *testing.T, mode, tmp string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command(self(t), "-test.run=^TestBrokerPluginProcess$")
	cmd.Env = []string{brokerEnv + "=" + mode, "TMPDIR=" + tmp}
	if mode == "go-plugin" {
		// A multiplexed plugin reads os.Stderr in one goroutine while another replaces it; that is not what is tested here.
		cmd.Env = append(cmd.Env, "GORACE=exitcode=0")
	}
	return cmd
}

// TestBrokerPluginProcess is not a test but that plugin.
func TestBrokerPluginProcess(t *testing.T) {
	switch os.Getenv(brokerEnv) {
	case "go-plugin":
		serveGoBroker()
		os.Exit(0)
	case "ours":
		os.Exit(serveOurBroker())
	default:
		t.Skip("a plugin of other tests")
	}
}

// pingPong is what brokered connections serve: it says by whom it was answered.
type pingPong struct {
	grpctest.UnimplementedPingPongServer
	name string
}

func (p pingPong) Ping(context.Context, *grpctest.PingRequest) (*grpctest.PongResponse, error) {
	return &grpctest.PongResponse{Msg: p.name}, nil
}

func registerPingPong(r grpc.ServiceRegistrar, name string) {
	r.RegisterService(&grpctest.PingPong_ServiceDesc, pingPong{name: name})
}

func ping(ctx context.Context, conn grpc.ClientConnInterface) (string, error) {
	pong, err := grpctest.NewPingPongClient(conn).Ping(ctx, &grpctest.PingRequest{})
	return pong.GetMsg(), err
}

// goBrokerPlugin is a plugin, or a host's view of one, with go-plugin's broker.
type goBrokerPlugin struct {
	goplugin.NetRPCUnsupportedPlugin
}

// goBrokerClient is what a go-plugin host works with.
type goBrokerClient struct {
	broker *goplugin.GRPCBroker
	test   grpctest.TestClient
}

func (goBrokerPlugin) GRPCServer(b *goplugin.GRPCBroker, s *grpc.Server) error {
	s.RegisterService(&grpctest.Test_ServiceDesc, goBrokerService{broker: b})
	return nil
}

func (goBrokerPlugin) GRPCClient(_ context.Context, b *goplugin.GRPCBroker, conn *grpc.ClientConn) (any, error) {
	return goBrokerClient{b, grpctest.NewTestClient(conn)}, nil
}

type goBrokerService struct {
	grpctest.UnimplementedTestServer
	broker *goplugin.GRPCBroker
}

// Bidirectional calls the host back, and lets it call back in turn.
func (s goBrokerService) Bidirectional(ctx context.Context, r *grpctest.BidirectionalRequest) (*grpctest.BidirectionalResponse, error) {
	conn, err := s.broker.Dial(r.Id)
	if err != nil {
		return nil, err
	}
	defer func() { _ = conn.Close() }()
	if got, err := ping(ctx, conn); err != nil || got != "host" {
		return nil, wrong(got, err)
	}
	id := s.broker.NextId()
	go goServe(s.broker, id, "plugin")
	return &grpctest.BidirectionalResponse{Id: id}, nil
}

func goServe(b *goplugin.GRPCBroker, id uint32, name string) {
	b.AcceptAndServe(id, func(options []grpc.ServerOption) *grpc.Server {
		s := grpc.NewServer(options...)
		registerPingPong(s, name)
		return s
	})
}

func serveGoBroker() {
	goplugin.Serve(&goplugin.ServeConfig{
		HandshakeConfig: goplug.Handshake(),
		Plugins:         goplugin.PluginSet{"test": goBrokerPlugin{}},
		GRPCServer:      goplugin.DefaultGRPCServer,
	})
}

func goBrokerHost(cmd *exec.Cmd, v brokerVariant, log *work.Output) *goplugin.Client {
	return goplugin.NewClient(&goplugin.ClientConfig{
		HandshakeConfig:     goplug.Handshake(),
		Plugins:             goplugin.PluginSet{"test": goBrokerPlugin{}},
		Cmd:                 cmd,
		SkipHostEnv:         true,
		AllowedProtocols:    []goplugin.Protocol{goplugin.ProtocolGRPC},
		GRPCBrokerMultiplex: v.mux,
		AutoMTLS:            v.tls,
		Logger:              hclog.New(&hclog.LoggerOptions{Output: log, Level: hclog.Trace}),
	})
}
