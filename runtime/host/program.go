package host

import (
	"context"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/plugingen/plugingen/runtime/handshake"
)

// launcherTimeout bounds calls of what a launcher returned: they ask, or tell, and do not wait for the program.
const launcherTimeout = 5 * time.Second

// program is what a launcher has started, as the host sees it: no call blocks for longer than it may, and output ends when
// the host says so.
type program struct {
	launched Launched
	trusted  bool // it is ours, and never blocks
	id       string
	stdout   io.Reader
	stderr   io.Reader
	done     <-chan struct{}
	cuts     []func() // end stdout and stderr, whatever the launcher does

	exitOnce    sync.Once
	exit        Exit
	releaseOnce sync.Once
}

// startProgram calls the launcher. What it returns after ctx has ended is killed.
func startProgram(ctx context.Context, launcher Launcher, what Launch) (*program, error) {
	type result struct {
		launched Launched
		err      error
	}
	results := make(chan result, 1)
	go func() {
		launched, err := safely(func() (Launched, error) { return launcher.Launch(ctx, what) })
		results <- result{launched, err}
	}()
	select {
	case r := <-results:
		if r.err != nil {
			return nil, r.err
		}
		return newProgram(r.launched)
	case <-ctx.Done():
		go func() {
			if r := <-results; r.err == nil {
				dispose(r.launched)
			}
		}()
		return nil, fmt.Errorf("the launcher has not started it yet: %w", stopped(ctx))
	}
}

// dispose ends what nobody wants any more.
func dispose(launched Launched) {
	if launched == nil {
		return
	}
	_, _ = within(launcherTimeout, func(ctx context.Context) (struct{}, error) { return struct{}{}, launched.Kill(ctx) })
	_, _ = safely(func() (struct{}, error) { launched.Release(); return struct{}{}, nil })
}

func newProgram(launched Launched) (*program, error) {
	if launched == nil {
		return nil, fmt.Errorf("%w: Launch has returned nothing", ErrLauncher)
	}
	p := &program{launched: launched}
	_, p.trusted = launched.(interface{ neverBlocks() })
	_, err := call(p, func(context.Context) (struct{}, error) {
		p.id, p.stdout, p.stderr, p.done = launched.ID(), launched.Stdout(), launched.Stderr(), launched.Done()
		return struct{}{}, nil
	})
	if err == nil && (p.stdout == nil || p.stderr == nil || p.done == nil) {
		err = fmt.Errorf("%w: Stdout, Stderr or Done is nil", ErrLauncher)
	}
	if err != nil {
		go dispose(launched)
		return nil, err
	}
	if !p.trusted {
		p.stdout, p.stderr = p.cuttable(p.stdout), p.cuttable(p.stderr)
		go p.cutLate()
	}
	return p, nil
}

// cuttable reads from src until the host cuts it off; a read of src that does not end is then left to itself.
func (p *program) cuttable(src io.Reader) io.Reader {
	r, w := io.Pipe()
	p.cuts = append(p.cuts, func() { _ = r.CloseWithError(io.EOF) })
	go func() {
		_, err := safely(func() (int64, error) { return io.Copy(w, src) })
		_ = w.CloseWithError(err)
	}()
	return r
}

// cutLate gives the output of a program that has ended a moment to arrive; another program may hold it open.
func (p *program) cutLate() {
	<-p.done
	time.AfterFunc(waitDelay, p.cut)
}

// cut ends Stdout and Stderr for the host.
func (p *program) cut() {
	if p.trusted {
		p.launched.Release() // ours may be released more than once
	}
	for _, cut := range p.cuts {
		cut()
	}
}

// Done is closed when the program has ended.
func (p *program) Done() <-chan struct{} { return p.done }

// Exit says how the program ended; false while it has not.
func (p *program) Exit() (Exit, bool) {
	if !isClosed(p.done) {
		return Exit{Code: -1}, false
	}
	p.exitOnce.Do(func() {
		exit, err := call(p, func(context.Context) (Exit, error) { return p.launched.Exit(), nil })
		if err != nil {
			exit = Exit{Code: -1}
		}
		p.exit = exit
	})
	return p.exit, true
}

// PID is 0 where the launcher knows of no process.
func (p *program) PID() int {
	if has, ok := p.launched.(interface{ PID() int }); ok {
		return has.PID()
	}
	return 0
}

func (p *program) terminate() error { return p.tell(p.launched.Terminate) }

func (p *program) kill() error { return p.tell(p.launched.Kill) }

// tell spares a program that has ended.
func (p *program) tell(f func(context.Context) error) error {
	if isClosed(p.done) {
		return nil
	}
	_, err := call(p, func(ctx context.Context) (struct{}, error) { return struct{}{}, f(ctx) })
	return err
}

func (p *program) release() {
	p.cut()
	p.releaseOnce.Do(func() {
		_, _ = call(p, func(context.Context) (struct{}, error) { p.launched.Release(); return struct{}{}, nil })
	})
}

// resolve turns an address that the plugin announced into the host's view of it.
func (p *program) resolve(network, address string) (string, string, error) {
	t, ok := p.launched.(AddressTranslator)
	if !ok {
		return network, address, nil
	}
	return p.translate(t.PluginToHost, network, address)
}

// announced turns an address at which this host listens into the plugin's view of it.
func (p *program) announced(network, address string) (string, string, error) {
	t, ok := p.launched.(AddressTranslator)
	if !ok {
		return network, address, nil
	}
	return p.translate(t.HostToPlugin, network, address)
}

type translation func(ctx context.Context, network, address string) (string, string, error)

func (p *program) translate(f translation, network, address string) (string, string, error) {
	type place struct{ network, address string }
	to, err := call(p, func(ctx context.Context) (to place, err error) {
		to.network, to.address, err = f(ctx, network, address)
		return to, err
	})
	if err != nil {
		return "", "", fmt.Errorf("translate the address %s %s: %w", network, address, err)
	}
	return to.network, to.address, nil
}

// seenByHost is r with the address at which this host reaches the plugin, checked as if the plugin had announced that.
func (p *program) seenByHost(r handshake.Response) (handshake.Response, error) {
	network, address, err := p.resolve(r.Network, r.Address)
	if err != nil || network == r.Network && address == r.Address {
		return r, err
	}
	r.Network, r.Address = network, address
	line, err := handshake.Build(r)
	if err != nil {
		return r, err
	}
	return handshake.Parse(line)
}

// call bounds f, unless the program is known never to block.
func call[T any](p *program, f func(context.Context) (T, error)) (T, error) {
	if p.trusted {
		return f(context.Background())
	}
	return within(launcherTimeout, f)
}

// within returns what f does, or an error once d has passed: f is then left to itself.
func within[T any](d time.Duration, f func(context.Context) (T, error)) (T, error) {
	ctx, cancel := context.WithTimeout(context.Background(), d)
	type result struct {
		value T
		err   error
	}
	results := make(chan result, 1)
	go func() {
		value, err := safely(func() (T, error) { return f(ctx) })
		results <- result{value, err}
	}()
	defer cancel()
	select {
	case r := <-results:
		return r.value, r.err
	case <-ctx.Done():
		var none T
		return none, fmt.Errorf("%w: it has not answered for %v", ErrLauncher, d)
	}
}

// safely makes an error of a panic.
func safely[T any](f func() (T, error)) (value T, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("%w: it panics: %v", ErrLauncher, r)
		}
	}()
	return f()
}
