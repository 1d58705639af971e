package host

import (
	"context"
	"log/slog"
)

// note logs what the host itself has to say. A logger that blocks or panics must not keep a plugin from being ended, so
// the record is left to it after a while; the goroutine ends when the logger returns.
func note(logger *slog.Logger, level slog.Level, message string, args ...any) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer func() { _ = recover() }()
		logger.Log(context.Background(), level, message, args...)
	}()
	closesWithin(context.Background(), done, waitDelay)
}
