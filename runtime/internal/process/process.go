// Package process starts a program in a process group of its own and ends that whole group.
package process

import (
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"sync"
	"time"
)

// DefaultWaitDelay is how long pipes stay open after the program has ended, when Config.WaitDelay is zero.
const DefaultWaitDelay = time.Second

// Config says what to start.
type Config struct {
	Path string   // file to run; a name without a separator is looked up in PATH, anything else is relative to the working directory of this process
	Args []string // without the program's own name
	Dir  string   // working directory of the program; empty means that of this process
	Env  []string // its whole environment, KEY=VALUE; empty means none at all
	// Files are inherited as descriptors 3 and up, which stay the caller's to close. It must be empty on Windows.
	Files []*os.File
	// Sum is what the program must hash to; nil means that it is not checked. It is a copy that runs then: sealed memory on
	// Linux, else, and for scripts, a file in Folder that goes when the program ends.
	Sum *Sum
	// Folder makes a folder that only this user can enter, and says how to remove it. nil means one in the system's folder
	// for temporary files.
	Folder func() (path string, remove func() error, err error)

	// EndWithParent has the system kill the program when this process ends, however it ends: on Linux, where it costs a thread as long as the
	// program runs; on Windows in any case; elsewhere Start fails with errors.ErrUnsupported.
	EndWithParent bool

	WaitDelay time.Duration // how long a process that left the group may hold the pipes after the program has ended; zero means DefaultWaitDelay
}

// Process is a started program. All methods may be used concurrently.
//
// Its standard input is empty. When it ends, however it ends, what is left of its process group is killed.
type Process struct {
	cmd       *exec.Cmd
	pid       int
	image     *image
	group     group
	waitDelay time.Duration
	stdout    *os.File
	stderr    *os.File

	mu      sync.Mutex // guards what follows
	ended   bool       // no signal may be sent any more: the number of the process can be another's
	release *time.Timer

	done chan struct{}
	exit Exit // valid once done is closed
}

// Start starts the program. A "text file busy" is retried until ctx ends or a second has passed.
// The error is a *StartError; no descriptor is left open then.
//
// The caller must read Stdout and Stderr and, in the end, call Kill and Release.
func Start(ctx context.Context, cfg Config) (*Process, error) {
	path, err := resolve(cfg.Path)
	if err != nil {
		return nil, classify(cfg.Path, cfg.Dir, err)
	}
	image, err := verified(ctx, path, cfg)
	if err != nil {
		return nil, classify(path, cfg.Dir, err)
	}
	begin := func() (*Process, error) { return start(ctx, path, image, cfg) }
	run := func(begin func() (*Process, error)) (*Process, error) { return begin() }
	if cfg.EndWithParent {
		run = tied
	}
	p, err := run(begin)
	if err != nil {
		image.discard()
		return nil, image.explain(classify(path, cfg.Dir, err))
	}
	image.close()
	go p.watch()
	return p, nil
}

// start runs the image under the name of the program.
func start(ctx context.Context, name string, image *image, cfg Config) (*Process, error) {
	pipes, err := openPipes()
	if err != nil {
		return nil, err
	}
	defer pipes.closeWriters()
	cmd, err := startRetrying(ctx, func() *exec.Cmd { return command(name, image, cfg, pipes) })
	if err != nil {
		pipes.closeReaders()
		return nil, err
	}
	p := &Process{cmd: cmd, pid: cmd.Process.Pid, image: image, waitDelay: cfg.WaitDelay, stdout: pipes.outR, stderr: pipes.errR, done: make(chan struct{})}
	if p.waitDelay == 0 {
		p.waitDelay = DefaultWaitDelay
	}
	p.group.adopt(cmd.Process)
	return p, nil
}

// command gives the child an environment that is never nil: nil would mean all of ours.
func command(name string, image *image, cfg Config, pipes *pipes) *exec.Cmd {
	attr := newGroup()
	if cfg.EndWithParent {
		endWithParent(attr)
	}
	return withHandle(&exec.Cmd{
		Path:        image.path,
		Args:        append([]string{name}, cfg.Args...),
		Dir:         cfg.Dir,
		Env:         append([]string{}, cfg.Env...),
		Stdout:      pipes.outW,
		Stderr:      pipes.errW,
		ExtraFiles:  cfg.Files,
		SysProcAttr: attr,
	})
}

// startRetrying starts a command, again while the file is still open for writing in a process that was just forked
// (golang/go#22315). An exec.Cmd starts once only, hence a new one for each attempt.
func startRetrying(ctx context.Context, command func() *exec.Cmd) (*exec.Cmd, error) {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	for delay := time.Millisecond; ; delay *= 2 {
		cmd := command()
		err := cmd.Start()
		if err == nil || !isTextBusy(err) {
			return cmd, err
		}
		select {
		case <-ctx.Done():
			return nil, err
		case <-time.After(delay):
		}
	}
}

// watch reaps the program and ends what it left behind.
func (p *Process) watch() {
	reap := awaitExit(p.cmd)
	p.mu.Lock()
	_ = p.group.kill() // while the dead leader still holds the group's number
	exit := reap()
	p.ended = true
	p.group.release()
	p.release = time.AfterFunc(p.waitDelay, p.closePipes)
	p.mu.Unlock()
	p.image.discard()
	p.exit = exit
	close(p.done)
}

// PID is the number of the process, which is also the number of its group.
func (p *Process) PID() int { return p.pid }

// Done is closed when the program has ended and was reaped.
func (p *Process) Done() <-chan struct{} { return p.done }

// Exit says how the program ended; false while it has not.
func (p *Process) Exit() (Exit, bool) {
	select {
	case <-p.done:
		return p.exit, true
	default:
		return Exit{Code: -1}, false
	}
}

// Stdout is what the program prints. It ends when all writers are gone, with Release, and WaitDelay after Done.
func (p *Process) Stdout() io.Reader { return p.stdout }

// Stderr is what the program prints on its standard error. It ends as Stdout does.
func (p *Process) Stderr() io.Reader { return p.stderr }

// Terminate asks the whole group to end (SIGTERM). The error is errors.ErrUnsupported where the system cannot ask;
// a program that has ended is no error.
func (p *Process) Terminate() error { return p.signal(p.group.terminate) }

// Kill ends the whole group at once, also one that is stopped. A program that has ended is no error.
func (p *Process) Kill() error { return p.signal(p.group.kill) }

func (p *Process) signal(send func() error) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.ended {
		return nil
	}
	if err := send(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	return nil
}

// Release closes this side of the pipes: readers end, and a program that still prints gets SIGPIPE.
// It may be called again.
func (p *Process) Release() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.release != nil {
		p.release.Stop()
	}
	p.closePipes()
	if p.ended {
		p.image.discard() // where a program's file can only be removed a moment after its end
	}
}

func (p *Process) closePipes() {
	_ = p.stdout.Close() // only ever "already closed"
	_ = p.stderr.Close()
}
