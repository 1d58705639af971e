package host

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/plugingen/plugingen/runtime"
	"github.com/plugingen/plugingen/runtime/broker"
)

// reasonTime bounds how long a call that lost its plugin waits for the reason: the process ends a moment after its socket.
const reasonTime = time.Second

// conn is what clients call through: the carrier, and what the host knows about the plugin when a call fails.
type conn struct {
	p *Plugin
	// contract says that it is a contract's, which lists what of a context crosses; otherwise all metadata does.
	contract bool
	// plain says that what the plugin answers is not remembered: to the services of a .proto, Unimplemented may be an answer
	// to one request.
	plain bool
}

// Invoke is grpc.ClientConnInterface's.
func (c *conn) Invoke(ctx context.Context, method string, args, reply any, opts ...grpc.CallOption) error {
	if gone := c.p.gone(); gone != nil {
		return &callError{reason: gone}
	}
	if missing := c.missing(method); missing != nil {
		return missing
	}
	ctx, cancel := c.bounded(c.crossing(ctx))
	defer cancel()
	err := c.p.carrier.Invoke(ctx, method, args, reply, opts...)
	if c.learns() {
		c.p.methods.Learn(method, err)
	}
	return c.explain(ctx, err)
}

// missing is the error of a call that need not be made. What services say that are none of a contract may change.
func (c *conn) missing(method string) error {
	if !c.learns() {
		return nil
	}
	return c.p.methods.Missing(method)
}

func (c *conn) learns() bool { return c.contract && !c.plain }

// Plain is for package rpc.
func (c *conn) Plain() grpc.ClientConnInterface {
	plain := *c
	plain.plain = true
	return &plain
}

// KnownMethods is for runtime.Service.
func (c *conn) KnownMethods() *runtime.KnownMethods { return &c.p.methods }

// Keep gives all who use the plugin's connection the same value for a key: what first returns the first time.
func (c *conn) Keep(key any, first func() any) any {
	c.p.keptMu.Lock()
	defer c.p.keptMu.Unlock()
	if c.p.kept == nil {
		c.p.kept = map[any]any{}
	}
	if _, has := c.p.kept[key]; !has {
		c.p.kept[key] = first()
	}
	return c.p.kept[key]
}

// NewStream is grpc.ClientConnInterface's.
func (c *conn) NewStream(ctx context.Context, desc *grpc.StreamDesc, method string, opts ...grpc.CallOption) (grpc.ClientStream, error) {
	if gone := c.p.gone(); gone != nil {
		return nil, &callError{reason: gone}
	}
	s, err := c.p.carrier.NewStream(c.crossing(ctx), desc, method, opts...)
	if err != nil {
		return nil, c.explain(ctx, err)
	}
	return &stream{ClientStream: s, explain: c.explain, ctx: ctx}, nil
}

// Broker is for broker.FromConn.
func (c *conn) Broker() *broker.Broker { return c.p.Broker() }

func (c *conn) crossing(ctx context.Context) context.Context {
	if !c.contract {
		return ctx
	}
	return runtime.CallContext(ctx)
}

// CallLost takes the error of a call whose method has no error result; see runtime.ReportLost.
func (c *conn) CallLost(err error) {
	note(c.p.child.cfg.Logger, slog.LevelError, "a call failed in a method without an error result; it returned zero values", "error", err)
	if c.p.child.cfg.OnCallLost != nil {
		c.p.child.cfg.OnCallLost(err)
	}
}

func (c *conn) bounded(ctx context.Context) (context.Context, context.CancelFunc) {
	if _, has := ctx.Deadline(); has || c.p.child.cfg.CallTimeout == 0 {
		return ctx, func() {}
	}
	return context.WithTimeout(ctx, c.p.child.cfg.CallTimeout)
}

// explain adds why the plugin is gone to the error of a call that failed because it is.
func (c *conn) explain(ctx context.Context, err error) error {
	if err == nil || errors.Is(err, io.EOF) {
		return err
	}
	if !c.mayBeGone(ctx, err) {
		return printable(err)
	}
	closesWithin(ctx, c.p.ended, reasonTime)
	if gone := c.p.gone(); gone != nil {
		return &callError{reason: gone, err: err}
	}
	return printable(err)
}

// mayBeGone tells what the connection said from what the plugin answered: with the same code, but while it was there.
func (c *conn) mayBeGone(ctx context.Context, err error) bool {
	return isLoss(ctx, err) && (isClosed(c.p.ended) || c.p.carrier.isLost())
}

func isLoss(ctx context.Context, err error) bool {
	switch status.Code(err) {
	case codes.Unavailable:
		return true
	case codes.Canceled: // also what grpc says once we have closed the connection to a plugin that is gone
		return ctx.Err() == nil
	default:
		return false
	}
}

// stream explains the errors of a stream as conn does those of a call.
type stream struct {
	grpc.ClientStream
	explain func(context.Context, error) error
	ctx     context.Context // the caller's; the stream's own ends with the stream
}

// RecvMsg is grpc.ClientStream's.
func (s *stream) RecvMsg(m any) error { return s.explain(s.ctx, s.ClientStream.RecvMsg(m)) }

// SendMsg is grpc.ClientStream's.
func (s *stream) SendMsg(m any) error { return s.explain(s.ctx, s.ClientStream.SendMsg(m)) }

// CloseSend is grpc.ClientStream's.
func (s *stream) CloseSend() error { return s.explain(s.ctx, s.ClientStream.CloseSend()) }

// Header is grpc.ClientStream's.
func (s *stream) Header() (metadata.MD, error) {
	md, err := s.ClientStream.Header()
	return md, s.explain(s.ctx, err)
}
