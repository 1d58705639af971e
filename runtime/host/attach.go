package host

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/plugingen/plugingen/runtime/handshake"
	"github.com/plugingen/plugingen/runtime/internal/birth"
	"github.com/plugingen/plugingen/runtime/internal/lane"
	"github.com/plugingen/plugingen/runtime/internal/process"
	"github.com/plugingen/plugingen/runtime/relay"
)

// Attach connects to a plugin that runs already: one that another host has started (Plugin.Attachment describes it), that serves
// under a debugger (plugin.Main with PLUGINGEN_DEBUG), inside a test, or in the test mode of go-plugin.
//
// Of the Config, what says how to start a program is not heeded, nor is Multiplex, which the description decides; Path, if any, is only
// a name, and a Checksum is refused, because nothing could check it. Version, transport, address and owner of the socket are checked as at a start. Automatic mutual TLS cannot be
// attached to: its keys are in the memory of the host that started the plugin. The Config must then have the contract's TLSConfig, or
// the plugin serve on a private unix socket; TLSOff takes one on tcp, where every user of the machine could pose as it.
//
// Close leaves the plugin running, unless Config.StopAttached says otherwise. What the plugin writes on its standard error goes to the
// host that started it, so Stderr is empty, and when it ends nothing tells how. Its end is noticed at once on Linux, within a
// tenth of a second elsewhere; that of a plugin whose process is not known shows in calls and pings alone.
//
// ctx and Config.StartTimeout bound the attaching. The error is an *Error; it is ErrExited when the process is gone, or its number
// has become another's.
func Attach(ctx context.Context, to handshake.Attachment, cfg Config) (*Plugin, error) {
	if cfg.Path == "" {
		cfg.Path = fmt.Sprintf("process %d", to.PID)
	}
	cfg = cfg.withDefaults()
	if err := cfg.validate(); err != nil {
		return nil, failed(StageConfig, err).at(cfg.Path)
	}
	return attach(ctx, to, cfg)
}

// attachFromEnv does what the person wants who has set handshake.EnvAttach; asked is false when that is nothing.
func attachFromEnv(ctx context.Context, cfg Config) (p *Plugin, asked bool, err error) {
	text := os.Getenv(handshake.EnvAttach)
	if !cfg.AttachFromEnv || text == "" {
		return nil, false, nil
	}
	all, err := handshake.ParseAttachments(text)
	if err != nil {
		return nil, true, badLine(StageConfig, err).at(cfg.Path)
	}
	to, asked := all[programName(cfg.Path)]
	if !asked {
		return nil, false, nil
	}
	note(cfg.Logger, slog.LevelWarn, "the plugin is not started: the environment says to attach to one that runs",
		"variable", handshake.EnvAttach, "process", to.PID, "address", to.Address)
	p, err = attach(ctx, to, cfg)
	return p, true, err
}

func programName(path string) string { return strings.TrimSuffix(filepath.Base(path), ".exe") }

func attach(ctx context.Context, to handshake.Attachment, cfg Config) (*Plugin, error) {
	return ours.launch(ctx, func(ctx context.Context, m *member) (*Plugin, error) { return join(ctx, m, to, cfg) })
}

func join(ctx context.Context, m *member, to handshake.Attachment, cfg Config) (*Plugin, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, cfg.StartTimeout, lateError{cfg.StartTimeout})
	defer cancel()
	to, response, failure := cfg.accept(to)
	if failure != nil {
		return nil, failure.at(cfg.Path)
	}
	a, err := attachTo(to, response.IsLoopback())
	if err != nil {
		return nil, failed(StageAttach, err).hint(hintGone).at(cfg.Path)
	}
	c := &child{cfg: cfg, stderr: relay.New(relayConfig(cfg, "stderr")), attached: a, member: m}
	if c.proc, err = newProgram(a); err != nil {
		return nil, failed(StageAttach, err).at(cfg.Path)
	}
	p, failure := c.join(ctx, response)
	if failure != nil {
		return nil, c.abandon(ctx, failure)
	}
	a.mayEnd.Store(cfg.StopAttached && !to.Test)
	return p, nil
}

// accept compares the description with what this host takes. It fails closed, as at a start.
func (c Config) accept(to handshake.Attachment) (handshake.Attachment, handshake.Response, *Error) {
	to, err := handshake.ParseAttachment(to.String())
	if err != nil {
		return to, handshake.Response{}, badLine(StageAttach, err)
	}
	r := handshake.Response{
		ProtocolVersion: to.ProtocolVersion, Network: to.Network, Address: to.Address, Protocol: to.Protocol, Multiplex: to.Multiplex,
	}
	c.Multiplex = to.Multiplex // there is nobody to ask
	switch {
	case c.Checksum != "":
		return to, r, failed(StageConfig, errors.New("checksum: of a program that runs already it cannot be checked"))
	case to.MagicCookieKey != "" && to.MagicCookieKey != c.Handshake.MagicCookieKey:
		return to, r, failed(StageNegotiate, fmt.Errorf("%w: the plugin's key is %s, this host's %s",
			handshake.ErrCookieMismatch, to.MagicCookieKey, c.Handshake.MagicCookieKey)).hint(hintContract)
	}
	if err := c.acceptTLS(to); err != nil {
		return to, r, err.hint(hintAttachTLS)
	}
	return to, r, negotiate(c, r)
}

func (c Config) acceptTLS(to handshake.Attachment) *Error {
	switch p := c.protection(); {
	case to.TLS == handshake.TLSMutual:
		return failed(StageNegotiate, fmt.Errorf("%w: the plugin takes only the host that started it", ErrTLS))
	case to.TLS == handshake.TLSOwn && p != own:
		return failed(StageNegotiate, fmt.Errorf("%w: the plugin has certificates of its own, and this host no TLSConfig", ErrTLS))
	case p == mutual:
		return failed(StageNegotiate, fmt.Errorf("%w: this host asks for automatic TLS, which a plugin that runs already cannot have", ErrTLS))
	default:
		return nil
	}
}

// attached is a plugin of another host as what a launcher returns. It never blocks, and unless it may end the plugin, to kill means to let go.
type attached struct {
	to     handshake.Attachment
	proc   *process.Attached // nil when it is not known
	mayEnd atomic.Bool

	done    chan struct{} // closed when the process has ended, or was let go
	letGo   chan struct{}
	letOnce sync.Once
}

func attachTo(to handshake.Attachment, isLocal bool) (*attached, error) {
	a := &attached{to: to, done: make(chan struct{}), letGo: make(chan struct{})}
	var ended <-chan struct{}
	if to.PID != 0 && isLocal {
		proc, err := process.Attach(to.PID, a.isSame)
		if err != nil {
			return nil, fmt.Errorf("%w: process %d: %w", ErrExited, to.PID, err)
		}
		a.proc, ended = proc, proc.Done()
	}
	go func() {
		defer close(a.done)
		select {
		case <-ended:
		case <-a.letGo:
		}
	}()
	return a, nil
}

// isSame takes what does not tell its birth for the same.
func (a *attached) isSame() bool {
	if a.to.Start == "" {
		return true
	}
	now := birth.Of(a.to.PID)
	return now == "" || now == a.to.Start
}

func (a *attached) neverBlocks() {}

// ID is Launched's.
func (a *attached) ID() string {
	if a.to.PID == 0 {
		return "attached at " + a.to.Address
	}
	return fmt.Sprintf("process %d", a.to.PID)
}

// PID is that of the description.
func (a *attached) PID() int { return a.to.PID }

// Stdout and Stderr are another host's to read.
func (a *attached) Stdout() io.Reader { return strings.NewReader("") }

// Stderr is Launched's.
func (a *attached) Stderr() io.Reader { return strings.NewReader("") }

// Done is Launched's.
func (a *attached) Done() <-chan struct{} { return a.done }

// Exit is good when the plugin was let go: for this host it is over.
func (a *attached) Exit() Exit {
	if isClosed(a.letGo) {
		return Exit{}
	}
	return Exit{Code: -1}
}

// Terminate is Launched's.
func (a *attached) Terminate(context.Context) error {
	if a.mayEnd.Load() && a.mayBeSignalled() {
		return a.proc.Terminate()
	}
	return errors.ErrUnsupported
}

// Kill is Launched's. What cannot be killed safely is let go.
func (a *attached) Kill(context.Context) error {
	if a.mayEnd.Load() && a.mayBeSignalled() {
		return a.proc.Kill()
	}
	a.let()
	return nil
}

// mayBeSignalled makes sure of hitting the plugin: without its birth, another process could have got its number before this host came.
func (a *attached) mayBeSignalled() bool { return a.proc != nil && a.to.Start != "" }

func (a *attached) let() { a.letOnce.Do(func() { close(a.letGo) }) }

// Release is Launched's.
func (a *attached) Release() {
	a.let()
	if a.proc != nil {
		a.proc.Release()
	}
}

// Attachment describes the plugin to other hosts on this machine, for Attach. It is only good while the plugin runs. A plugin made with
// this module ends with the host that started it; others may live on.
func (p *Plugin) Attachment() handshake.Attachment {
	if p.child.attached != nil {
		return p.child.attached.to
	}
	a := handshake.Attachment{
		Protocol:        handshake.ProtocolGRPC,
		ProtocolVersion: p.version,
		Network:         p.carrier.network,
		Address:         p.carrier.address,
		PID:             p.PID(),
		Start:           birth.Of(p.PID()),
		MagicCookieKey:  p.child.cfg.Handshake.MagicCookieKey,
		Multiplex:       p.carrier.mux != nil,
	}
	if isClosed(p.child.proc.Done()) { // the number may be another's
		a.Start = ""
	}
	switch p.child.cfg.protection() {
	case mutual:
		a.TLS = handshake.TLSMutual
	case own:
		a.TLS = handshake.TLSOwn
	}
	if p.Tier() != TierGRPC && noSocketLane(a) == "" {
		a.Lane = lane.Version // it takes the lane there as well
	}
	return a
}
