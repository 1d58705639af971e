package host

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/plugingen/plugingen/runtime/handshake"
	"github.com/plugingen/plugingen/runtime/internal/mtls"
	"github.com/plugingen/plugingen/runtime/internal/process"
	"github.com/plugingen/plugingen/runtime/transport"
)

// badLine begins the Error for what package handshake found wrong.
func badLine(stage Stage, err error) *Error {
	e := failed(stage, err)
	if line, ok := errors.AsType[*handshake.Error](err); ok {
		e.Err = lineError{line}
	}
	return e
}

// lineError has the text of what is wrong alone: the stage says what was being done.
type lineError struct{ of *handshake.Error }

// Error is the inner error's text.
func (e lineError) Error() string { return e.of.Err.Error() }

// Unwrap returns the whole.
func (e lineError) Unwrap() error { return e.of }

// failed begins an Error. What the plugin left behind is added when it has been ended.
func failed(stage Stage, err error) *Error {
	return &Error{Stage: stage, ExitCode: -1, Err: err, Hint: adviceIn(err)}
}

func (e *Error) at(path string) *Error {
	e.Path = path
	return e
}

func (e *Error) hint(text string) *Error {
	e.Hint = text
	return e
}

// notConnected tells what TLS or the system has refused from what did not answer.
func notConnected(err error) *Error {
	e := failed(StageConnect, err)
	switch {
	case errors.Is(err, mtls.ErrPeer):
		return e.hint(hintSubstituted)
	case errors.Is(err, ErrTLS):
		return e.hint(hintTLS)
	case errors.Is(err, errShaking):
		return e.hint(hintNoSpeech)
	case errors.Is(err, ErrOwner):
		return e.hint(hintOwner)
	default:
		return e
	}
}

// adviceIn finds the advice that a room below gave.
func adviceIn(err error) string {
	if isOutOfFiles(err) {
		return hintFiles
	}
	if errors.Is(err, ErrChecksum) {
		return hintChecksum
	}
	if start, ok := errors.AsType[*process.StartError](err); ok {
		return start.Hint
	}
	if line, ok := errors.AsType[*handshake.Error](err); ok {
		return line.Hint
	}
	if socket, ok := errors.AsType[*transport.Error](err); ok {
		return socket.Hint
	}
	return ""
}

// lateError is why Open's context ends by itself.
type lateError struct{ after time.Duration }

func (e lateError) Error() string { return fmt.Sprintf("the plugin is not ready after %v", e.after) }

func (e lateError) Unwrap() error { return context.DeadlineExceeded }

// stopped says why ctx ended, in a way that errors.Is finds both the caller's cause and the context's error.
func stopped(ctx context.Context) error {
	cause := context.Cause(ctx)
	if errors.Is(cause, ctx.Err()) {
		return cause
	}
	return fmt.Errorf("%w: %w", ctx.Err(), cause)
}

// interrupted adds to err that ctx ended it. That the program ended is for abandon to add, which knows how.
func interrupted(ctx context.Context, err error) error {
	if errors.Is(context.Cause(ctx), ErrExited) {
		return err
	}
	return fmt.Errorf("%w: %w", stopped(ctx), err)
}

// abandon ends a program that did not become a plugin, and completes e with how the program ended where it did so by itself.
func (c *child) abandon(ctx context.Context, e *Error) *Error {
	if mayBeEnding(e) {
		closesWithin(ctx, c.proc.Done(), lingerTime)
	}
	exit, ended := c.proc.Exit()
	ended = ended && !c.killed.Load()
	c.end()
	e.Path, e.Stderr = c.cfg.Path, c.stderr.Tail()
	switch {
	case ended:
		e.Err = fmt.Errorf("%w: %s: %w", ErrExited, exit, e.Err)
		e.ExitCode, e.Signal = exit.Code, exit.Signal
	case ctx.Err() != nil && !errors.Is(e.Err, ctx.Err()):
		e.Err = fmt.Errorf("%w: %w", stopped(ctx), e.Err)
	}
	if !errors.Is(e, context.Canceled) { // whoever did that needs no advice
		e.Hint = advise(e, ended)
	}
	return e
}

// mayBeEnding tells a program that hung up, and so may end in a moment and say why, from one that does something else wrong.
func mayBeEnding(e *Error) bool {
	switch e.Stage {
	case StageHandshake:
		return errors.Is(e, handshake.ErrNoHandshake)
	case StageConnect, StageVerify:
		return !errors.Is(e, ErrNotServing) && !errors.Is(e, mtls.ErrPeer) && !errors.Is(e, ErrOwner)
	default:
		return false
	}
}
