package host

import (
	"context"
	"fmt"
	"io"
	"strconv"

	"github.com/plugingen/plugingen/runtime/internal/process"
)

// Launcher starts a plugin's program: as a process (see ProcessLauncher, which a Config uses by itself), in a container, through
// another program, on another machine. It may be called by several goroutines at once.
//
// The host bounds every call of a launcher and of what it returns. One that panics, or does not return in time, costs an
// error, and a goroutine until it returns.
type Launcher interface {
	// Launch starts the program and returns as soon as it runs. ctx bounds Launch alone: the program must outlive it.
	// When ctx has ended before Launch returns, the host kills and releases what it returns later.
	Launch(ctx context.Context, what Launch) (Launched, error)
}

// Launch is what to start. A launcher may change it and hand it on to another.
type Launch struct {
	// Path, Args and Dir are those of the Config. What they mean is for the launcher to say: Path may well name an image.
	Path string
	Args []string
	Dir  string
	// Checksum is that of the Config. ProcessLauncher checks it; a Config with another launcher has none, but that launcher may set
	// one for what it has ProcessLauncher start.
	Checksum string
	// Env is the program's whole environment, KEY=VALUE; of several entries for a key the last one counts.
	Env []string
	// SocketDir is the folder on this machine in which the host awaits the plugin's socket, and that Env names in
	// PLUGIN_UNIX_SOCKET_DIR; empty when no unix socket may be used. A launcher whose program sees that folder elsewhere
	// adds an entry to Env that says where, and what it returns is an AddressTranslator.
	SocketDir string

	lane []byte // what is said first on the lane that ProcessLauncher offers the program; nil means that it offers none
}

// Launched is a program that a launcher has started. Its methods may be called concurrently.
type Launched interface {
	// ID names it for people, such as the number of the process or the name of the container.
	ID() string
	// Stdout and Stderr are what the program prints. The host reads both to their end.
	Stdout() io.Reader
	Stderr() io.Reader
	// Done is closed when the program has ended.
	Done() <-chan struct{}
	// Exit says how it ended. It is not called before Done is closed.
	Exit() Exit
	// Terminate asks the program to end, as SIGTERM does. The error is errors.ErrUnsupported where there is no way to ask.
	Terminate(ctx context.Context) error
	// Kill ends the program and what it has started, at once. It may be called again, also for a program that has ended.
	Kill(ctx context.Context) error
	// Release frees what is held for the program; whoever still reads Stdout or Stderr gets an error. It is called once, last of
	// all, also for a program that Kill did not end.
	Release()
}

// AddressTranslator is for a Launched whose program does not see this machine as the host does: its folders are mounted
// elsewhere, its ports are forwarded. Networks are "unix" and "tcp", addresses are those of handshake lines.
type AddressTranslator interface {
	// PluginToHost turns an address that the plugin has announced into the one at which the host reaches it.
	PluginToHost(ctx context.Context, network, address string) (hostNetwork, hostAddress string, err error)
	// HostToPlugin turns an address at which the host listens into the one at which the plugin reaches it.
	HostToPlugin(ctx context.Context, network, address string) (pluginNetwork, pluginAddress string, err error)
}

// Exit says how a program ended.
type Exit struct {
	Code   int    // exit code; -1 when a signal ended it, or when it is not known
	Signal string // that ended it, such as "SIGKILL"; empty when it ended by itself
}

// String is "exit code 3", "signal SIGSEGV", or that it is not known.
func (e Exit) String() string {
	switch {
	case e.Signal != "":
		return "signal " + e.Signal
	case e.Code < 0:
		return "nothing tells how"
	default:
		return fmt.Sprintf("exit code %d", e.Code)
	}
}

// ProcessLauncher starts programs as processes of this machine, each in a process group of its own, with an empty standard
// input. A Config without a Launcher uses it; other launchers may build on it. Path is a file, and a name without a separator is
// looked up in PATH. What its Launch returns has a method PID() int as well.
type ProcessLauncher struct {
	// EndWithHost has the system kill the program when this process ends, even by SIGKILL or a crash. Plugins made with runtime/plugin see to that
	// themselves, in good order, so it is for others, which live on otherwise. It is the program alone that is killed, not what it
	// has started, and each one costs this process a thread. Linux has it; on Windows programs end with their host
	// in any case; elsewhere Launch fails with errors.ErrUnsupported.
	EndWithHost bool
}

// Launch is Launcher's.
func (l ProcessLauncher) Launch(ctx context.Context, what Launch) (Launched, error) {
	cfg, err := what.withChecksum(process.Config{
		Path:          what.Path,
		Args:          what.Args,
		Dir:           what.Dir,
		Env:           what.Env,
		EndWithParent: l.EndWithHost,
		WaitDelay:     waitDelay,
	})
	if err != nil {
		return nil, err
	}
	offer := what.offerLane()
	defer offer.close()
	cfg.Files, cfg.Env = offer.files(), offer.environ(cfg.Env)
	proc, err := process.Start(ctx, cfg)
	if err != nil {
		return nil, what.checksumError(err)
	}
	return ownProcess{proc, offer.keep()}, nil
}

// ownProcess is a process of this machine. None of its methods blocks, and its pipes end with Release: the host need not
// stand between.
type ownProcess struct {
	*process.Process
	lane *laneEnd
}

func (p ownProcess) neverBlocks() {}

// ID is Launched's.
func (p ownProcess) ID() string { return "process " + strconv.Itoa(p.PID()) }

// Release is Launched's.
func (p ownProcess) Release() {
	p.lane.close()
	p.Process.Release()
}

// Exit is Launched's.
func (p ownProcess) Exit() Exit {
	exit, _ := p.Process.Exit()
	return Exit(exit)
}

// Terminate is Launched's.
func (p ownProcess) Terminate(context.Context) error { return p.Process.Terminate() }

// Kill is Launched's.
func (p ownProcess) Kill(context.Context) error { return p.Process.Kill() }
