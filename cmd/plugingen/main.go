// Plugingen turns a Go interface into a plugin system: it writes plugin projects, the hosts that run them, and the code between.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], streams{out: os.Stdout, err: os.Stderr, term: newTerminal(os.Stdin, os.Stderr, os.Getenv("CI"))})
	stop()
	os.Exit(code)
}
