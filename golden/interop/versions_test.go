package interop

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/plugingen/plugingen/golden/interop/peers/goplugin/goplug"
	"github.com/plugingen/plugingen/golden/interop/peers/goplugin/work"
	"github.com/plugingen/plugingen/runtime/handshake"
	"github.com/plugingen/plugingen/runtime/host"
)

// A host that speaks another version says so, and nothing is left running.
func TestNoVersionInCommon(t *testing.T) {
	t.Run("our plugin under go-plugin's host", func(t *testing.T) {
		tmp := tempDir(t)
		request := work.Request{Command: []string{self(t)}, Env: pluginEnv(tmp, "ours"), Versions: otherHost(), Job: work.Negotiate}
		r, err := goplug.Run(t.Context(), request)
		if err != nil || !strings.Contains(r.Error, "incompatible API version") {
			t.Errorf("start: %q, %v, want go-plugin's error on versions", r.Error, err)
		}

		// That host kills what it does not like, so the socket stays; the next plugin clears it away.
		request.Versions = nil
		if r, err = goplug.Run(t.Context(), request); err != nil || r.Served != work.Version {
			t.Fatalf("start the next plugin: %+v, %v", r, err)
		}
		checkEmpty(t, tmp)
	})
	t.Run("go-plugin's plugin under our host", func(t *testing.T) {
		tmp := tempDir(t)
		cfg := hostConfig(t, "go-plugin", tmp)
		cfg.Handshake.ProtocolVersions = otherHost()
		ctx, cancel := context.WithTimeout(t.Context(), work.Patience)
		defer cancel()
		if _, err := host.Open(ctx, cfg); !errors.Is(err, handshake.ErrVersion) {
			t.Errorf("open: %v, want ErrVersion", err)
		}
		checkEmpty(t, tmp)
	})
}
