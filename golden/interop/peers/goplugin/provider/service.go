// Package provider is a provider as infrastructure tools have them: two protocol versions, each with a service of its own
// whose methods have other names, over messages that are made by protoc-gen-go.
package provider

//go:generate go -C ../../../../.. run ./generator/internal/protogen golden/interop/peers/goplugin/provider/provider.proto

import (
	"context"
	"fmt"
	"io"
	"slices"

	"google.golang.org/grpc"
)

// What Terraform's hosts and its providers agree on.
const (
	CookieKey   = "TF_PLUGIN_MAGIC_COOKIE"
	CookieValue = "d602bf8f470bc67ca7faa0386276bbdd4330efaf76d1a219cb4d6991ca9872b2"
)

// Service names the methods of one protocol version.
type Service struct {
	Name                          string
	schema, configure, read, stop string
}

// Services are the versions that providers serve today.
func Services() map[int]Service {
	return map[int]Service{
		5: {"tfplugin5.Provider", "GetSchema", "Configure", "ReadDataSource", "Stop"},
		6: {"tfplugin6.Provider", "GetProviderSchema", "ConfigureProvider", "ReadDataSource", "StopProvider"},
	}
}

// Greetings is a data source of this provider.
const Greetings = "demo_greetings"

// Register makes r serve the provider. What it prints goes to what stdout returns when a call comes.
func (s Service) Register(r grpc.ServiceRegistrar, stdout func() io.Writer) {
	p := provider{s.Name, stdout}
	r.RegisterService(&grpc.ServiceDesc{
		ServiceName: s.Name,
		HandlerType: (*any)(nil),
		Methods: []grpc.MethodDesc{
			{MethodName: s.schema, Handler: method(p.schema)},
			{MethodName: s.configure, Handler: method(p.configure)},
			{MethodName: s.read, Handler: method(p.read)},
			{MethodName: s.stop, Handler: method(p.stop)},
		},
	}, p)
}

type handler = func(srv any, ctx context.Context, decode func(any) error, intercept grpc.UnaryServerInterceptor) (any, error)

func method[In, Out any](f func(*In) *Out) handler {
	return func(_ any, _ context.Context, decode func(any) error, _ grpc.UnaryServerInterceptor) (any, error) {
		in := new(In)
		if err := decode(in); err != nil {
			return nil, err
		}
		return f(in), nil
	}
}

type provider struct {
	name   string
	stdout func() io.Writer
}

func (p provider) schema(*SchemaRequest) *SchemaResponse {
	return &SchemaResponse{
		Provider:    &Schema{Version: 1, Attributes: []*Attribute{{Name: "greeting", Type: []byte(`"string"`), Required: true}}},
		DataSources: map[string]*Schema{Greetings: {Attributes: []*Attribute{{Name: "text", Type: []byte(`"string"`)}}}},
	}
}

func (p provider) configure(r *ConfigureRequest) *ConfigureResponse {
	_, _ = fmt.Fprintf(p.stdout(), "configured by %s\n", r.HostVersion)
	return &ConfigureResponse{Diagnostics: []*Diagnostic{{Severity: Diagnostic_WARNING, Summary: "an old setting"}}}
}

func (p provider) read(r *ReadRequest) *ReadResponse {
	if r.TypeName != Greetings {
		return &ReadResponse{Diagnostics: []*Diagnostic{{Severity: Diagnostic_ERROR, Summary: "no such data source"}}}
	}
	state := append([]byte(p.name+" reads "), r.Config.GetMsgpack()...)
	return &ReadResponse{State: &Value{Encoding: &Value_Msgpack{Msgpack: state}}}
}

func (p provider) stop(*StopRequest) *StopResponse { return &StopResponse{} }

// Report is what a host has seen of a provider.
type Report struct {
	Version     int      `json:"version"`
	DataSources []string `json:"data_sources"`
	Warning     string   `json:"warning"` // of Configure
	State       string   `json:"state"`   // of a data source, quoted
	Error       string   `json:"error"`   // of one that is not there
	Stdout      string   `json:"stdout"`
	Exit        *int     `json:"exit"` // nil when it had to be killed
}

// Use does what a tool does with a provider.
func (s Service) Use(ctx context.Context, conn grpc.ClientConnInterface, r *Report) error {
	schema, configured, state, none, stopped := &SchemaResponse{}, &ConfigureResponse{}, &ReadResponse{}, &ReadResponse{}, &StopResponse{}
	config := &Value{Encoding: &Value_Msgpack{Msgpack: []byte{0x81, 0xa1, 'a', 0xc0}}}
	for _, call := range []struct {
		method  string
		in, out any
	}{
		{s.schema, &SchemaRequest{}, schema},
		{s.configure, &ConfigureRequest{HostVersion: "1.9.0", Config: config}, configured},
		{s.read, &ReadRequest{TypeName: Greetings, Config: config}, state},
		{s.read, &ReadRequest{TypeName: "demo_none"}, none},
		{s.stop, &StopRequest{}, stopped},
	} {
		if err := conn.Invoke(ctx, "/"+s.Name+"/"+call.method, call.in, call.out); err != nil {
			return fmt.Errorf("%s: %w", call.method, err)
		}
	}
	for name := range schema.DataSources {
		r.DataSources = append(r.DataSources, name)
	}
	slices.Sort(r.DataSources)
	r.Warning = configured.Diagnostics[0].GetSummary()
	r.State, r.Error = fmt.Sprintf("%+q", state.State.GetMsgpack()), none.Diagnostics[0].GetSummary()
	return nil
}
