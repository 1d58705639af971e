package interop

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
	"time"

	"google.golang.org/grpc"

	"github.com/plugingen/plugingen/golden/interop/peers/goplugin/work"
	"github.com/plugingen/plugingen/runtime"
	"github.com/plugingen/plugingen/runtime/broker"
	"github.com/plugingen/plugingen/runtime/handshake"
	"github.com/plugingen/plugingen/runtime/host"
	"github.com/plugingen/plugingen/runtime/plugin"
	"github.com/plugingen/plugingen/runtime/plugin/pluginlog"
)

func ourHandshake(versions ...int) handshake.Config {
	return handshake.Config{MagicCookieKey: work.CookieKey, MagicCookieValue: work.CookieValue, ProtocolVersions: versions}
}

// serveOurPlugin is the main of a plugin made with runtime/plugin.
func serveOurPlugin() int {
	slog.SetDefault(slog.New(pluginlog.NewHandler(os.Stderr, pluginlog.Options{})))
	return plugin.Main(plugin.Config{
		Handshake: ourHandshake(work.OldVersion, work.Version),
		Services: map[int][]runtime.Implementation{
			work.OldVersion: {ourService(work.OldVersion)},
			work.Version:    {ourService(work.Version)},
		},
	})
}

func ourService(version int32) runtime.Implementation {
	return runtime.Raw(work.ServiceName, work.Server{
		Version: version,
		Stdout:  func() io.Writer { return os.Stdout },
		Stderr:  func() io.Writer { return os.Stderr },
		Log: func(ctx context.Context) {
			slog.WarnContext(ctx, work.LogMessage, "answer", work.LogNumber, "name", work.LogName)
		},
		Broker: func(ctx context.Context) work.Broker { return ourBroker{broker.FromContext(ctx)} },
	}.Register)
}

// ourBroker is ours as the work sees it.
type ourBroker struct {
	of *broker.Broker
}

// NextID is work.Broker's.
func (b ourBroker) NextID() uint32 { return b.of.NextID() }

// Dial is work.Broker's.
func (b ourBroker) Dial(ctx context.Context, id uint32) (grpc.ClientConnInterface, io.Closer, error) {
	conn, err := b.of.Dial(ctx, id)
	return conn, conn, err
}

// Serve is work.Broker's. It ends with the broker, or when the peer has hung up.
func (b ourBroker) Serve(ctx context.Context, id uint32, register func(grpc.ServiceRegistrar)) {
	go func() { _ = b.of.AcceptAndServe(context.WithoutCancel(ctx), id, runtime.Raw("", register)) }()
}

// noTerm is so long that SIGTERM, which our host sends when three quarters are over, cannot pass for Shutdown.
const noTerm = work.Patience

// ourHost is one run of a host made with runtime/host.
type ourHost struct {
	request             work.Request
	lane                host.LaneMode
	stdout, stderr, log *work.Output
	synced              *work.Output // what came by stdio, of stderr
}

// runOurHost does what request says.
func runOurHost(ctx context.Context, request work.Request) (work.Report, error) {
	return runOurHostOn(ctx, host.LaneAuto, request)
}

// runOurHostByGRPC has calls take gRPC where runOurHost has them take the lane.
func runOurHostByGRPC(ctx context.Context, request work.Request) (work.Report, error) {
	return runOurHostOn(ctx, host.LaneOff, request)
}

func runOurHostOn(ctx context.Context, lane host.LaneMode, request work.Request) (r work.Report, err error) {
	h := ourHost{request: request, lane: lane, stdout: work.NewOutput(), stderr: work.NewOutput(), log: work.NewOutput(), synced: work.NewOutput()}
	cfg := h.config()
	if request.Job == work.Checksum {
		if cfg.Checksum, err = checkSums(ctx, cfg); err != nil {
			return r, err
		}
		r.Checked = "the wrong one refused"
	}
	p, err := host.Open(ctx, cfg)
	if err != nil {
		r.Error = err.Error()
		return r, nil
	}
	defer func() { _ = p.Close() }()
	r.PID, r.Version, r.Ping = p.PID(), p.Version(), p.Ping(ctx) == nil
	if err := h.session(p).Do(ctx, request.Job, &r); err != nil {
		return r, fmt.Errorf("%w\nlog: %s", err, h.log)
	}
	if request.Job == work.HangProcess {
		if err := stopProcess(r.PID); err != nil {
			return r, err
		}
	}
	if request.Job == work.Reattach {
		return r, h.reattach(ctx, p, &r)
	}
	err = p.Close()
	r.Exit = exitCode(err)
	if request.Job == work.HangProcess {
		return r, nil // it had to be killed
	}
	if strings.Contains(h.log.String(), "does not take Shutdown") {
		return r, fmt.Errorf("the plugin was not ended by Shutdown; log: %s", h.log)
	}
	return r, err
}

func (h ourHost) config() host.Config {
	cfg := host.Config{
		Handshake:   ourHandshake(work.Version),
		Path:        h.request.Command[0],
		Args:        h.request.Command[1:],
		Env:         h.request.Env,
		SocketDir:   value(h.request.Env, "TMPDIR"),
		TLS:         host.TLSOff,
		Lane:        h.lane,
		Multiplex:   h.request.Mux,
		StopTimeout: noTerm,
		Stdout:      h.stdout,
		Stderr:      io.MultiWriter(h.synced, h.stderr),
		// Plugins of ours leave their standard error alone, so that what they print there is in the log.
		Logger: slog.New(slog.NewJSONHandler(io.MultiWriter(h.log, h.stderr), &slog.HandlerOptions{Level: slog.LevelDebug})),
	}
	if h.request.Versions != nil {
		cfg.Handshake.ProtocolVersions = h.request.Versions
	}
	cfg.Handshake.Transports = []string{handshake.Unix}
	if h.request.TCP {
		cfg.Handshake.Transports = []string{handshake.TCP}
	}
	if h.request.TLS {
		cfg.TLS = host.TLSMutual
	}
	if h.request.Job == work.HangProcess {
		cfg.StopTimeout = 200 * time.Millisecond
	}
	return cfg
}

func (h ourHost) session(p *host.Plugin) *work.Session {
	s := &work.Session{
		Conn: p.Conn(), Stdout: h.stdout, Stderr: h.stderr, StdioStderr: h.synced,
		LogLines: h.log, MessageKey: "msg", LevelKey: "level",
	}
	if h.request.Broker || h.request.Mux {
		s.Broker = ourBroker{p.Broker()}
	}
	return s
}

// reattach connects to the running plugin anew, and stops it by that connection.
func (h ourHost) reattach(ctx context.Context, p *host.Plugin, r *work.Report) error {
	cfg := h.config()
	cfg.StopAttached = true
	second, err := host.Attach(ctx, p.Attachment(), cfg)
	if err != nil {
		return err
	}
	defer func() { _ = second.Close() }()
	if r.Attached, err = work.Double(ctx, second.Conn()); err != nil {
		return err
	}
	if err := second.Close(); err != nil {
		return err
	}
	select {
	case <-p.Done():
	case <-ctx.Done():
		return fmt.Errorf("the first host does not learn of the end: %w", ctx.Err())
	}
	r.Exit = exitCode(p.Err())
	return nil
}

// checkSums returns the program's checksum, once the host has refused a wrong one.
func checkSums(ctx context.Context, cfg host.Config) (string, error) {
	sum, err := host.FileChecksum(cfg.Path)
	if err != nil {
		return "", err
	}
	algorithm, digits, _ := strings.Cut(sum, ":")
	cfg.Checksum = algorithm + ":" + strings.Repeat("0", len(digits))
	p, err := host.Open(ctx, cfg)
	if _, ok := errors.AsType[*host.ChecksumError](err); ok {
		return sum, nil
	}
	if err == nil {
		_ = p.Close()
	}
	return "", fmt.Errorf("a wrong checksum: %w, want a ChecksumError", err)
}

// exitCode is what Close says of the plugin's end: nil when it had to be killed.
func exitCode(err error) *int {
	code := 0
	if e, ok := errors.AsType[*host.Error](err); ok {
		code = e.ExitCode
	}
	if errors.Is(err, host.ErrKilled) {
		return nil
	}
	return &code
}

// value is what an environment has for a name.
func value(env []string, name string) string {
	for _, entry := range env {
		if v, ok := strings.CutPrefix(entry, name+"="); ok {
			return v
		}
	}
	return ""
}
