package process

import (
	"errors"
	"os"
	"sync"
	"time"
)

// ErrGone says that there is no such process any more.
var ErrGone = errors.New("the process is gone")

// lookAgain is how often a process is looked at where the system does not tell of its end.
const lookAgain = 100 * time.Millisecond

// Attached is a process that this one did not start. All methods may be used concurrently.
type Attached struct {
	pid     int
	handle  handle
	isSame  func() bool
	done    chan struct{}
	stop    chan struct{}
	stopped sync.Once
	watch   sync.WaitGroup
}

// handle is what the system gives for a process. On Linux and Windows it stays with that process when its number is used again.
type handle interface {
	// await returns nil when the process has ended, and an error when close was called or the system cannot wait.
	await() error
	isRunning() bool
	signal(kill bool) error
	close()
}

// Attach looks for a process. isSame, asked again whenever the number alone would do harm, says whether it is the one that is meant. The
// error is ErrGone when it is not, or has ended. The caller must call Release in the end.
func Attach(pid int, isSame func() bool) (*Attached, error) {
	h, err := openHandle(pid)
	if err != nil {
		return nil, err
	}
	a := &Attached{pid: pid, handle: h, isSame: isSame, done: make(chan struct{}), stop: make(chan struct{})}
	if !a.isRunning() {
		h.close()
		return nil, ErrGone
	}
	a.watch.Go(a.run)
	return a, nil
}

func (a *Attached) isRunning() bool { return a.handle.isRunning() && a.isSame() }

func (a *Attached) run() {
	err := a.handle.await()
	if a.isStopped() {
		return
	}
	if err == nil {
		close(a.done)
		return
	}
	look := time.NewTicker(lookAgain)
	defer look.Stop()
	for a.isRunning() {
		select {
		case <-look.C:
		case <-a.stop:
			return
		}
	}
	close(a.done)
}

func (a *Attached) isStopped() bool {
	select {
	case <-a.stop:
		return true
	default:
		return false
	}
}

// PID is the number of the process.
func (a *Attached) PID() int { return a.pid }

// Done is closed when the process has ended, unless Release came before.
func (a *Attached) Done() <-chan struct{} { return a.done }

// Terminate asks the process to end; with its group, where it leads one and the system can do that without taking another's number
// for it. The error is errors.ErrUnsupported where the system cannot ask; a process that has ended is no error.
func (a *Attached) Terminate() error { return a.signal(false) }

// Kill ends the process at once, and its group as Terminate does.
func (a *Attached) Kill() error { return a.signal(true) }

func (a *Attached) signal(kill bool) error {
	if a.isStopped() || !a.isRunning() {
		return nil
	}
	if err := a.handle.signal(kill); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	return nil
}

// Release lets the process be. It may be called again.
func (a *Attached) Release() {
	a.stopped.Do(func() {
		close(a.stop)
		a.handle.close()
		a.watch.Wait()
	})
}
