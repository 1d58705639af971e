// Plugingen turns a Go interface into a plugin system: it writes plugin projects, the hosts that run them, and the code between.
package main

import (
	"context"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"
)

// gcPercent lets the heap grow to a few times its size before it is collected: the command is done by then, and what it
// reads of large contracts would be walked again and again.
const gcPercent = 400

func main() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], streams{out: os.Stdout, err: os.Stderr, term: newTerminal(os.Stdin, os.Stderr, os.Getenv("CI"))})
	stop()
	os.Exit(code)
}
