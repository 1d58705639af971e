package host

import (
	"cmp"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"google.golang.org/grpc"

	"github.com/plugingen/plugingen/runtime/handshake"
)

// What zero means in a Config.
const (
	DefaultStartTimeout   = 30 * time.Second
	DefaultStopTimeout    = 2 * time.Second
	DefaultMaxMessageSize = 64 << 20
	DefaultMinPort        = 10000
	DefaultMaxPort        = 25000
)

// Config says which plugin to start and how. Handshake and Path are required; the zero value of every other field works.
// Open copies it and changes nothing in it.
type Config struct {
	// Handshake is what host and plugin agree on; the contract's package declares it.
	Handshake handshake.Config

	// Path is the program. A name without a separator is looked up in PATH; a relative path starts at the host's working
	// directory, not at Dir.
	Path string
	// Args are the program's arguments, without its own name.
	Args []string
	// Dir is the program's working directory; empty means the host's.
	Dir string
	// Env is KEY=VALUE for the program and wins over what it inherits. What belongs to the protocol (the cookie and
	// the variables of package handshake) cannot be set here.
	Env []string
	// InheritEnv names variables of the host that the program gets besides those of InheritedByDefault; a name that ends
	// in * stands for all that begin so, and "*" for all. Such patterns leave out what other hosts call their cookies: names with COOKIE
	// in them or _PLUGIN at the end. PLUGIN_* variables, those with MAGIC_COOKIE in the name, and this plugin's own cookie are never
	// inherited, not even by name: they would make the plugin believe that it talks to another host.
	InheritEnv []string
	// Checksum is what the program's file must hash to, such as "sha256:" and 64 hexadecimal digits; sha384 and sha512 are known
	// too. What was checked is what runs: a copy, so that replacing or changing the file makes no difference, before the
	// start or after. It does not cover what the program loads or interprets: libraries, other files, and of a script
	// the interpreter. On Linux the copy is memory that nobody can change, as large as the program, for as long as that
	// runs; the program's os.Executable then names that, not the file, though its first argument still does. On other systems, and for
	// scripts, it is a file in a folder that only this user can enter, which goes when the program ends. A copy has no
	// set-user-ID bit and no file capabilities. A wrong sum is a *ChecksumError. Empty means no check.
	Checksum string
	// Launcher starts the program; nil means ProcessLauncher{}. Checksum must be empty with any other.
	Launcher Launcher

	// AttachFromEnv lets a person make Open attach to a plugin that runs already instead of starting one, by naming it in the
	// environment variable PLUGINGEN_ATTACH (handshake.EnvAttach): a plugin in a debugger, say. Each time it is logged as a warning, and everything that
	// Attach checks is checked. False means that the variable is not heeded.
	AttachFromEnv bool
	// StopAttached makes Close end a plugin that this host was attached to, as it ends others, where the description tells its process
	// from others beyond doubt (Start); without that it only asks. One in test mode is left alone in any case. False means that Close detaches.
	StopAttached bool

	// Logger gets what the plugin logs and what the host has to say about it, with the attribute plugin=<base name of Path>.
	// Nil means slog.Default().
	Logger *slog.Logger
	// MaxLogRate is how many lines a second of each of the plugin's streams are logged; zero means no limit. More are dropped, and a warning
	// counts them; lines below the Logger's level do not count. Err and Stderr know the last lines all the same.
	MaxLogRate int
	// Stdout and Stderr get what the plugin prints once it serves: the streams of its stdio service, not what it logs.
	// Nil means that it is logged line by line. A writer is called by one goroutine at a time, also when it stands in both
	// fields. One that blocks first slows the plugin down, then loses output (the log says how much); it never blocks Close.
	Stdout, Stderr io.Writer

	// StartTimeout bounds the whole of Open: its turn, when many plugins are being started, starting the program, its handshake line, connecting, and the first health check.
	// Zero means DefaultStartTimeout.
	StartTimeout time.Duration
	// StopTimeout is how long Close lets the plugin end by itself before it kills it. Zero means DefaultStopTimeout.
	StopTimeout time.Duration
	// CallTimeout bounds each unary call whose context has no deadline of its own; zero means that such a call may take for
	// ever, as its context says. Streams are never bounded by it.
	CallTimeout time.Duration

	// Watchdog asks the plugin whether it is well while it runs, and ends one that does not answer. The zero value does not.
	Watchdog Watchdog

	// MaxMessageSize is the largest message either way, in bytes; zero means DefaultMaxMessageSize.
	// A larger one fails with ResourceExhausted.
	MaxMessageSize int
	// TLS says how the connection is protected; zero is TLSAuto: by the system where that is enough, else by mutual TLS.
	TLS TLSMode
	// TLSConfig is for contracts with certificates of their own: it decides alone whom to trust and what to show, and the plugin is
	// sent no certificate. TLS must be zero then. An empty ServerName means "localhost". A certificate that the plugin
	// announces must be the one that it shows. Nil means none of that. It must not be changed while the plugin runs.
	// Broker uses it both ways: what the plugin dials shows its Certificates, and lets in whom its ClientAuth and ClientCAs do.
	TLSConfig *tls.Config

	// Multiplex carries all connections over the one that Open makes, those of Broker too, as go-plugin's GRPCBrokerMultiplex
	// does. False means that each is a socket of its own, which is faster where there are few. A plugin that does otherwise
	// is refused, with ErrMultiplex; Attach does what the plugin does.
	Multiplex bool

	// AllowRemote lets a plugin name a tcp address on another machine. Without it only unix sockets and loopback are dialled.
	AllowRemote bool
	// SocketDir is the folder in which the plugin's private socket folder is made; empty means the system's temporary
	// folder, or another one where that is full, not writable or too long.
	SocketDir string
	// SocketGroup is the name or number of the group that may use the plugin's socket; empty means this user alone.
	SocketGroup string
	// MinPort and MaxPort bound the ports of a plugin that listens on tcp; both zero means DefaultMinPort and DefaultMaxPort.
	MinPort, MaxPort int

	// Lane says whether calls may take the lane, which costs a fraction of gRPC; zero is LaneAuto.
	Lane LaneMode
	// UnaryInterceptors and StreamInterceptors run around each call over the main connection, the first outermost.
	UnaryInterceptors  []grpc.UnaryClientInterceptor
	StreamInterceptors []grpc.StreamClientInterceptor
	// DialOptions are added to the host's own and win over them; for TLS use TLS or TLSConfig, for interceptors the fields above. They are
	// gRPC's alone: with any, calls do not take the lane. They are not for connections of Broker, whose Dial takes its own.
	DialOptions []grpc.DialOption
	// OnCallLost is called, after it was logged, with the error of a call whose method has no error result to return it in.
	// Nil means that it is only logged. It runs on the caller's goroutine, on several at once where calls are.
	OnCallLost func(error)
}

func (c Config) withDefaults() Config {
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	c.Logger = c.Logger.With("plugin", filepath.Base(c.Path))
	c.StartTimeout = cmp.Or(c.StartTimeout, DefaultStartTimeout)
	c.StopTimeout = cmp.Or(c.StopTimeout, DefaultStopTimeout)
	c.MaxMessageSize = cmp.Or(c.MaxMessageSize, DefaultMaxMessageSize)
	if c.Launcher == nil {
		c.Launcher = ProcessLauncher{}
	}
	if c.MinPort == 0 && c.MaxPort == 0 {
		c.MinPort, c.MaxPort = DefaultMinPort, DefaultMaxPort
	}
	return c
}

func (c Config) validate() error {
	return errors.Join(
		c.Handshake.Validate(),
		check(c.Path != "", "path: it is empty: name the plugin's program"),
		check(!slices.ContainsFunc(append(slices.Clone(c.Args), c.Path, c.Dir), hasNUL), "path, args or dir: a NUL byte is in it"),
		check(c.StartTimeout > 0, "start timeout %v: it must not be negative", c.StartTimeout),
		check(c.StopTimeout > 0, "stop timeout %v: it must not be negative", c.StopTimeout),
		check(c.CallTimeout >= 0, "call timeout %v: it must not be negative", c.CallTimeout),
		c.Watchdog.validate(),
		check(c.MaxLogRate >= 0, "max log rate %d: it must not be negative", c.MaxLogRate),
		check(c.MaxMessageSize > 0 && c.MaxMessageSize <= math.MaxInt32, "max message size %d: it must be within 1 and %d", c.MaxMessageSize, math.MaxInt32),
		check(c.TLS >= TLSAuto && c.TLS <= TLSOff, "tls: %v is not a mode", c.TLS),
		check(c.Lane >= LaneAuto && c.Lane <= laneOnSocket, "lane: %v is not a mode", c.Lane),
		check(c.TLSConfig == nil || c.TLS == TLSAuto, "tls: %v and a TLSConfig cannot both be", c.TLS),
		check(c.MinPort > 0 && c.MinPort <= c.MaxPort && c.MaxPort <= math.MaxUint16, "ports %d to %d: they must be within 1 and 65535, the lower first", c.MinPort, c.MaxPort),
		c.validateChecksum(),
		c.validateEnv(),
	)
}

// validateChecksum refuses what nobody would check.
func (c Config) validateChecksum() error {
	if c.Checksum == "" {
		return nil
	}
	_, own := c.Launcher.(ProcessLauncher)
	_, _, err := parseChecksum(c.Checksum)
	return errors.Join(err, check(own, "checksum: only ProcessLauncher checks it, and the Launcher is a %T", c.Launcher))
}

// validateEnv names the keys alone: values may be secrets.
func (c Config) validateEnv() error {
	var problems []error
	for i, entry := range c.Env {
		key, _, found := strings.Cut(entry, "=")
		problems = append(problems,
			check(found && key != "", "env: entry %d is not KEY=VALUE", i),
			check(!hasNUL(entry), "env: entry %d has a NUL byte in it", i),
			check(!c.isProtocol(key), "env: %s belongs to the protocol and cannot be set", key),
		)
	}
	return errors.Join(problems...)
}

func hasNUL(s string) bool { return strings.ContainsRune(s, 0) }

func check(ok bool, format string, args ...any) error {
	if ok {
		return nil
	}
	return fmt.Errorf(format, args...)
}
