package plugin

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strconv"
	"syscall"

	"github.com/plugingen/plugingen/runtime/handshake"
)

// wantsDebug says whether a person, and no host, has started this process, to serve all the same.
func wantsDebug(cfg Config) bool {
	_, started := os.LookupEnv(cfg.Handshake.MagicCookieKey)
	return os.Getenv(handshake.EnvDebug) != "" && !started
}

// debug serves until SIGINT or SIGTERM, and says on w how a host attaches. A second signal ends the process at once.
func debug(ctx context.Context, cfg Config, w io.Writer, name string) error {
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	defer context.AfterFunc(ctx, stop)()
	name = debugName(os.Getenv(handshake.EnvDebug), name)
	_ = os.Unsetenv(handshake.EnvDebug) // what this process starts is not debugged
	return ServeAttachable(ctx, cfg, func(a handshake.Attachment) {
		instruct(w, name, a)
	})
}

// debugName is what hosts know the plugin by: value, unless that only says yes. A debugger gives programs names of its own.
func debugName(value, name string) string {
	if _, err := strconv.ParseBool(value); err == nil {
		return name
	}
	return value
}

func instruct(w io.Writer, name string, a handshake.Attachment) {
	fmt.Fprintf(w, `%s serves hosts that attach to it, as process %d with protocol version %d. Ctrl-C ends it.

A host that heeds %s, as those made with "plugingen host" do, attaches when it is started with:

%s='%s'

`, printable(name), a.PID, a.ProtocolVersion, handshake.EnvAttach, handshake.EnvAttach, handshake.FormatAttachments(map[string]handshake.Attachment{name: a}))
}
