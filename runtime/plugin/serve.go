package plugin

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"os/signal"
	"syscall"

	"github.com/plugingen/plugingen/runtime/handshake"
	"github.com/plugingen/plugingen/runtime/internal/stdout"
)

// Serve serves the plugin until its host asks it to stop or dies, SIGTERM comes, or ctx ends; all of these are good ends, and
// it returns nil. It returns an error at once when the program is misconfigured, was not started by a host of its own
// (see handshake.ErrCookieNotProvided and handshake.ErrCookieMismatch), or cannot listen as its host wants.
//
// Serve uses what a process has one of: the environment, standard output and signals. So a process serves once. When it
// returns, standard output is what it was and no goroutine, socket or folder is left, unless a method of an implementation
// ignores its context's end. Panics of implementations end the process, as everywhere in Go: the host sees them on
// standard error. Implementations are not closed: that is for main, which made them.
func Serve(ctx context.Context, cfg Config) error {
	cfg = cfg.withDefaults()
	if err := cfg.validate(); err != nil {
		return err
	}
	if err := handshake.ValidateMagicCookie(cfg.Handshake, os.LookupEnv); err != nil {
		return err
	}
	said := takeLaunch(cfg.Handshake.MagicCookieKey)
	out, err := stdout.Take()
	if err != nil {
		return &Error{Op: "take standard output", Hint: "the host must read it: the handshake goes there", Err: err}
	}
	return errors.Join(serve(ctx, cfg, said, out), out.GiveBack(), out.Close())
}

// swallowSignals makes SIGINT the host's business, and a broken pipe an error instead of the end: a plugin whose host
// has died must be able to log that and to clean up, so that lasts even after Serve. Nobody reads the channels, and
// children still get both signals' defaults.
func swallowSignals() (stop func()) {
	interrupts, pipes := make(chan os.Signal, 1), make(chan os.Signal, 1)
	signal.Notify(interrupts, os.Interrupt)
	signal.Notify(pipes, syscall.SIGPIPE)
	return func() { signal.Stop(interrupts) }
}

func serve(ctx context.Context, cfg Config, said launch, out *stdout.Taken) error {
	sec, err := said.security(cfg)
	if err != nil {
		return err
	}
	version := said.negotiate(cfg)
	conn := said.acceptLane(cfg, sec)
	in, err := said.open(cfg, sec, conn != nil)
	if err != nil {
		return errors.Join(err, closeConn(conn))
	}
	s, err := newServer(cfg, sec, in, cfg.Services[version])
	if err == nil {
		err = s.lane.greet(conn, in.broker)
	}
	if err != nil {
		in.end()
		return errors.Join(err, closeConn(conn))
	}
	life := &life{server: s, out: out, cfg: cfg}
	return life.run(ctx, func() error { return announce(out.Real, version, in, sec) })
}

// closeConn takes a nil one, too.
func closeConn(conn net.Conn) error {
	if conn == nil {
		return nil
	}
	return conn.Close()
}

// announce tells the host where the plugin listens.
func announce(w io.Writer, version int, in *entrance, sec security) error {
	line, err := handshake.Build(handshake.Response{
		ProtocolVersion: version,
		Network:         in.Addr().Network(),
		Address:         in.Addr().String(),
		Protocol:        handshake.ProtocolGRPC,
		Certificate:     sec.certificate,
		Multiplex:       in.mux != nil,
	})
	if err != nil {
		return err
	}
	if _, err := io.WriteString(w, line); err != nil {
		return &Error{Op: "announce the plugin", Hint: "the host has closed the plugin's standard output", Err: err}
	}
	return nil
}
