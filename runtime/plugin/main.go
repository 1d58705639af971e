package plugin

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"unicode"

	"github.com/plugingen/plugingen/runtime/handshake"
	"github.com/plugingen/plugingen/runtime/transport"
)

// Main serves the plugin as [Serve] does and returns the code to exit with: 0 after a good end, SIGTERM included, and 1 when
// it could not start; then it has printed why on standard error, in one line. A person who runs the plugin by hand reads
// there what it is and how to use it. Use it as os.Exit(plugin.Main(cfg)).
//
// A person who wants to debug it runs it with the environment variable PLUGINGEN_DEBUG set, to 1 or to the name of the plugin. Then it
// serves as [ServeAttachable] does until SIGINT or SIGTERM, needs no cookie, and prints on standard error how a host attaches. The variable is not
// heeded when a host started the process.
func Main(cfg Config) int {
	name := strings.TrimSuffix(filepath.Base(os.Args[0]), ".exe")
	var err error
	if wantsDebug(cfg) {
		err = debug(context.Background(), cfg, os.Stderr, name)
	} else {
		err = Serve(context.Background(), cfg)
	}
	if err == nil {
		return 0
	}
	name = printable(name)
	if errors.Is(err, handshake.ErrCookieNotProvided) {
		explain(os.Stderr, name, cfg.withDefaults())
		return 1
	}
	fmt.Fprintf(os.Stderr, "%s: cannot start the plugin: %s\n", name, oneLine(err))
	return 1
}

// explain is for the person who ran a plugin by hand.
func explain(w io.Writer, name string, cfg Config) {
	fmt.Fprintf(w, "%s is a plugin: a host program starts it and calls it. By itself it does nothing.\n\nIt serves:\n", name)
	for _, version := range cfg.Handshake.Versions() {
		for _, service := range cfg.Services[version] {
			fmt.Fprintf(w, "  %s (protocol version %d)\n", service.Name(), version)
		}
	}
	fmt.Fprintf(w, `
To use it, give its path to a host of that contract. To try it without one, run the tests
of its project (go test ./...), or make a host for it with "plugingen host". To debug it, run it
with %s=1: then it serves, and says how a host attaches to it.
`, handshake.EnvDebug)
}

// oneLine is err and what to do about it. Hosts show the last lines of a plugin's standard error, so the reason is one line.
func oneLine(err error) string {
	text := err.Error()
	if hint := hintOf(err); hint != "" {
		text += " (" + hint + ")"
	}
	return printable(strings.ReplaceAll(strings.TrimSpace(text), "\n", "; "))
}

// printable escapes what could move a terminal's cursor: paths and names come from elsewhere.
func printable(text string) string {
	var b strings.Builder
	for _, r := range text {
		if unicode.IsPrint(r) {
			b.WriteRune(r)
		} else {
			b.WriteString(strings.Trim(strconv.QuoteRune(r), "'"))
		}
	}
	return b.String()
}

func hintOf(err error) string {
	if e, ok := errors.AsType[*Error](err); ok && e.Hint != "" {
		return e.Hint
	}
	if e, ok := errors.AsType[*handshake.Error](err); ok && e.Hint != "" {
		return e.Hint
	}
	if e, ok := errors.AsType[*transport.Error](err); ok {
		return e.Hint
	}
	return ""
}
