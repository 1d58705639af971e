package interop

import (
	"context"
	"fmt"
	"io"
	"os"
	"reflect"
	"slices"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/emptypb"

	"github.com/plugingen/plugingen/golden/interop/peers/goplugin/goplug"
	"github.com/plugingen/plugingen/golden/interop/peers/goplugin/provider"
	"github.com/plugingen/plugingen/golden/interop/peers/goplugin/work"
	"github.com/plugingen/plugingen/runtime"
	"github.com/plugingen/plugingen/runtime/handshake"
	"github.com/plugingen/plugingen/runtime/host"
	"github.com/plugingen/plugingen/runtime/plugin"
)

func providerHandshake(versions ...int) handshake.Config {
	return handshake.Config{MagicCookieKey: provider.CookieKey, MagicCookieValue: provider.CookieValue, ProtocolVersions: versions}
}

// serveProvider is a provider made with runtime/plugin: its services are not of a contract, but written by hand.
func serveProvider() int {
	services := map[int][]runtime.Implementation{}
	for version, s := range provider.Services() {
		services[version] = []runtime.Implementation{runtime.Raw(s.Name, func(r grpc.ServiceRegistrar) {
			s.Register(r, func() io.Writer { return os.Stdout })
		})}
	}
	return plugin.Main(plugin.Config{Handshake: providerHandshake(5, 6), Services: services})
}

// Hosts of all these versions of go-plugin drive our provider, as Terraform does: with automatic TLS, by the newest protocol in common.
func TestProviderUnderGoPluginHosts(t *testing.T) {
	for _, version := range []string{"1.6", "1.7", "1.8"} {
		for want, offered := range map[int][]int{5: {4, 5}, 6: {5, 6}} {
			t.Run(fmt.Sprintf("go-plugin %s, protocols %v", version, offered), func(t *testing.T) {
				t.Parallel()
				run := goplug.RunProvider
				if version != "1.8" {
					run = foreign{programs.goPlugin(t, version), "provider"}.runProvider
				}
				tmp := tempDir(t)
				ctx, cancel := context.WithTimeout(t.Context(), work.Patience)
				defer cancel()
				got, err := run(ctx, work.Request{Command: []string{self(t)}, Env: pluginEnv(tmp, "provider"), Versions: offered})
				if err != nil {
					t.Fatal(err)
				}
				checkProvider(t, got, want)
				checkEmpty(t, tmp)
			})
		}
	}
}

func (f foreign) runProvider(ctx context.Context, request work.Request) (r provider.Report, err error) {
	request.Job = work.Negotiate
	return r, f.report(ctx, request, &r)
}

func checkProvider(t *testing.T, got provider.Report, version int) {
	t.Helper()
	exit := 0
	want := provider.Report{
		Version: version, DataSources: []string{provider.Greetings}, Warning: "an old setting",
		State: fmt.Sprintf(`"tfplugin%d.Provider reads \x81\xa1a\xc0"`, version), Error: "no such data source",
		Stdout: "configured by 1.9.0\n", Exit: &exit,
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v, exit %s\nwant %+v", got, exitText(got.Exit), want)
	}
}

// A provider that others have published, made with go-plugin 1.7, runs under our host.
func TestPublishedProvider(t *testing.T) {
	program := programs.program(t, "terraform-provider-time", "testdata/providers", "github.com/hashicorp/terraform-provider-time")
	tmp := tempDir(t)
	cfg := hostConfig(t, "", tmp)
	cfg.Handshake, cfg.Path, cfg.TLS, cfg.StopTimeout = providerHandshake(5), program, host.TLSMutual, noTerm
	ctx, cancel := context.WithTimeout(t.Context(), work.Patience)
	defer cancel()
	p, err := host.Open(ctx, cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = p.Close() }()
	if p.Version() != 5 {
		t.Errorf("protocol %d, want 5", p.Version())
	}
	metadata, schema := rawCall(ctx, t, p, "GetMetadata"), rawCall(ctx, t, p, "GetSchema") // in protocol 6 it is GetProviderSchema
	if names := resourceNames(t, metadata); !slices.Contains(names, "time_rotating") || !slices.Contains(names, "time_sleep") {
		t.Errorf("GetMetadata names the resources %q, want time_rotating and time_sleep among them", names)
	}
	if len(schema) < len(metadata) {
		t.Errorf("GetSchema answers %d bytes, GetMetadata %d", len(schema), len(metadata))
	}
	if err := p.Close(); err != nil {
		t.Errorf("close: %v", err)
	}
	checkEmpty(t, tmp)
}

// rawCall returns the answer as it is: no message of the provider's is linked here.
func rawCall(ctx context.Context, t *testing.T, p *host.Plugin, method string) []byte {
	t.Helper()
	answer := &emptypb.Empty{} // all its fields are unknown to it
	if err := p.Conn().Invoke(ctx, "/tfplugin5.Provider/"+method, &emptypb.Empty{}, answer); err != nil {
		t.Fatalf("%s: %v", method, err)
	}
	raw, err := proto.Marshal(answer)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// resourceNames are the texts one level down, of which the names of resources are some.
func resourceNames(t *testing.T, message []byte) []string {
	t.Helper()
	var names []string
	fields(t, message, func(inner []byte) {
		fields(t, inner, func(text []byte) { names = append(names, string(text)) })
	})
	return names
}

// fields calls f with what each field of the message has, of those that are texts or messages.
func fields(t *testing.T, message []byte, f func([]byte)) {
	t.Helper()
	for len(message) > 0 {
		_, kind, n := protowire.ConsumeTag(message)
		if n < 0 {
			t.Fatalf("%x is no message", message)
		}
		message = message[n:]
		if kind == protowire.BytesType {
			text, n := protowire.ConsumeBytes(message)
			if n < 0 {
				t.Fatalf("%x is no message", message)
			}
			f(text)
			message = message[n:]
			continue
		}
		n = protowire.ConsumeFieldValue(1, kind, message)
		if n < 0 {
			t.Fatalf("%x is no message", message)
		}
		message = message[n:]
	}
}
