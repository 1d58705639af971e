package interop

import (
	"context"
	"errors"
	"os/exec"
	"strings"
	"testing"

	"github.com/hashicorp/go-hclog"
	goplugin "github.com/hashicorp/go-plugin"
	grpctest "github.com/hashicorp/go-plugin/test/grpc"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/plugingen/plugingen/golden/interop/peers/goplugin/work"
	"github.com/plugingen/plugingen/runtime"
	"github.com/plugingen/plugingen/runtime/handshake"
	"github.com/plugingen/plugingen/runtime/host"
	"github.com/plugingen/plugingen/runtime/plugin"
)

// The plugins of these tests serve two versions of a contract, each with a service of its own.
const older, newer = 5, 6

// doubler is what the older version has; the newer one has pingPong.
type doubler struct {
	grpctest.UnimplementedTestServer
}

func (doubler) Double(_ context.Context, r *grpctest.TestRequest) (*grpctest.TestResponse, error) {
	return &grpctest.TestResponse{Output: 2 * r.Input}, nil
}

func registerDoubler(r grpc.ServiceRegistrar) {
	r.RegisterService(&grpctest.Test_ServiceDesc, doubler{})
}

type pingPong struct {
	grpctest.UnimplementedPingPongServer
}

func (pingPong) Ping(context.Context, *grpctest.PingRequest) (*grpctest.PongResponse, error) {
	return &grpctest.PongResponse{}, nil
}

func registerPingPong(r grpc.ServiceRegistrar) {
	r.RegisterService(&grpctest.PingPong_ServiceDesc, pingPong{})
}

// pingPlugin and doublePlugin are the two versions as go-plugin sees them. Of a host's the tests want the connection alone.
type pingPlugin struct {
	goplugin.NetRPCUnsupportedPlugin
}

func (pingPlugin) GRPCServer(_ *goplugin.GRPCBroker, s *grpc.Server) error {
	registerPingPong(s)
	return nil
}

func (pingPlugin) GRPCClient(_ context.Context, _ *goplugin.GRPCBroker, conn *grpc.ClientConn) (any, error) {
	return conn, nil
}

type doublePlugin struct{ pingPlugin }

func (doublePlugin) GRPCServer(_ *goplugin.GRPCBroker, s *grpc.Server) error {
	registerDoubler(s)
	return nil
}

// goHandshake is ourHandshake for go-plugin.
func goHandshake(version uint) goplugin.HandshakeConfig {
	return goplugin.HandshakeConfig{ProtocolVersion: version, MagicCookieKey: work.CookieKey, MagicCookieValue: work.CookieValue}
}

func serveOurVersions() int {
	return plugin.Main(plugin.Config{
		Handshake: ourHandshake(),
		Services: map[int][]runtime.Implementation{
			older: {runtime.Raw("grpctest.Test", registerDoubler)},
			newer: {runtime.Raw("grpctest.PingPong", registerPingPong)},
		},
	})
}

func serveGoVersions() {
	goplugin.Serve(&goplugin.ServeConfig{
		HandshakeConfig: goHandshake(0), VersionedPlugins: goPluginVersions(older, newer), GRPCServer: goplugin.DefaultGRPCServer,
	})
}

func goPluginVersions(versions ...int) map[int]goplugin.PluginSet {
	sets := map[int]goplugin.PluginSet{}
	for _, v := range versions {
		sets[v] = goplugin.PluginSet{"test": pingPlugin{}}
		if v == older {
			sets[v] = goplugin.PluginSet{"test": doublePlugin{}}
		}
	}
	return sets
}

// serves asserts that the plugin has the service of version v, and not the other.
func serves(t *testing.T, conn grpc.ClientConnInterface, v int) {
	t.Helper()
	_, errDouble := grpctest.NewTestClient(conn).Double(t.Context(), &grpctest.TestRequest{Input: 21})
	_, errPing := grpctest.NewPingPongClient(conn).Ping(t.Context(), &grpctest.PingRequest{})
	wantDouble, wantPing := codes.OK, codes.Unimplemented
	if v == newer {
		wantDouble, wantPing = wantPing, wantDouble
	}
	if status.Code(errDouble) != wantDouble || status.Code(errPing) != wantPing {
		t.Errorf("version %d: Double ends with %v, Ping with %v, want %v and %v", v, errDouble, errPing, wantDouble, wantPing)
	}
}

// offers are what hosts of different age take, and what they and the plugins have in common: the highest; 0 is none.
func offers() map[string]struct {
	offered []int
	common  int
} {
	return map[string]struct {
		offered []int
		common  int
	}{
		"an older host":                     {[]int{older - 1, older}, older},
		"a host of the same age":            {[]int{older, newer}, newer},
		"a newer host":                      {[]int{newer, newer + 1}, newer},
		"a newer host that knows old ones":  {[]int{older, newer + 1}, older},
		"a host that is too old":            {[]int{older - 1}, 0},
		"a host that is too new":            {[]int{newer + 1, newer + 2}, 0},
		"a host with versions on each side": {[]int{older - 1, newer + 1}, 0},
	}
}

func TestVersionsOfPluginsUnderOurHost(t *testing.T) {
	for _, mode := range []string{"versions", "go-versions"} {
		for name, tt := range offers() {
			t.Run(mode+" under "+name, func(t *testing.T) {
				tmp := tempDir(t)
				cfg := hostConfig(t, mode, tmp)
				cfg.Handshake.ProtocolVersions, cfg.Handshake.Transports = tt.offered, []string{handshake.Unix}
				p, err := host.Open(t.Context(), cfg)
				if tt.common == 0 {
					if !errors.Is(err, handshake.ErrVersion) {
						t.Errorf("open: %v, want ErrVersion", err)
					}
					checkEmpty(t, tmp)
					return
				}
				if err != nil {
					t.Fatal(err)
				}
				if p.Version() != tt.common {
					t.Errorf("version %d, want %d", p.Version(), tt.common)
				}
				serves(t, p.Conn(), tt.common)
				if err := p.Close(); err != nil {
					t.Errorf("close: %v", err)
				}
				checkEmpty(t, tmp)
			})
		}
	}
}

func TestOurVersionsUnderGoPluginHost(t *testing.T) {
	for name, tt := range offers() {
		t.Run(name, func(t *testing.T) {
			cmd := exec.Command(self(t))
			cmd.Env = pluginEnv(tempDir(t), "versions")
			client := goplugin.NewClient(&goplugin.ClientConfig{
				HandshakeConfig:  goHandshake(0),
				VersionedPlugins: goPluginVersions(tt.offered...),
				Cmd:              cmd,
				AllowedProtocols: []goplugin.Protocol{goplugin.ProtocolGRPC},
				Logger:           hclog.NewNullLogger(),
			})
			defer client.Kill()
			protocol, err := client.Client()
			if tt.common == 0 {
				if err == nil || !strings.Contains(err.Error(), "ncompatible API version") {
					t.Errorf("start: %v, want go-plugin's error on versions", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if got := client.NegotiatedVersion(); got != tt.common {
				t.Errorf("version %d, want %d", got, tt.common)
			}
			conn, err := protocol.Dispense("test")
			if err != nil {
				t.Fatal(err)
			}
			serves(t, conn.(grpc.ClientConnInterface), tt.common)
		})
	}
}
