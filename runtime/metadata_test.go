package runtime_test

import (
	"context"
	"testing"

	"google.golang.org/grpc/metadata"

	"github.com/plugingen/plugingen/runtime"
)

func TestMetadataStaysInTheProcess(t *testing.T) {
	ctx := runtime.WithMetadata(t.Context(), "request-id", "1")
	later := runtime.WithMetadata(ctx, "request-id", "2")
	for want, c := range map[string]context.Context{"1": ctx, "2": later} {
		if got, ok := runtime.Metadata(c, "request-id"); got != want || !ok {
			t.Errorf("got %q, %v, want %s", got, ok, want)
		}
	}
	if _, ok := runtime.Metadata(ctx, "other"); ok {
		t.Error("a key that nobody set has a value")
	}
}

func TestCallContextListsWhatCrosses(t *testing.T) {
	if ctx := t.Context(); runtime.CallContext(ctx) != ctx {
		t.Error("a context without metadata is another one")
	}
	foreign := metadata.AppendToOutgoingContext(t.Context(), "authorization", "secret")
	if md, _ := metadata.FromOutgoingContext(runtime.CallContext(foreign)); len(md) != 0 {
		t.Errorf("%v crosses", md)
	}
	ctx := runtime.WithMetadata(runtime.WithMetadata(runtime.WithMetadata(foreign, "a", "x"), "b", "\xff"), "a", "")
	md, _ := metadata.FromOutgoingContext(runtime.CallContext(ctx))
	if len(md) != 2 || len(md["a-bin"]) != 1 || md["a-bin"][0] != "" || md["b-bin"][0] != "\xff" {
		t.Errorf("%v crosses", md)
	}
	served := metadata.NewIncomingContext(t.Context(), md)
	if got, ok := runtime.Metadata(served, "b"); got != "\xff" || !ok {
		t.Errorf("got %q, %v", got, ok)
	}
}

func TestWithMetadataRefusesKeys(t *testing.T) {
	for _, key := range []string{"", "Upper", "grpc-timeout", "x-bin", "ü", "a b"} {
		t.Run(key, func(t *testing.T) {
			defer func() {
				if recover() == nil {
					t.Errorf("%q is taken", key)
				}
			}()
			runtime.WithMetadata(t.Context(), key, "")
		})
	}
}
