package wire_test

import (
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"go.uber.org/goleak"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/health"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"

	"github.com/plugingen/plugingen/runtime/internal/wire"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func guarded(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	t.Cleanup(cancel)
	return ctx
}

// connect serves what register registers on a unix socket.
func connect(t *testing.T, register func(*grpc.Server), options ...grpc.ServerOption) *grpc.ClientConn {
	t.Helper()
	dir, err := os.MkdirTemp("", "pg") //nolint:usetesting // a socket's path must be short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	l, err := net.Listen("unix", filepath.Join(dir, "s"))
	if err != nil {
		t.Fatal(err)
	}
	s := grpc.NewServer(options...)
	register(s)
	served := make(chan error, 1)
	go func() { served <- s.Serve(l) }()
	t.Cleanup(func() { s.Stop(); <-served })
	cc, err := grpc.NewClient("unix:"+l.Addr().String(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cc.Close() })
	return cc
}

func nothing(*grpc.Server) {}

func TestShutdown(t *testing.T) {
	refuse := status.Error(codes.PermissionDenied, "no")
	tests := []struct {
		name   string
		answer error
		want   codes.Code
	}{
		{"answered", nil, codes.OK},
		{"gone before the answer", status.Error(codes.Unavailable, "bye"), codes.OK},
		{"refused", refuse, codes.PermissionDenied},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			asked := 0
			cc := connect(t, func(s *grpc.Server) {
				wire.RegisterController(s, func(context.Context) error { asked++; return tt.answer })
			})
			if got := status.Code(wire.Shutdown(guarded(t), cc)); got != tt.want {
				t.Errorf("got %v, want %v", got, tt.want)
			}
			if asked != 1 {
				t.Errorf("asked %d times", asked)
			}
		})
	}
	t.Run("no controller", func(t *testing.T) {
		if got := status.Code(wire.Shutdown(guarded(t), connect(t, nothing))); got != codes.Unimplemented {
			t.Errorf("got %v, want Unimplemented", got)
		}
	})
	t.Run("never answered", func(t *testing.T) {
		cc := connect(t, func(s *grpc.Server) {
			wire.RegisterController(s, func(ctx context.Context) error { <-ctx.Done(); return nil })
		})
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		if got := status.Code(wire.Shutdown(ctx, cc)); got != codes.DeadlineExceeded {
			t.Errorf("got %v, want DeadlineExceeded", got)
		}
	})
}

func TestShutdownPassesInterceptors(t *testing.T) {
	var method string
	intercept := func(ctx context.Context, req any, info *grpc.UnaryServerInfo, handle grpc.UnaryHandler) (any, error) {
		method = info.FullMethod
		return handle(ctx, req)
	}
	cc := connect(t, func(s *grpc.Server) {
		wire.RegisterController(s, func(context.Context) error { return nil })
	}, grpc.UnaryInterceptor(intercept))
	if err := wire.Shutdown(guarded(t), cc); err != nil {
		t.Error(err)
	}
	if want := "/plugin.GRPCController/Shutdown"; method != want {
		t.Errorf("method %q, want %q", method, want)
	}
}

func TestReadStdio(t *testing.T) {
	tests := []struct {
		name  string
		serve func(grpc.ServerStreamingServer[wire.StdioData]) error
		want  codes.Code
		text  string
	}{
		{"to the end", func(s grpc.ServerStreamingServer[wire.StdioData]) error {
			return errors.Join(
				s.Send(&wire.StdioData{Channel: wire.StdioData_CHANNEL_STDOUT, Data: []byte("a")}),
				s.Send(&wire.StdioData{Channel: wire.StdioData_CHANNEL_STDERR, Data: []byte("b")}),
				s.Send(&wire.StdioData{Channel: 7, Data: []byte("c")}))
		}, codes.OK, "1a2b7c"},
		{"nothing", func(grpc.ServerStreamingServer[wire.StdioData]) error { return nil }, codes.OK, ""},
		{"error", func(s grpc.ServerStreamingServer[wire.StdioData]) error {
			return errors.Join(s.Send(&wire.StdioData{Channel: 1, Data: []byte("x")}), status.Error(codes.Internal, "oops"))
		}, codes.Internal, "1x"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			cc := connect(t, func(s *grpc.Server) { wire.RegisterStdio(s, tt.serve) })
			text := ""
			err := wire.ReadStdio(guarded(t), cc, func(c wire.StdioData_Channel, data []byte) {
				text += string('0'+rune(c)) + string(data)
			})
			if status.Code(err) != tt.want || text != tt.text {
				t.Errorf("got %q, %v, want %q, %v", text, err, tt.text, tt.want)
			}
		})
	}
	t.Run("no service", func(t *testing.T) {
		if err := wire.ReadStdio(guarded(t), connect(t, nothing), nil); status.Code(err) != codes.Unimplemented {
			t.Errorf("got %v, want Unimplemented", err)
		}
	})
	t.Run("context ends", func(t *testing.T) {
		left := make(chan struct{})
		cc := connect(t, func(s *grpc.Server) {
			wire.RegisterStdio(s, func(s grpc.ServerStreamingServer[wire.StdioData]) error {
				defer close(left)
				_ = s.Send(&wire.StdioData{Channel: 1, Data: []byte("x")})
				<-s.Context().Done()
				return nil
			})
		})
		ctx, cancel := context.WithCancel(guarded(t))
		err := wire.ReadStdio(ctx, cc, func(wire.StdioData_Channel, []byte) { cancel() })
		if status.Code(err) != codes.Canceled {
			t.Errorf("got %v, want Canceled", err)
		}
		<-left
	})
}

func TestCheck(t *testing.T) {
	serving := func(names ...string) func(*grpc.Server) {
		return func(s *grpc.Server) {
			h := health.NewServer() // "" is serving
			for _, name := range names {
				h.SetServingStatus(name, healthpb.HealthCheckResponse_SERVING)
			}
			healthpb.RegisterHealthServer(s, h)
		}
	}
	tests := []struct {
		name     string
		register func(*grpc.Server)
		want     error
	}{
		{"ours", func(s *grpc.Server) { wire.RegisterHealth(s, "a.B") }, nil},
		{"go-plugin's", serving("plugin"), nil},
		{"only the server as a whole", serving(), nil},
		{"stopping", func(s *grpc.Server) { wire.RegisterHealth(s).Shutdown() }, wire.ErrNotServing},
		{"no health service", nothing, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if err := wire.Check(guarded(t), connect(t, tt.register)); !errors.Is(err, tt.want) {
				t.Errorf("got %v, want %v", err, tt.want)
			}
		})
	}
}

func TestHealthKnowsEachService(t *testing.T) {
	cc := connect(t, func(s *grpc.Server) { wire.RegisterHealth(s, "a.B", "c.D") })
	for _, name := range []string{"", "plugin", "a.B", "c.D"} {
		resp, err := healthpb.NewHealthClient(cc).Check(guarded(t), &healthpb.HealthCheckRequest{Service: name})
		if err != nil || resp.GetStatus() != healthpb.HealthCheckResponse_SERVING {
			t.Errorf("%q: %v, %v", name, resp.GetStatus(), err)
		}
	}
}

// Peers have messages of other names, so only the bytes count; these are go-plugin's own.
func TestBytesAreGoPlugins(t *testing.T) {
	tests := []struct {
		message proto.Message
		want    string
	}{
		{&wire.Empty{}, ""},
		{&wire.StdioData{Channel: wire.StdioData_CHANNEL_STDOUT, Data: []byte("hi")}, "\x08\x01\x12\x02hi"},
		{&wire.StdioData{Channel: wire.StdioData_CHANNEL_STDERR, Data: []byte{0xff}}, "\x08\x02\x12\x01\xff"},
		{&wire.ConnInfo{ServiceId: 5, Network: "unix", Address: "/s"}, "\x08\x05\x12\x04unix\x1a\x02/s"},
		{&wire.ConnInfo{ServiceId: 1, Knock: &wire.ConnInfo_Knock{Knock: true, Ack: true, Error: "e"}}, "\x08\x01\x22\x07\x08\x01\x10\x01\x1a\x01e"},
	}
	for _, tt := range tests {
		got, err := proto.MarshalOptions{Deterministic: true}.Marshal(tt.message)
		if err != nil || string(got) != tt.want {
			t.Errorf("%v: got %q, %v, want %q", tt.message, got, err, tt.want)
		}
	}
}

// A program that also links go-plugin panics at its start if one of its names is taken.
func TestNothingOfGoPluginsIsRegistered(t *testing.T) {
	for _, name := range []protoreflect.FullName{"plugin.Empty", "plugin.ConnInfo", "plugin.StdioData", wire.ControllerService, wire.StdioService, wire.BrokerService} {
		if d, err := protoregistry.GlobalFiles.FindDescriptorByName(name); err == nil {
			t.Errorf("%s is registered: %v", name, d)
		}
	}
}

// TestHealthIsGRPCs asks our health service with gRPC's own messages.
func TestHealthIsGRPCs(t *testing.T) {
	var health *wire.Health
	client := healthpb.NewHealthClient(connect(t, func(s *grpc.Server) { health = wire.RegisterHealth(s, "test.Echo") }))
	list, err := client.List(guarded(t), &healthpb.HealthListRequest{})
	if err != nil {
		t.Fatal(err)
	}
	if len(list.GetStatuses()) != 3 || list.GetStatuses()["test.Echo"].GetStatus() != healthpb.HealthCheckResponse_SERVING {
		t.Errorf("list: %v", list)
	}
	watches := map[string]grpc.ServerStreamingClient[healthpb.HealthCheckResponse]{}
	for name, want := range map[string]healthpb.HealthCheckResponse_ServingStatus{
		"test.Echo": healthpb.HealthCheckResponse_SERVING, "test.Other": healthpb.HealthCheckResponse_SERVICE_UNKNOWN,
	} {
		if watches[name], err = client.Watch(guarded(t), &healthpb.HealthCheckRequest{Service: name}); err != nil {
			t.Fatal(err)
		}
		if got, err := watches[name].Recv(); err != nil || got.GetStatus() != want {
			t.Errorf("watch of %s: %v, %v, want %v", name, got, err, want)
		}
	}
	health.Shutdown()
	health.Shutdown() // does nothing more
	if got, err := watches["test.Echo"].Recv(); err != nil || got.GetStatus() != healthpb.HealthCheckResponse_NOT_SERVING {
		t.Errorf("after Shutdown: %v, %v, want NOT_SERVING", got, err)
	}
	if got, err := client.Check(guarded(t), &healthpb.HealthCheckRequest{}); err != nil || got.GetStatus() != healthpb.HealthCheckResponse_NOT_SERVING {
		t.Errorf("check after Shutdown: %v, %v, want NOT_SERVING", got, err)
	}
}
