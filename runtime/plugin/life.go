package plugin

import (
	"context"
	"errors"
	"net"
	"os"
	"os/signal"
	"syscall"
	"time"

	"google.golang.org/grpc"

	"github.com/plugingen/plugingen/runtime/internal/stdout"
)

const (
	collectTimeout  = 200 * time.Millisecond // for children that hold standard output open at the stop
	windDownTimeout = time.Second            // for everything that follows the calls in flight, that included
)

// life is a plugin from its announcement to its end.
type life struct {
	*server
	out *stdout.Taken
	cfg Config

	served     chan error     // what grpc's Serve returned
	hostGone   chan struct{}  // closed when nobody can read standard output any more
	terminated chan os.Signal // SIGTERM
}

// run ends everything that it starts, whichever way it ends. A host on the lane calls as soon as it has the line, and needs nothing of what
// else is made ready; another host may do anything then.
func (l *life) run(ctx context.Context, announce func() error) error {
	defer swallowSignals()() // before the line: who has that may send them
	l.terminated = make(chan os.Signal, 1)
	signal.Notify(l.terminated, syscall.SIGTERM)
	defer signal.Stop(l.terminated)
	if l.lane.taken == nil {
		return l.attend(ctx, announce)
	}
	err := announce()
	l.lane.run(l.lane.taken)
	return l.attend(ctx, func() error { return err })
}

// attend makes the plugin ready for whatever may come, and waits for its end.
func (l *life) attend(ctx context.Context, announce func() error) error {
	l.served, l.hostGone = make(chan error, 1), make(chan struct{})
	stopWatch, err := l.out.Watch(func() { close(l.hostGone) })
	if err != nil {
		l.server.cut(ctx)
		return &Error{Op: "watch the host", Err: err}
	}
	defer stopWatch()
	go func() { l.served <- l.serve() }()
	go l.printed.collect(l.out.Printed)
	defer l.joinCollect()

	if err := announce(); err != nil {
		return errors.Join(err, l.cut())
	}
	return l.await(ctx)
}

// await waits for one of the ends that a plugin can have, and makes it.
func (l *life) await(ctx context.Context) error {
	select {
	case err := <-l.served:
		l.served <- nil
		return errors.Join(&Error{Op: "accept connections", Err: err}, l.cut())
	case <-l.hostGone:
		l.cfg.Logger.Info("the host is gone; the plugin ends")
		return l.cut()
	case <-l.asked:
	case <-l.terminated:
		signal.Stop(l.terminated) // a second one ends the process at once
	case <-ctx.Done():
	}
	return l.stop()
}

// stop ends the server in good order, within StopTimeout and windDownTimeout.
func (l *life) stop() error {
	l.health.Shutdown()
	grace, cancel := context.WithTimeout(context.Background(), l.cfg.StopTimeout)
	defer cancel()
	done := l.calls.drain(grace)
	_ = l.broker.Shutdown(grace) // ends its streams too, which grpc would wait for; only ever nil
	l.endSessions(grace)
	ctx, cancel := context.WithTimeout(context.Background(), windDownTimeout)
	defer cancel()
	l.handOver(ctx)
	close(l.answer)
	if done {
		l.hangUp(ctx)
	}
	l.server.cut(ctx)
	return l.serveError()
}

// cut ends the server at once, and gives calls that notice StopTimeout to return.
func (l *life) cut() error {
	ctx, cancel := context.WithTimeout(context.Background(), l.cfg.StopTimeout)
	defer cancel()
	l.server.cut(ctx)
	return l.serveError()
}

// serveError is why grpc's Serve ended, other than by the end that it was given, perhaps before it had begun.
func (l *life) serveError() error {
	err := <-l.served
	if err == nil || errors.Is(err, net.ErrClosed) || errors.Is(err, grpc.ErrServerStopped) {
		return nil
	}
	return &Error{Op: "accept connections", Err: err}
}

// handOver lets the host read what has been printed so far.
func (l *life) handOver(ctx context.Context) {
	if l.out == nil { // nothing was collected
		close(l.printed.end)
		return
	}
	_ = l.out.GiveBack() // if it fails, standard output stays where it is, and the timer ends the wait
	l.awaitCollected(ctx)
	l.printed.handedOver(ctx)
}

// awaitCollected returns when all that was printed has been collected. A child that holds standard output open keeps the
// end from coming; then an empty pipe will do, after a while, because a busy machine may take long to read a full one.
func (l *life) awaitCollected(ctx context.Context) {
	look := time.NewTicker(collectTimeout)
	defer look.Stop()
	for {
		select {
		case <-l.printed.end:
			return
		case <-look.C:
			if !l.out.IsWaiting() {
				_ = l.out.Printed.Close()
				return
			}
		case <-ctx.Done():
			_ = l.out.Printed.Close()
			return
		}
	}
}

// joinCollect waits for the collector, and says what no host has read.
func (l *life) joinCollect() {
	_ = l.out.GiveBack()
	_ = l.out.Printed.Close()
	<-l.printed.end
	if dropped, unread := l.printed.unread(); dropped > 0 || unread > 0 {
		l.cfg.Logger.Warn("the host has not read all that was printed on standard output", "dropped_bytes", dropped, "unread_bytes", unread)
	}
}
