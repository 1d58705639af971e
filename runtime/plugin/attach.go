package plugin

import (
	"context"
	"errors"
	"os"
	"slices"

	"github.com/plugingen/plugingen/runtime/handshake"
	"github.com/plugingen/plugingen/runtime/internal/birth"
	"github.com/plugingen/plugingen/runtime/internal/lane"
)

// ServeAttachable serves without a host that started this process: for hosts that attach, any number, one after the other or at once. It
// calls ready, once, when they can, and returns when ctx ends; that is a good end, as in [Serve], and the error is nil.
//
// It is for tests, and for programs that want to be debugged while they are a plugin; [Main] does the latter by itself. It leaves alone what a
// process has one of, so it can be called at any time and several times at once: the environment, of which it heeds nothing,
// signals, and standard output, where prints stay. A host's Shutdown does not end it. The plugin has its highest protocol version.
//
// Without a TLSConfig it listens on a private unix socket, for this user alone; on tcp, where Handshake allows or has nothing else, every user of
// the machine can call it.
func ServeAttachable(ctx context.Context, cfg Config, ready func(handshake.Attachment)) error {
	cfg = cfg.withDefaults()
	if err := cfg.validate(); err != nil {
		return err
	}
	said := launch{transports: cfg.Handshake.Networks()}
	sec, err := said.security(cfg)
	if err != nil {
		return err
	}
	in, err := said.open(cfg, sec, false)
	if err != nil {
		return err
	}
	version := slices.Max(cfg.Handshake.Versions())
	s, err := newServer(cfg, sec, in, cfg.Services[version])
	if err != nil {
		in.end()
		return err
	}
	s.stays = true
	l := &life{server: s, cfg: cfg, served: make(chan error, 1)}
	return l.receive(ctx, func() { ready(s.describe(cfg, version)) })
}

// receive is what run is for a plugin with a host.
func (l *life) receive(ctx context.Context, ready func()) error {
	go func() { l.served <- l.serve() }()
	ready()
	select {
	case err := <-l.served:
		l.served <- nil
		close(l.printed.end)
		return errors.Join(&Error{Op: "accept connections", Err: err}, l.cut())
	case <-ctx.Done():
	}
	return l.stop()
}

func (s *server) describe(cfg Config, version int) handshake.Attachment {
	a := handshake.Attachment{
		Protocol:        handshake.ProtocolGRPC,
		ProtocolVersion: version,
		Network:         s.Addr().Network(),
		Address:         s.Addr().String(),
		PID:             os.Getpid(),
		Start:           birth.Of(os.Getpid()),
		MagicCookieKey:  cfg.Handshake.MagicCookieKey,
		Test:            true,
	}
	if s.lanes {
		a.Lane = lane.Version
	}
	if cfg.TLSConfig != nil {
		a.TLS = handshake.TLSOwn
	}
	return a
}
