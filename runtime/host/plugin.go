package host

import (
	"context"
	"fmt"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"

	"github.com/plugingen/plugingen/runtime"
	"github.com/plugingen/plugingen/runtime/handshake"
)

// pingTimeout bounds a Ping whose context has no deadline.
const pingTimeout = 5 * time.Second

// Plugin is a running plugin. Open makes one; its methods may be used concurrently. Close it when it is no longer needed,
// also when it has ended by itself.
type Plugin struct {
	child     *child
	carrier   *carrier
	stdio     *stdio
	conn      *conn
	contracts *conn // for contracts
	broker    brokerage
	version   int
	methods   runtime.KnownMethods

	keptMu sync.Mutex
	kept   map[any]any // what others keep with the connection

	closeOnce sync.Once
	closing   chan struct{} // closed when Close is called
	closeErr  error         // of the first Close

	ended  chan struct{} // closed when the process has ended and reason is known
	reason *Error        // why it ended; nil when it was asked to and did
	done   chan struct{} // closed when nothing is left of it

	endWatch context.CancelFunc
	watching sync.WaitGroup
	hung     atomic.Pointer[error] // why the watchdog has ended it; nil when it has not
}

func newPlugin(c *child, r handshake.Response, carrier *carrier) *Plugin {
	p := &Plugin{
		child:   c,
		carrier: carrier,
		version: r.ProtocolVersion,
		closing: make(chan struct{}),
		ended:   make(chan struct{}),
		done:    make(chan struct{}),
	}
	p.conn, p.contracts = &conn{p: p}, &conn{p: p, contract: true}
	p.broker.config = brokerConfig(c, r, carrier, p.conn)
	p.stdio = openStdio(c.cfg, carrier)
	p.watch()
	go p.supervise()
	return p
}

// supervise waits for the end of the process, by itself or through Close, and cleans up after it.
func (p *Plugin) supervise() {
	<-p.child.proc.Done()
	p.endWatch()
	p.watching.Wait()
	p.child.relays.Wait()
	p.reason = p.endReason()
	close(p.ended)
	if !p.child.isLeft() { // otherwise what it prints has no end
		p.stdio.drain()
	}
	p.broker.end()
	p.carrier.close()
	p.stdio.end()
	p.child.end()
	ours.remove(p.child.member)
	close(p.done)
}

// endReason is nil when the plugin did what Close asked of it.
func (p *Plugin) endReason() *Error {
	if e := p.unresponsive(); e != nil {
		return e
	}
	exit, _ := p.child.proc.Exit()
	if isClosed(p.closing) || p.child.killed.Load() { // CloseAll may kill before Close has begun
		return p.closeReason(exit)
	}
	e := p.endError(StageRun, fmt.Errorf("%w: %s", ErrExited, exit), exit)
	e.Hint = advise(e, true)
	return e
}

func (p *Plugin) closeReason(exit Exit) *Error {
	switch {
	case p.child.killed.Load() && exit.Code != 0:
		return p.endError(StageClose, ErrKilled, Exit{Code: -1})
	case exit.Code == 0, p.child.attached != nil, p.child.terminated.Load() && endsByTerm(exit):
		return nil
	default:
		return p.endError(StageClose, fmt.Errorf("%w: %s", ErrExited, exit), exit)
	}
}

// endsByTerm tells how programs end that were asked to by SIGTERM: by it, or with the code that shells give that.
func endsByTerm(exit Exit) bool { return exit.Signal == "SIGTERM" || exit.Code == 128+15 }

func (p *Plugin) endError(stage Stage, err error, exit Exit) *Error {
	return &Error{
		Stage:    stage,
		Path:     p.child.cfg.Path,
		ExitCode: exit.Code,
		Signal:   exit.Signal,
		Stderr:   p.child.stderr.Tail(),
		Err:      err,
	}
}

// Name is the base name of the plugin's program.
func (p *Plugin) Name() string { return filepath.Base(p.child.cfg.Path) }

// ID names what runs, for people: "process 4711", or what the Config's Launcher calls it.
func (p *Plugin) ID() string { return p.child.proc.id }

// PID is the number of the plugin's process, and of its process group; 0 where the Config's Launcher knows of none. It may be
// another process's once Done is closed.
func (p *Plugin) PID() int { return p.child.proc.PID() }

// Version is the version of the contract that host and plugin agreed on.
func (p *Plugin) Version() int { return p.version }

// Stderr returns the last lines that the plugin wrote on its standard error, escaped.
func (p *Plugin) Stderr() []string { return p.child.stderr.Tail() }

// Conn is the connection to the plugin, for clients of its services. A call that fails because the plugin is gone has
// the code Unavailable, and errors.As finds an *Error in it that says why. It is good until Close, which cuts calls off.
func (p *Plugin) Conn() grpc.ClientConnInterface { return p.conn }

// Done is closed when the plugin has ended, by itself or through Close, and nothing of it is left.
func (p *Plugin) Done() <-chan struct{} { return p.done }

// Err says why the plugin ended: nil while it runs, and when it ended because Close asked; else an *Error.
func (p *Plugin) Err() error {
	if isClosed(p.done) {
		return p.reason.orNil()
	}
	return nil
}

// orNil keeps a nil *Error from becoming an error that is not nil.
func (e *Error) orNil() error {
	if e == nil {
		return nil
	}
	return e
}

// Ping asks the plugin whether it is well. It always has a deadline: ctx's, else 5 s. A plugin without a health service is
// well when it answers. The error is a gRPC status; ErrNotServing when the plugin says that it is not well,
// and an *Error when it is gone.
func (p *Plugin) Ping(ctx context.Context) error {
	ctx, cancel := withDefaultTimeout(ctx, pingTimeout)
	defer cancel()
	if err := health(ctx, p.conn); err != nil {
		return fmt.Errorf("ping: %w", err)
	}
	return nil
}

// gone is why every call fails from now on; nil while the plugin may be called.
func (p *Plugin) gone() *Error {
	if isClosed(p.ended) && p.reason != nil {
		return p.reason
	}
	if isClosed(p.ended) || isClosed(p.closing) {
		return &Error{Stage: StageClose, Path: p.child.cfg.Path, ExitCode: -1, Err: ErrClosed}
	}
	return nil
}
