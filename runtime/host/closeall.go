package host

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"
)

// DefaultCloseTimeout bounds CloseOnPanic and CloseOnSignal.
const DefaultCloseTimeout = 10 * time.Second

// CloseAll closes every plugin that this process has open, all at once, each as its Close does, and ends every Open and Attach that is still
// under way. Plugins that are opened later are not its business. Other goroutines may go on using host meanwhile.
//
// What has not ended when ctx does is killed at once; a plugin that this host is only attached to is let go. It returns when nothing is left, or a
// few seconds after ctx has ended. The error joins those of the Close of each, and says when ctx cut them short.
func CloseAll(ctx context.Context) error { return ours.closeAll(ctx) }

func (f *fleet) closeAll(ctx context.Context) error {
	var mu sync.Mutex
	var failures []error
	var closing sync.WaitGroup
	all := f.all()
	for _, m := range all {
		closing.Go(func() {
			if err := m.close(); err != nil {
				mu.Lock()
				defer mu.Unlock()
				failures = append(failures, err)
			}
		})
	}
	closed := make(chan struct{})
	go func() { closing.Wait(); close(closed) }()
	var cut error
	select {
	case <-closed:
	case <-ctx.Done():
		kill(all)
		closesWithin(context.Background(), closed, killTimeout)
		cut = fmt.Errorf("close all plugins: %w", stopped(ctx))
	}
	mu.Lock()
	defer mu.Unlock()
	return errors.Join(append(failures, cut)...)
}

// close ends a start, and closes what came of it.
func (m *member) close() error {
	m.cancel(ErrClosed)
	<-m.settled
	if m.plugin == nil {
		return nil
	}
	return m.plugin.Close()
}

// kill cuts short what close does. A start ends by itself once it is cancelled.
func kill(members []*member) {
	for _, m := range members {
		if isClosed(m.settled) && m.plugin != nil {
			m.plugin.child.kill()
		}
	}
}

// CloseOnPanic closes all plugins when the function that has deferred it panics, and then panics on:
//
//	defer host.CloseOnPanic()
//
// A panic only runs what its own goroutine has deferred, so each goroutine that may panic needs it. It takes DefaultCloseTimeout at most,
// and a few seconds. Without it plugins made with runtime/plugin end all the same, a moment after this process, but without an orderly stop.
func CloseOnPanic() {
	r := recover()
	if r == nil {
		return
	}
	closeBriefly()
	panic(r)
}

func closeBriefly() {
	ctx, cancel := context.WithTimeout(context.Background(), DefaultCloseTimeout)
	defer cancel()
	_ = CloseAll(ctx) // the process ends for another reason, and has logged what plugins had to say
}

// CloseOnSignal closes all plugins when one of signals comes, none meaning SIGINT and SIGTERM, and then lets the signal do to this process what it does by
// itself: end it. A second one does so at once. It is for programs that do not handle these signals otherwise; those call CloseAll where they
// do. A signal that this process ignores stays ignored: shells start programs in the background so. stop ends it.
func CloseOnSignal(signals ...os.Signal) (stop func()) {
	if len(signals) == 0 {
		signals = []os.Signal{os.Interrupt, syscall.SIGTERM}
	}
	came, ended := make(chan os.Signal, 1), make(chan struct{})
	for _, s := range signals {
		if !signal.Ignored(s) {
			signal.Notify(came, s)
		}
	}
	go func() {
		select {
		case s := <-came:
			signal.Stop(came)
			closeBriefly()
			raise(s)
		case <-ended:
			signal.Stop(came)
		}
	}()
	return sync.OnceFunc(func() { close(ended) })
}
