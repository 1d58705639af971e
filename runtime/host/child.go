package host

import (
	"bufio"
	"context"
	"errors"
	"io"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/plugingen/plugingen/runtime/handshake"
	"github.com/plugingen/plugingen/runtime/internal/mtls"
	"github.com/plugingen/plugingen/runtime/relay"
	"github.com/plugingen/plugingen/runtime/transport"
)

const (
	waitDelay   = time.Second            // for pipes, streams and writers after the plugin has ended
	lingerTime  = 500 * time.Millisecond // for a plugin that hung up to end
	killTimeout = 10 * time.Second       // for the system to end a killed process; one stuck in a driver takes longer
)

// child is the started program with what the host keeps around it: its folder, its pipes, and who reads them.
type child struct {
	cfg  Config
	dir  *transport.SocketDir // nil when no unix socket may be used
	proc *program
	// attached is what proc is about when another host, or nobody, has started the program; nil otherwise.
	attached *attached
	member   *member // of the fleet
	stderr   *relay.Relay
	// identity is what the host shows to this plugin alone; nothing unless TLS is automatic.
	identity mtls.Identity
	stdout   tap
	relays   sync.WaitGroup

	terminated, killed atomic.Bool // what this host did to it
}

// launch makes the socket folder and starts the program in it.
func launch(ctx context.Context, cfg Config) (*child, *Error) {
	c := &child{cfg: cfg, stderr: relay.New(relayConfig(cfg, "stderr"))}
	if err := c.prepare(); err != nil {
		return nil, failed(StageLaunch, errors.Join(err, c.removeDir()))
	}
	if err := c.start(ctx); err != nil {
		return nil, failed(StageLaunch, errors.Join(err, c.removeDir()))
	}
	return c, nil
}

// prepare makes the folder and, meanwhile, the key.
func (c *child) prepare() (err error) {
	identity := c.cfg.makeIdentity()
	dirErr := c.makeDir()
	c.identity, err = identity()
	return errors.Join(dirErr, err)
}

func (c *child) makeDir() error {
	if !slices.Contains(c.cfg.Handshake.Networks(), handshake.Unix) {
		return nil
	}
	dir, err := transport.NewSocketDir(c.cfg.SocketDir, c.cfg.SocketGroup)
	if err != nil {
		return err
	}
	c.dir = dir
	return nil
}

func (c *child) removeDir() error {
	if c.dir == nil {
		return nil
	}
	return c.dir.Remove()
}

func (c *child) start(ctx context.Context) error {
	if ctx.Err() != nil {
		return stopped(ctx)
	}
	dir := ""
	if c.dir != nil {
		dir = c.dir.Path()
	}
	proc, err := startProgram(ctx, c.cfg.Launcher, Launch{
		Path:      c.cfg.Path,
		Args:      slices.Clone(c.cfg.Args),
		Dir:       c.cfg.Dir,
		Checksum:  c.cfg.Checksum,
		Env:       append(c.cfg.environ(dir), c.tlsEnv()...),
		SocketDir: dir,
		lane:      c.cfg.greeting(),
	})
	if err != nil {
		return err
	}
	c.proc = proc
	c.stdout.r = proc.stdout
	c.relay(c.stderr, proc.stderr)
	return nil
}

func relayConfig(cfg Config, stream string) relay.Config {
	return relay.Config{Logger: cfg.Logger, Stream: stream, MaxRate: cfg.MaxLogRate, DrainTimeout: waitDelay}
}

// relay reads src to its end in the background. An error of Run says that the logger fails or blocks: there is nobody to tell.
func (c *child) relay(r *relay.Relay, src io.Reader) {
	c.relays.Go(func() { _ = r.Run(src) })
}

// awaitLine reads the handshake line. Nothing but closing the pipe ends that, so when ctx does, the program is ended.
func (c *child) awaitLine(ctx context.Context) (handshake.Response, *Error) {
	stop := context.AfterFunc(ctx, func() {
		c.kill()
		c.proc.cut()
	})
	noise := &noise{c: c}
	defer noise.end()
	stdout := bufio.NewReader(&c.stdout)
	response, err := handshake.Read(stdout, noise.line)
	if !stop() {
		return response, failed(StageHandshake, c.stdout.errorAt(stopped(ctx))).hint(hintSlow)
	}
	if err != nil {
		return response, badLine(StageHandshake, err)
	}
	c.relay(relay.New(relayConfig(c.cfg, "stdout")), stdout)
	return response, nil
}

// whileRunning is ctx until the program ends. stop waits for what it started.
func (c *child) whileRunning(ctx context.Context) (_ context.Context, stop func()) {
	ctx, cancel := context.WithCancelCause(ctx)
	var watch sync.WaitGroup
	watch.Go(func() {
		select {
		case <-c.proc.Done():
			cancel(ErrExited)
		case <-ctx.Done():
		}
	})
	return ctx, func() {
		cancel(nil)
		watch.Wait()
	}
}

func (c *child) terminate() error {
	c.terminated.Store(true)
	return c.proc.terminate()
}

func (c *child) kill() {
	if _, ended := c.proc.Exit(); !ended {
		c.killed.Store(true)
	}
	_ = c.proc.kill() // fails only where the plugin changed its user; then waiting for it says so
}

// awaitEnd waits for the program to end, at most for d (zero or less: not at all).
func (c *child) awaitEnd(d time.Duration) bool {
	return closesWithin(context.Background(), c.proc.Done(), d)
}

// end kills what still runs and releases everything.
func (c *child) end() {
	c.kill()
	if !c.awaitEnd(killTimeout) {
		c.proc.cut() // it will not let go of its pipes
	}
	c.relays.Wait()
	c.proc.release()
	if err := c.removeDir(); err != nil {
		note(c.cfg.Logger, slog.LevelWarn, "the plugin's socket folder is left", "error", err)
	}
}
