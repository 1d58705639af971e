//go:build unix

package host_test

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/plugingen/plugingen/runtime/host"
	"github.com/plugingen/plugingen/runtime/internal/lane"
)

// sider is what package object asks of a connection.
type sider interface {
	CanSide() bool
	Side(ctx context.Context, key string) (lane.Carrier, error)
}

// TestSideIsNotExpected: a socket beside the lane reaches the plugin, in TLS too, which closes it because no call waits for it.
func TestSideIsNotExpected(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*host.Config)
		can    bool
	}{
		"inherited socket":     {func(*host.Config) {}, hasPairs() && os.Getenv(tierEnv) != "tunnel" && os.Getenv(tierEnv) != "grpc"},
		"in TLS":               {tlsMutual, os.Getenv(tierEnv) != "grpc"},
		"in TLS, on tcp":       {all(tlsMutual, onTCP), os.Getenv(tierEnv) != "grpc"},
		"multiplexed":          {multiplexed, false},
		"multiplexed, in TLS":  {all(tlsMutual, multiplexed), false},
		"without the lane":     {func(c *host.Config) { c.Lane = host.LaneOff }, false},
		"in TLS, without lane": {all(tlsMutual, func(c *host.Config) { c.Lane = host.LaneOff }), false},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStage(t)
			cfg := s.config("good")
			c.change(&cfg)
			p := s.open(cfg)
			conn := p.Conn().(sider)
			if got := conn.CanSide(); got != c.can {
				t.Errorf("can: %t, want %t", got, c.can)
			}
			if !c.can {
				return
			}
			ctx, cancel := context.WithTimeout(t.Context(), guard)
			defer cancel()
			if _, err := conn.Side(ctx, strings.Repeat("k", lane.SideKeySize)); !errors.Is(err, lane.ErrNoSide) {
				t.Errorf("%v, want ErrNoSide", err)
			}
			mustDo(t, p, "hello")
		})
	}
}
