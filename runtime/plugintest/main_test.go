package plugintest_test

import (
	"context"
	"errors"
	"io"
	"os"
	"strings"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/plugingen/plugingen/runtime"
	"github.com/plugingen/plugingen/runtime/handshake"
	"github.com/plugingen/plugingen/runtime/plugin"
	"github.com/plugingen/plugingen/runtime/plugintest"
)

func TestMain(m *testing.M) {
	os.Exit(plugintest.Main(m, config()))
}

func contract() handshake.Config {
	return handshake.Config{MagicCookieKey: "SHOUTER_PLUGIN", MagicCookieValue: "d3f1"}
}

func config() plugin.Config {
	return plugin.Config{
		Handshake: contract(),
		Services:  map[int][]runtime.Implementation{1: {shouterService().Implement(echoing{})}},
	}
}

// shouter is a contract as plugingen generates it, in small.
type shouter interface {
	shout(ctx context.Context, text string) (string, error)
	silent() string
}

type loud struct{}

func (loud) shout(ctx context.Context, text string) (string, error) {
	switch text {
	case "":
		return "", io.ErrUnexpectedEOF
	case "wait":
		<-ctx.Done()
		return "", ctx.Err()
	case "exit":
		os.Exit(7)
	case "environ":
		return strings.Join(os.Environ(), "\n"), nil
	}
	return strings.ToUpper(text), nil
}

func (loud) silent() string { return "" }

func shouterService() runtime.Service[shouter] {
	return runtime.Service[shouter]{
		Name:      "test.Shouter",
		Register:  register,
		NewClient: func(conn grpc.ClientConnInterface) shouter { return client{conn} },
	}
}

func register(r grpc.ServiceRegistrar, impl shouter) {
	r.RegisterService(&grpc.ServiceDesc{
		ServiceName: "test.Shouter",
		HandlerType: (*shouter)(nil),
		Methods: []grpc.MethodDesc{{MethodName: "Shout", Handler: func(_ any, ctx context.Context, decode func(any) error, _ grpc.UnaryServerInterceptor) (any, error) {
			in := &wrapperspb.StringValue{}
			if err := decode(in); err != nil {
				return nil, err
			}
			out, err := impl.shout(ctx, in.GetValue())
			return wrapperspb.String(out), err
		}}},
	}, impl)
}

type client struct{ conn grpc.ClientConnInterface }

func (c client) shout(ctx context.Context, text string) (string, error) {
	out := &wrapperspb.StringValue{}
	err := c.conn.Invoke(ctx, "/test.Shouter/Shout", wrapperspb.String(text), out)
	return out.GetValue(), runtime.CallFailed("Shouter.Shout", err)
}

func (c client) silent() string {
	runtime.ReportLost(c.conn, errors.New("lost"))
	return ""
}
