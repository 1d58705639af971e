//go:build unix && !linux

package host_test

import (
	"errors"
	"testing"

	"github.com/plugingen/plugingen/runtime/host"
)

func doomedHost() int { return 1 }

func TestEndWithHostIsUnsupported(t *testing.T) {
	s := newStage(t)
	cfg := s.config("plain")
	cfg.Launcher = host.ProcessLauncher{EndWithHost: true}
	if e := s.openFails(t.Context(), cfg); !errors.Is(e, errors.ErrUnsupported) {
		t.Errorf("%v, want ErrUnsupported", e)
	}
}
