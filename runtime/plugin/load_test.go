package plugin_test

import (
	"fmt"
	"strings"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

func echoBytes(t *testing.T, cc grpc.ClientConnInterface, size int) error {
	t.Helper()
	out := &wrapperspb.BytesValue{}
	err := cc.Invoke(guarded(t), "/test.Echo/Echo", wrapperspb.Bytes(make([]byte, size)), out)
	if err == nil && len(out.GetValue()) != size {
		t.Errorf("got %d bytes, want %d", len(out.GetValue()), size)
	}
	return err
}

// go-plugin's plugins refuse more than 4 MiB.
func TestLargeMessages(t *testing.T) {
	c, cc := open(t, "plain")
	if err := echoBytes(t, cc, 5<<20); err != nil {
		t.Errorf("5 MiB: %v", err)
	}
	const limit = 64 << 20
	err := echoBytes(t, cc, limit+1)
	if status.Code(err) != codes.ResourceExhausted || !strings.Contains(err.Error(), fmt.Sprint(limit)) {
		t.Errorf("64 MiB and more: %v, want ResourceExhausted that names %d", err, limit)
	}
	stop(t, c, cc)
}

func TestMessageLimitIsConfigured(t *testing.T) {
	for _, mode := range []string{"small", "small by option"} { // ServerOptions win
		t.Run(mode, func(t *testing.T) {
			if mode != "small" {
				onlyGRPC(t)
			}
			messageLimit(t, mode)
		})
	}
}

func messageLimit(t *testing.T, mode string) {
	t.Helper()
	c, cc := open(t, mode)
	if err := echoBytes(t, cc, 1<<19); err != nil {
		t.Errorf("512 KiB: %v", err)
	}
	if err := echoBytes(t, cc, 2<<20); status.Code(err) != codes.ResourceExhausted {
		t.Errorf("2 MiB: %v, want ResourceExhausted", err)
	}
	stop(t, c, cc)
}
