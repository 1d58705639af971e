package plugin_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/reflection"
	reflectionpb "google.golang.org/grpc/reflection/grpc_reflection_v1"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/plugingen/plugingen/runtime"
	"github.com/plugingen/plugingen/runtime/internal/wire"
	"github.com/plugingen/plugingen/runtime/plugin"
)

// reflecting is a plugin that tells what it serves.
func reflecting() int {
	c := config()
	c.Services[1] = append(c.Services[1], runtime.Raw(reflectionpb.ServerReflection_ServiceDesc.ServiceName,
		func(r grpc.ServiceRegistrar) { reflection.Register(r.(reflection.GRPCServer)) }))
	return plugin.Main(c)
}

// intercepted is a plugin whose interceptors tell on standard error what they see. Its implementation tells, too.
func intercepted(byOption bool) int {
	c := config()
	c.Services[1] = []runtime.Implementation{runtime.Raw("test.Echo", registerPassing)}
	unary := func(ctx context.Context, in any, info *grpc.UnaryServerInfo, handle grpc.UnaryHandler) (any, error) {
		fmt.Fprintln(os.Stderr, "intercepted", info.FullMethod)
		return handle(ctx, in)
	}
	stream := func(srv any, stream grpc.ServerStream, info *grpc.StreamServerInfo, handle grpc.StreamHandler) error {
		fmt.Fprintln(os.Stderr, "intercepted", info.FullMethod)
		return handle(srv, stream)
	}
	if byOption {
		c.ServerOptions = []grpc.ServerOption{grpc.ChainUnaryInterceptor(unary), grpc.ChainStreamInterceptor(stream)}
	} else {
		c.UnaryInterceptors, c.StreamInterceptors = []grpc.UnaryServerInterceptor{unary}, []grpc.StreamServerInterceptor{stream}
	}
	return plugin.Main(c)
}

// registerPassing registers a service as grpc's generated code does: with a handler that hands the call to interceptors.
func registerPassing(r grpc.ServiceRegistrar) {
	r.RegisterService(&grpc.ServiceDesc{
		ServiceName: "test.Echo",
		Methods: []grpc.MethodDesc{{MethodName: "Do", Handler: func(_ any, ctx context.Context, decode func(any) error, intercept grpc.UnaryServerInterceptor) (any, error) {
			in := &wrapperspb.StringValue{}
			if err := decode(in); err != nil {
				return nil, err
			}
			return intercept(ctx, in, &grpc.UnaryServerInfo{FullMethod: "/test.Echo/Do"}, func(context.Context, any) (any, error) {
				fmt.Fprintln(os.Stderr, "called")
				return in, nil
			})
		}}},
	}, nil)
}

// callStream calls the method and returns how that went.
func callStream(t *testing.T, cc grpc.ClientConnInterface, method string) error {
	t.Helper()
	ctx, cancel := context.WithCancel(guarded(t))
	defer cancel()
	s, err := cc.NewStream(ctx, &grpc.StreamDesc{ServerStreams: true, ClientStreams: true}, method)
	if err != nil {
		return err
	}
	if err := errors.Join(s.SendMsg(&wire.Empty{}), s.CloseSend()); err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	return s.RecvMsg(&wire.Empty{})
}

func TestReflectionIsOff(t *testing.T) {
	c, cc := open(t, "plain")
	for _, version := range []string{"v1", "v1alpha"} {
		err := callStream(t, cc, "/grpc.reflection."+version+".ServerReflection/ServerReflectionInfo")
		if status.Code(err) != codes.Unimplemented {
			t.Errorf("%s: %v, want Unimplemented", version, err)
		}
	}
	stop(t, c, cc)
}

func TestReflectionIsAskedFor(t *testing.T) {
	c, cc := open(t, "reflecting")
	s, err := reflectionpb.NewServerReflectionClient(cc).ServerReflectionInfo(guarded(t))
	if err != nil {
		t.Fatal(err)
	}
	ask := &reflectionpb.ServerReflectionRequest{MessageRequest: &reflectionpb.ServerReflectionRequest_ListServices{}}
	if err := s.Send(ask); err != nil {
		t.Fatal(err)
	}
	answer, err := s.Recv()
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, service := range answer.GetListServicesResponse().GetService() {
		got = append(got, service.GetName())
	}
	for _, want := range []string{"test.Echo", "grpc.health.v1.Health", wire.ControllerService, wire.StdioService, wire.BrokerService} {
		if !slices.Contains(got, want) {
			t.Errorf("services %v: want %s among them", got, want)
		}
	}
	if err := s.CloseSend(); err != nil {
		t.Error(err)
	}
	stop(t, c, cc)
}

// Health is asked about by the name that every plugin has, by none, and by the names of services.
func TestHealthOfEachService(t *testing.T) {
	c, cc := open(t, "slow stop")
	client := healthpb.NewHealthClient(cc)
	watches := map[string]grpc.ServerStreamingClient[healthpb.HealthCheckResponse]{}
	for _, name := range []string{"plugin", "", "test.Echo"} {
		got, err := client.Check(guarded(t), &healthpb.HealthCheckRequest{Service: name})
		if err != nil || got.GetStatus() != healthpb.HealthCheckResponse_SERVING {
			t.Errorf("%q: %v, %v, want SERVING", name, got.GetStatus(), err)
		}
		if watches[name], err = client.Watch(guarded(t), &healthpb.HealthCheckRequest{Service: name}); err != nil {
			t.Fatal(err)
		}
		wantStatus(t, watches[name], name, healthpb.HealthCheckResponse_SERVING)
	}
	if _, err := client.Check(guarded(t), &healthpb.HealthCheckRequest{Service: "test.Other"}); status.Code(err) != codes.NotFound {
		t.Errorf("a service that is not there: %v, want NotFound", err)
	}

	file := filepath.Join(t.TempDir(), "go on") // a call in flight keeps the plugin at its stop
	result := call(t, cc, "wait "+file)
	c.stderr.await(t, "waiting")
	stopped := make(chan error, 1)
	go func() { stopped <- wire.Shutdown(guarded(t), cc) }()
	for name, watch := range watches {
		wantStatus(t, watch, name, healthpb.HealthCheckResponse_NOT_SERVING)
	}
	if err := wire.Check(guarded(t), cc); !errors.Is(err, wire.ErrNotServing) {
		t.Errorf("check during the stop: %v, want ErrNotServing", err)
	}
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(<-result, <-stopped); err != nil {
		t.Error(err)
	}
	if code := c.wait(); code != 0 {
		t.Errorf("exit code %d, want 0", code)
	}
}

func wantStatus(t *testing.T, watch grpc.ServerStreamingClient[healthpb.HealthCheckResponse], name string, want healthpb.HealthCheckResponse_ServingStatus) {
	t.Helper()
	got, err := watch.Recv()
	if err != nil || got.GetStatus() != want {
		t.Errorf("%q: %v, %v, want %v", name, got.GetStatus(), err, want)
	}
}

// A path that is odd must not be a way around an interceptor that decides who may call (CVE-2026-33186 was one without its
// slash): either the interceptor sees the method as it is called, or nothing is called.
func TestOddPathsAreRefused(t *testing.T) {
	c, cc := open(t, "intercepted")
	for _, path := range []string{
		"test.Echo/Do", "//test.Echo/Do", "/test.Echo//Do", "/test.Echo/Do/", "/./test.Echo/Do", "/x/../test.Echo/Do", "/test.Echo/Do?", "/test.Echo/Do#",
		"/test.Echo%2fDo", "/test%2eEcho/Do", "/TEST.ECHO/DO", "/test.Echo\\Do", "/ test.Echo/Do", "/test.Echo/", "/", "/Do", "*",
		"http://localhost/test.Echo/Do", "plugin.GRPCController/Shutdown", "//plugin.GRPCController/Shutdown",
	} {
		out := &wrapperspb.StringValue{}
		if err := cc.Invoke(guarded(t), path, wrapperspb.String("x"), out); status.Code(err) != codes.Unimplemented {
			t.Errorf("%q: %v, want Unimplemented", path, err)
		}
	}
	if log := c.stderr.String(); strings.Contains(log, "called") {
		t.Errorf("an odd path reached the implementation:\n%s", log)
	}
	do(t, cc, "x")
	stop(t, c, cc)
}

// An interceptor that the plugin's author gives sees every call: the contract's, and those of the runtime's own services.
func TestInterceptorsSeeEveryCall(t *testing.T) { seesEveryCall(t, "intercepted") }

func TestInterceptorsAmongOptionsSeeEveryCall(t *testing.T) {
	onlyGRPC(t)
	seesEveryCall(t, "intercepted by option")
}

func seesEveryCall(t *testing.T, mode string) {
	t.Helper()
	c, cc := open(t, mode)
	do(t, cc, "x")
	if err := wire.Check(guarded(t), cc); err != nil {
		t.Error(err)
	}
	for _, method := range []string{"/" + wire.BrokerService + "/StartStream", "/" + wire.StdioService + "/StreamStdio", "/grpc.health.v1.Health/Watch"} {
		startStream(t, cc, method)
	}
	for _, method := range []string{
		"/test.Echo/Do", "/grpc.health.v1.Health/Check", "/" + wire.BrokerService + "/StartStream", "/" + wire.StdioService + "/StreamStdio", "/grpc.health.v1.Health/Watch",
	} {
		c.stderr.await(t, "intercepted "+method+"\n")
	}
	stop(t, c, cc)
	c.stderr.await(t, "intercepted /"+wire.ControllerService+"/Shutdown\n")
}

// startStream leaves the stream to the end of the test.
func startStream(t *testing.T, cc grpc.ClientConnInterface, method string) {
	t.Helper()
	s, err := cc.NewStream(guarded(t), &grpc.StreamDesc{ServerStreams: true, ClientStreams: true}, method)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.SendMsg(&wire.Empty{}); err != nil {
		t.Fatal(err)
	}
}
