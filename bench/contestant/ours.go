package contestant

import (
	"context"
	"errors"
	"io"
	"log/slog"

	"github.com/plugingen/plugingen/bench/callback"
	"github.com/plugingen/plugingen/bench/contract"
	"github.com/plugingen/plugingen/bench/load"
	"github.com/plugingen/plugingen/bench/programs"
	"github.com/plugingen/plugingen/runtime/host"
)

// ours is a plugin of plugingen under its host. Another carrier or TLS is another value of it.
type ours struct {
	name      string
	configure func(*host.Config) // nil: as it is
}

// Ours is plugingen's runtime on both sides as it is: calls take the lane, on a socket that the plugin inherits.
func Ours() Contestant { return ours{name: OursName} }

// OursGRPC is Ours without the lane.
func OursGRPC() Contestant {
	return ours{name: "plugingen gRPC", configure: func(cfg *host.Config) { cfg.Lane = host.LaneOff }}
}

// OursTLS is Ours with automatic mutual TLS, which go-plugin calls AutoMTLS: calls take the lane in a stream of gRPC.
func OursTLS() Contestant {
	return ours{name: OursTLSName, configure: func(cfg *host.Config) { cfg.TLS = host.TLSMutual }}
}

// OursTLSGRPC is OursTLS without the lane.
func OursTLSGRPC() Contestant {
	return ours{name: "plugingen TLS gRPC", configure: func(cfg *host.Config) { cfg.TLS, cfg.Lane = host.TLSMutual, host.LaneOff }}
}

// Name is Contestant's.
func (o ours) Name() string { return o.name }

// Program is Contestant's.
func (ours) Program() string { return "./plugins/ours" }

// Settings are for Build: plugingen writes Makefiles.
func (ours) Settings() programs.Settings { return programs.Generated }

// Open is Contestant's.
func (o ours) Open(ctx context.Context, opts Options) (Session, error) {
	cfg := host.Config{Handshake: contract.Handshake, Path: opts.Path, Logger: logger(opts), MaxMessageSize: load.MaxMessage}
	if o.configure != nil {
		o.configure(&cfg)
	}
	p, err := host.Open(ctx, cfg)
	if err != nil {
		return nil, err
	}
	work, err := host.Dispense(p, contract.WorkService)
	if err != nil {
		return nil, errors.Join(err, p.Close())
	}
	return &ourSession{Work: work, streams: streams{p.Conn()}, Plugin: p}, nil
}

// CallbackProgram is CallbackProgram's.
func (ours) CallbackProgram() string { return "./plugins/callback" }

func logger(o Options) *slog.Logger {
	if o.Log == nil {
		return slog.New(slog.DiscardHandler)
	}
	return newTextLogger(o.Log, o.Min)
}

func newTextLogger(w io.Writer, least slog.Level) *slog.Logger {
	return slog.New(slog.NewTextHandler(w, &slog.HandlerOptions{Level: least}))
}

type ourSession struct {
	contract.Work
	streams
	*host.Plugin
}

// CallBack is CallingBack's. The plugin must be of CallbackProgram.
func (s *ourSession) CallBack(ctx context.Context, times int64, back func(context.Context, int64) (int64, error)) error {
	caller, err := host.Dispense(s.Plugin, callback.CallerService)
	if err != nil {
		return err
	}
	return caller.CallBack(ctx, times, back)
}

// Dead is Mortal's.
func (s *ourSession) Dead(ctx context.Context) error {
	select {
	case <-s.Done():
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
