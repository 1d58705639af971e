package host

import (
	"context"
	"fmt"

	"github.com/plugingen/plugingen/runtime/handshake"
)

// Open starts a plugin and returns when it has answered: its first health check, or on an inherited socket with the first word there.
//
// ctx and Config.StartTimeout bound the start, not the plugin's life, which ends with Close. The error is an *Error, and
// nothing of the plugin is left then: no process, socket, folder or descriptor.
func Open(ctx context.Context, cfg Config) (*Plugin, error) {
	cfg = cfg.withDefaults()
	if err := cfg.validate(); err != nil {
		return nil, failed(StageConfig, err).at(cfg.Path)
	}
	if p, asked, err := attachFromEnv(ctx, cfg); asked {
		return p, err
	}
	return ours.launch(ctx, func(ctx context.Context, m *member) (*Plugin, error) { return open(ctx, m, cfg) })
}

func open(ctx context.Context, m *member, cfg Config) (*Plugin, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, cfg.StartTimeout, lateError{cfg.StartTimeout})
	defer cancel()
	done, waited := ours.turn(ctx)
	if waited != nil {
		return nil, failed(StageLaunch, waited).at(cfg.Path)
	}
	defer done()
	c, err := launch(ctx, cfg)
	if err != nil {
		return nil, err.at(cfg.Path)
	}
	c.member = m
	p, err := bringUp(ctx, c)
	if err != nil {
		return nil, c.abandon(ctx, err)
	}
	return p, nil
}

// bringUp takes the started program through the stages that make a plugin of it.
func bringUp(ctx context.Context, c *child) (*Plugin, *Error) {
	response, err := c.awaitLine(ctx)
	if err != nil {
		return nil, err
	}
	response, err = c.negotiate(response)
	if err != nil {
		return nil, err
	}
	return c.join(ctx, response)
}

// join connects to a plugin that says where it is.
func (c *child) join(ctx context.Context, response handshake.Response) (*Plugin, *Error) {
	conn := c.newCarrier(response)
	if conn.takeLane(ctx, c) {
		return newPlugin(c, response, conn), nil
	}
	ctx, stop := c.whileRunning(ctx)
	defer stop()
	err := conn.connect(ctx, c, response)
	if err != nil {
		return nil, err
	}
	if err := conn.verified(ctx, c.cfg); err != nil {
		conn.close()
		return nil, err
	}
	return newPlugin(c, response, conn), nil
}

// negotiate returns the response with the plugin's address as this host sees it, once it is what the host takes.
func (c *child) negotiate(announced handshake.Response) (handshake.Response, *Error) {
	response, err := c.proc.seenByHost(announced)
	if err != nil {
		return response, failed(StageNegotiate, err).hint(hintTranslator)
	}
	return response, negotiate(c.cfg, response)
}

// negotiate compares what the plugin says with what the host takes. It fails closed: nothing is dialled that was not asked for.
func negotiate(cfg Config, r handshake.Response) *Error {
	switch err := r.CheckVersion(cfg.Handshake.Versions()); {
	case err != nil:
		return badLine(StageNegotiate, err)
	case r.Protocol != handshake.ProtocolGRPC:
		return failed(StageNegotiate, fmt.Errorf("%w but %s", ErrProtocol, r.Protocol)).hint(hintNetRPC)
	case r.Multiplex && !cfg.Multiplex:
		return failed(StageNegotiate, fmt.Errorf("%w: the plugin does, and this host has not asked for it", ErrMultiplex)).hint(hintMultiplex)
	case cfg.Multiplex && !r.Multiplex:
		return failed(StageNegotiate, fmt.Errorf("%w: this host asks for it, and the plugin does not", ErrMultiplex)).hint(hintNoMultiplex)
	}
	if err := checkNetwork(cfg, r); err != nil {
		return err
	}
	return checkTLS(cfg, r)
}

func checkNetwork(cfg Config, r handshake.Response) *Error {
	if _, err := handshake.NegotiateTransport([]string{r.Network}, cfg.Handshake.Networks()); err != nil {
		return badLine(StageNegotiate, err).hint(hintTransport)
	}
	if !cfg.AllowRemote && !r.IsLoopback() {
		return failed(StageNegotiate, fmt.Errorf("%w: %s", ErrRemote, r.Address)).hint(hintRemote)
	}
	return nil
}
