//go:build unix

package host_test

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/plugingen/plugingen/runtime/handshake"
	"github.com/plugingen/plugingen/runtime/host"
	"github.com/plugingen/plugingen/runtime/internal/lane"
)

// hasPairs says whether processes inherit sockets on this system.
func hasPairs() bool {
	ours, theirs, err := lane.Pair()
	if err != nil {
		return false
	}
	_ = ours.Close()
	_ = theirs.Close()
	return true
}

// wantTier is what calls take to a plugin that speaks the lane, where no TLS is asked for.
func wantTier(cfg host.Config) host.Tier {
	switch {
	case cfg.Lane == host.LaneOff:
		return host.TierGRPC
	case cfg.Multiplex:
		return host.TierTunnel
	case cfg.TLS == host.TLSMutual || cfg.Lane == host.LaneOnSocket:
		return host.TierSocket
	case !hasPairs() || os.Getenv(tierEnv) == "tunnel":
		return host.TierTunnel
	default:
		return host.TierPair
	}
}

// tiers makes calls take each of them.
func tiers() map[string]func(*host.Config) {
	return map[string]func(*host.Config){
		"inherited socket": func(*host.Config) {},
		"own socket":       onSocket,
		"in TLS":           tlsMutual,
		"tunnel":           multiplexed,
		"gRPC":             func(c *host.Config) { c.Lane = host.LaneOff },
	}
}

func onSocket(c *host.Config) { c.Lane = host.LaneOnSocket }

func multiplexed(c *host.Config) { c.Multiplex = true }

// wrapped is a launcher that builds on the host's own.
type wrapped struct{ host.Launcher }

// hidden returns what was started as something else.
type hidden struct{ host.Launcher }

func (l hidden) Launch(ctx context.Context, what host.Launch) (host.Launched, error) {
	launched, err := l.Launcher.Launch(ctx, what)
	return struct{ host.Launched }{launched}, err
}

func TestTier(t *testing.T) {
	if !hasPairs() || os.Getenv(tierEnv) != "" {
		t.Skip("processes inherit no sockets here, or are to overlook them")
	}
	for name, c := range map[string]struct {
		plugin string
		change func(*testing.T, *host.Config)
		want   host.Tier
		why    string // in the log
	}{
		"both sides speak the lane": {want: host.TierPair},
		"switched off": {
			change: func(_ *testing.T, c *host.Config) { c.Lane = host.LaneOff }, want: host.TierGRPC, why: "Config says so",
		},
		"switched off in the environment": {
			change: func(t *testing.T, _ *host.Config) { t.Setenv(handshake.EnvLane, "0") }, want: host.TierGRPC, why: "environment variable",
		},
		"the environment of another": {
			change: func(t *testing.T, _ *host.Config) { t.Setenv(handshake.EnvLane, "1:3:4711") }, want: host.TierPair,
		},
		"the host has dial options": {
			change: func(_ *testing.T, c *host.Config) { c.DialOptions = []grpc.DialOption{grpc.WithUserAgent("x")} },
			want:   host.TierGRPC, why: "DialOptions",
		},
		"mutual TLS": {
			change: func(_ *testing.T, c *host.Config) { c.TLS = host.TLSMutual }, want: host.TierSocket, why: "TLS",
		},
		"multiplexed": {
			change: func(_ *testing.T, c *host.Config) { c.Multiplex = true }, want: host.TierTunnel, why: "multiplexed",
		},
		"mutual TLS on tcp": {change: func(_ *testing.T, c *host.Config) { all(tlsMutual, onTCP)(c) }, want: host.TierSocket},
		"mutual TLS, multiplexed": {
			change: func(_ *testing.T, c *host.Config) { c.TLS, c.Multiplex = host.TLSMutual, true }, want: host.TierTunnel,
		},
		"mutual TLS, switched off": {
			change: func(_ *testing.T, c *host.Config) { c.TLS, c.Lane = host.TLSMutual, host.LaneOff }, want: host.TierGRPC, why: "Config says so",
		},
		"no TLS on tcp": {
			change: func(_ *testing.T, c *host.Config) {
				c.TLS, c.Handshake.Transports = host.TLSOff, []string{handshake.TCP}
			},
			want: host.TierPair,
		},
		"with a checksum": {
			change: func(t *testing.T, c *host.Config) {
				sum, err := host.FileChecksum(c.Path)
				if err != nil {
					t.Fatal(err)
				}
				c.Checksum = sum
			},
			want: host.TierPair,
		},
		"a launcher that builds on ours": {
			change: func(_ *testing.T, c *host.Config) { c.Launcher = wrapped{host.ProcessLauncher{}} }, want: host.TierPair,
		},
		"a launcher that hides ours": {
			change: func(_ *testing.T, c *host.Config) { c.Launcher = hidden{host.ProcessLauncher{}} }, want: host.TierTunnel,
		},
		"the plugin has it off, mutual TLS": {
			plugin: "no-lane", change: func(_ *testing.T, c *host.Config) { c.TLS = host.TLSMutual }, want: host.TierGRPC, why: "wants TLS",
		},
		"the plugin has it off": {plugin: "no-lane", want: host.TierGRPC, why: "does not answer"},
		"the plugin has server options": {
			plugin: "server-options", want: host.TierGRPC, why: "does not answer",
		},
		"a plugin that does not know it": {plugin: "foreign", want: host.TierGRPC, why: "does not answer"},
		"a plugin that agrees and says something else": {
			plugin: "tls-agrees", change: func(_ *testing.T, c *host.Config) { c.TLS = host.TLSMutual }, want: host.TierGRPC, why: "is wrong",
		},
		"a plugin that says something else": {plugin: "babbling", want: host.TierGRPC, why: "is wrong"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStage(t)
			plugin := c.plugin
			if plugin == "" {
				plugin = "good"
			}
			cfg := s.config(plugin)
			if c.change != nil {
				c.change(t, &cfg)
			}
			p := s.open(cfg)
			if got := p.Tier(); got != c.want {
				t.Errorf("tier %d (%v), want %d", got, got, c.want)
			}
			if got := mustDo(t, p, "hello"); got != "hello" {
				t.Errorf("do: %q", got)
			}
			if err := p.Ping(t.Context()); err != nil {
				t.Errorf("ping: %v", err)
			}
			if strings.Contains(mustDo(t, p, "env"), handshake.EnvLane) && plugin == "good" {
				t.Error("the plugin's children would see the offer")
			}
			if c.why != "" {
				if line := s.log.await(t, c.why); !strings.Contains(line, "calls take a lower tier") || !strings.HasPrefix(line, slog.LevelDebug.String()) {
					t.Errorf("log: %q", line)
				}
			}
			if err := p.Close(); err != nil {
				t.Errorf("close: %v", err)
			}
		})
	}
}

// TestLaneIsNotPassedOn looks for the socket in a child of the plugin.
func TestLaneIsNotPassedOn(t *testing.T) {
	if _, err := os.Stat("/proc/self/fd"); err != nil || !hasPairs() || os.Getenv(tierEnv) == "tunnel" { // nobody closes what is overlooked
		t.Skip("the system does not tell what a process has open")
	}
	s := newStage(t)
	p := s.open(s.config("good"))
	if got := mustDo(t, p, "child-files"); strings.Contains(got, "socket:") {
		t.Errorf("a child has %s", got)
	}
}

// childFiles is what a child has open.
func childFiles() (string, error) {
	out, err := exec.Command("/bin/ls", "-l", "/proc/self/fd").CombinedOutput()
	return string(out), err
}

// authOf is how a plugin knows who calls.
func authOf(ctx context.Context) string {
	if p, ok := peer.FromContext(ctx); ok && p.AuthInfo != nil {
		return p.AuthInfo.AuthType()
	}
	return "unknown"
}

func TestInterceptors(t *testing.T) {
	for name, change := range tiers() {
		t.Run(name, func(t *testing.T) {
			s := newStage(t)
			cfg := s.config("good")
			change(&cfg)
			var calls, streams atomic.Int64
			cfg.UnaryInterceptors = []grpc.UnaryClientInterceptor{
				func(ctx context.Context, method string, req, reply any, cc *grpc.ClientConn, invoke grpc.UnaryInvoker, opts ...grpc.CallOption) error {
					if method == "/test.Deeds/Do" && cc.Target() != "" {
						calls.Add(1)
					}
					return invoke(metadata.AppendToOutgoingContext(ctx, "seen", "yes"), method, req, reply, cc, opts...)
				},
			}
			cfg.StreamInterceptors = []grpc.StreamClientInterceptor{
				func(ctx context.Context, desc *grpc.StreamDesc, cc *grpc.ClientConn, method string, open grpc.Streamer, opts ...grpc.CallOption) (grpc.ClientStream, error) {
					if method == "/test.Deeds/Watch" {
						streams.Add(1)
					}
					return open(ctx, desc, cc, method, opts...)
				},
			}
			p := s.open(cfg)
			if got := p.Tier(); got != wantTier(cfg) {
				t.Errorf("tier %v", got)
			}
			if got := mustDo(t, p, "metadata"); got != "yes" {
				t.Errorf("the plugin sees %q", got)
			}
			stream, err := p.Conn().NewStream(t.Context(), &grpc.StreamDesc{StreamName: "Watch", ServerStreams: true}, "/test.Deeds/Watch")
			if err != nil {
				t.Fatal(err)
			}
			if err := errors.Join(stream.SendMsg(wrapperspb.String("x")), stream.CloseSend(), stream.RecvMsg(&wrapperspb.StringValue{})); err != nil {
				t.Error(err)
			}
			if calls.Load() != 1 || streams.Load() != 1 {
				t.Errorf("%d calls and %d streams seen, want one of each", calls.Load(), streams.Load())
			}
		})
	}
}

// TestLargeInTunnel: large messages, and replies that are likely to be large, go by the gRPC connection that the tunnel is in.
func TestLargeInTunnel(t *testing.T) {
	if os.Getenv(tierEnv) == "grpc" {
		t.Skip("there is no tunnel")
	}
	s := newStage(t)
	c := s.config("good")
	multiplexed(&c)
	var last atomic.Pointer[grpc.ClientConn]
	c.UnaryInterceptors = []grpc.UnaryClientInterceptor{
		func(ctx context.Context, method string, req, reply any, cc *grpc.ClientConn, invoke grpc.UnaryInvoker, opts ...grpc.CallOption) error {
			last.Store(cc)
			return invoke(ctx, method, req, reply, cc, opts...)
		},
	}
	p := s.open(c)
	mustDo(t, p, "hello")
	tunnel := last.Load()
	long := strings.Repeat("x", 40<<10)
	for _, call := range []struct {
		deed   string
		tunnel bool
	}{
		{"hello", true},
		{long, false}, // and the reply is as long
		{"hello", false},
		{"hello", true},
		{"big", true},
		{"big", false},
		{"hello", false},
		{"hello", true},
	} {
		mustDo(t, p, call.deed)
		if took := last.Load() == tunnel; took != call.tunnel {
			t.Errorf("%.8s took the tunnel: %t, want %t", call.deed, took, call.tunnel)
		}
	}
}

// TestSmallMessages has a limit below what the lane itself must take.
func TestSmallMessages(t *testing.T) {
	for name, change := range tiers() {
		t.Run(name, func(t *testing.T) {
			s := newStage(t)
			cfg := s.config("good")
			change(&cfg)
			cfg.MaxMessageSize = 1000
			p := s.open(cfg)
			if _, err := do(t.Context(), p.Conn(), strings.Repeat("x", 1001)); status.Code(err) != codes.ResourceExhausted || !strings.Contains(err.Error(), "1000") {
				t.Errorf("a request: %v, want ResourceExhausted and the limit", err)
			}
			if _, err := do(t.Context(), p.Conn(), "big"); status.Code(err) != codes.ResourceExhausted {
				t.Errorf("a response: %v, want ResourceExhausted", err)
			}
			mustDo(t, p, "x")
		})
	}
}

// TestPeerInTLS: what protects the connection is what callers see, and who needs more than the lane can gets it.
func TestPeerInTLS(t *testing.T) {
	for name, more := range map[string]func(*host.Config){"on the lane": func(*host.Config) {}, "in a tunnel": multiplexed} {
		t.Run(name, func(t *testing.T) {
			s := newStage(t)
			cfg := s.config("good")
			all(tlsMutual, more)(&cfg)
			p := s.open(cfg)
			var at peer.Peer
			out := &wrapperspb.StringValue{}
			if err := p.Conn().Invoke(t.Context(), "/test.Deeds/Do", wrapperspb.String("peer"), out, grpc.Peer(&at)); err != nil {
				t.Fatal(err)
			}
			if _, isTLS := at.AuthInfo.(credentials.TLSInfo); !isTLS || at.Addr.String() != p.Attachment().Address || out.GetValue() != "tls" {
				t.Errorf("the host sees %v, the plugin %q", at, out.GetValue())
			}
			token := grpc.PerRPCCredentials(secret{}) // which the lane would refuse
			for range 2 {
				if err := p.Conn().Invoke(t.Context(), "/test.Deeds/Do", wrapperspb.String("metadata"), out, token); err != nil || out.GetValue() != "a token" {
					t.Errorf("%q, %v", out.GetValue(), err)
				}
			}
			if err := p.Close(); err != nil {
				t.Error(err)
			}
			if err := p.Conn().Invoke(context.Background(), "/test.Deeds/Do", wrapperspb.String("metadata"), out, token); !errors.Is(err, host.ErrClosed) {
				t.Errorf("after close: %v", err)
			}
		})
	}
}

// secret is shown to nobody without TLS.
type secret struct{}

func (secret) GetRequestMetadata(ctx context.Context, _ ...string) (map[string]string, error) {
	info, _ := credentials.RequestInfoFromContext(ctx)
	return map[string]string{"seen": "a token"}, credentials.CheckSecurityLevel(info.AuthInfo, credentials.PrivacyAndIntegrity)
}

func (secret) RequireTransportSecurity() bool { return true }

// TestAttachedTier is about what carries the calls to a plugin that another host has started.
func TestAttachedTier(t *testing.T) {
	if !hasPairs() || os.Getenv(tierEnv) != "" {
		t.Skip("processes inherit no sockets here, or are to overlook them")
	}
	for name, c := range map[string]struct {
		started []func(*host.Config)
		to      func(*handshake.Attachment)
		change  func(*host.Config)
		want    host.Tier
		why     string // in the log
	}{
		"both sides speak the lane":         {want: host.TierSocket},
		"its process is not known":          {to: func(to *handshake.Attachment) { to.PID, to.Start = 0, "" }, want: host.TierSocket},
		"switched off":                      {change: func(c *host.Config) { c.Lane = host.LaneOff }, want: host.TierGRPC, why: "Config says so"},
		"switched off where it was started": {started: []func(*host.Config){func(c *host.Config) { c.Lane = host.LaneOff }}, want: host.TierTunnel, why: "does not say"},
		"nobody says that it takes it":      {to: func(to *handshake.Attachment) { to.Lane = 0 }, want: host.TierTunnel, why: "does not say"},
		"a lower version":                   {to: func(to *handshake.Attachment) { to.Lane = lane.Version - 1 }, want: host.TierTunnel, why: "does not say"},
		"on tcp":                            {started: []func(*host.Config){onTCP, tlsOff}, change: tlsOff, want: host.TierTunnel, why: "unix socket"},
		"multiplexed":                       {started: []func(*host.Config){func(c *host.Config) { c.Multiplex = true }}, want: host.TierTunnel, why: "multiplexes"},
		"another process listens there": {
			to: func(to *handshake.Attachment) { to.PID, to.Start = os.Getpid(), "" }, want: host.TierTunnel, why: "the socket is process",
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStage(t)
			cfg := s.config("good")
			all(c.started...)(&cfg)
			to := s.open(cfg).Attachment()
			if c.to != nil {
				c.to(&to)
			}
			log := newRecorder()
			a := s.attach(to, func(cfg *host.Config) {
				cfg.Logger = slog.New(log)
				if c.change != nil {
					c.change(cfg)
				}
			})
			if _, told, _ := log.find(c.why); a.Tier() != c.want || c.why != "" && !told {
				t.Errorf("calls take %v, want %v because of %q: %q", a.Tier(), c.want, c.why, log.all())
			}
			if got := mustDo(t, a, "hello"); got != "hello" {
				t.Errorf("do: %q", got)
			}
		})
	}
}
