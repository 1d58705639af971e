//go:build unix

package host_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/plugingen/plugingen/runtime"
	"github.com/plugingen/plugingen/runtime/host"
)

// oldDeeds is a client of the test plugins' service.
type oldDeeds struct{ conn grpc.ClientConnInterface }

func oldDeedsService() runtime.Service[oldDeeds] {
	return runtime.Service[oldDeeds]{Name: "test.Deeds", NewClient: func(conn grpc.ClientConnInterface) oldDeeds { return oldDeeds{conn} }}
}

func (d oldDeeds) missing(ctx context.Context) error {
	err := d.conn.Invoke(ctx, "/test.Deeds/Missing", wrapperspb.String("x"), new(wrapperspb.StringValue))
	return runtime.CallFailed("Deeds.Missing", err)
}

// counting is a host's configuration that counts the calls which leave it.
func counting(cfg host.Config, calls *atomic.Int32) host.Config {
	cfg.DialOptions = append(cfg.DialOptions, grpc.WithChainUnaryInterceptor(
		func(ctx context.Context, method string, req, reply any, cc *grpc.ClientConn, invoke grpc.UnaryInvoker, opts ...grpc.CallOption) error {
			if method == "/test.Deeds/Missing" || method == "/test.Deeds/Do" {
				calls.Add(1)
			}
			return invoke(ctx, method, req, reply, cc, opts...)
		}))
	return cfg
}

func TestMissingMethod(t *testing.T) {
	s := newStage(t)
	var calls atomic.Int32
	p := s.open(counting(s.config("good"), &calls))
	d, err := host.Dispense(p, oldDeedsService())
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		var call *runtime.CallError
		if err := d.missing(t.Context()); !errors.Is(err, runtime.ErrMissingMethod) || !errors.As(err, &call) || call.Code() != codes.Unimplemented {
			t.Errorf("got %v, want ErrMissingMethod", err)
		}
	}
	if n := calls.Load(); n != 1 {
		t.Errorf("%d calls have left the host, want 1", n)
	}
	if _, err := do(t.Context(), d.conn, "hello"); err != nil {
		t.Error(err)
	}
}

func TestImplements(t *testing.T) {
	s := newStage(t)
	var calls atomic.Int32
	p := s.open(counting(s.config("good"), &calls))
	d, err := host.Dispense(p, oldDeedsService())
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		for method, want := range map[string]bool{"Do": true, "Missing": false} {
			if got, err := oldDeedsService().Implements(t.Context(), d.conn, method); got != want || err != nil {
				t.Errorf("%s: got %t, %v, want %t", method, got, err, want)
			}
		}
	}
	if n := calls.Load(); n != 2 {
		t.Errorf("%d questions have left the host, want 2", n)
	}
	if err := d.missing(t.Context()); !errors.Is(err, runtime.ErrMissingMethod) {
		t.Errorf("got %v, want ErrMissingMethod", err)
	}
	if n := calls.Load(); n != 2 {
		t.Error("a call of a method that is known to be missing has left the host")
	}
	if err := p.Close(); err != nil {
		t.Error(err)
	}
	_, err = oldDeedsService().Implements(t.Context(), d.conn, "Other")
	if !errors.Is(err, host.ErrClosed) || status.Code(err) != codes.Unavailable {
		t.Errorf("a closed plugin: %v", err)
	}
}

func TestKeep(t *testing.T) {
	s := newStage(t)
	p := s.open(s.config("good"))
	keeper := p.Conn().(interface {
		Keep(key any, first func() any) any
	})
	made := 0
	for range 3 {
		if got := keeper.Keep("a", func() any { made++; return made }); got != 1 {
			t.Errorf("got %v", got)
		}
	}
	if got := keeper.Keep("b", func() any { return "other" }); got != "other" {
		t.Errorf("got %v", got)
	}
}
