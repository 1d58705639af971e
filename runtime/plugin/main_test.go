package plugin_test

import (
	"cmp"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"os"
	"os/exec"
	goruntime "runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/plugingen/plugingen/runtime"
	"github.com/plugingen/plugingen/runtime/broker"
	"github.com/plugingen/plugingen/runtime/handshake"
	"github.com/plugingen/plugingen/runtime/internal/mtls"
	"github.com/plugingen/plugingen/runtime/plugin"
	_ "github.com/plugingen/plugingen/runtime/plugin/early"
)

// modeEnv makes the test binary the plugin (or the host) that a test plays with.
const modeEnv = "PLUGINGEN_PLUGIN_TEST_MODE"

const (
	cookieKey   = "PLUGIN_TEST_COOKIE"
	cookieValue = "3e8e4b7c-not-to-be-printed"
)

var modes = map[string]func() int{
	"plain":    func() int { return plugin.Main(config()) },
	"versions": func() int { return plugin.Main(versioned(1, 2, 4)) },
	"chatty":   chatty,
	"small":    func() int { c := config(); c.MaxMessageSize = 1 << 20; return plugin.Main(c) },
	"tiny":     func() int { c := config(); c.MaxMessageSize = 1 << 10; return plugin.Main(c) },
	"small by option": func() int {
		c := config()
		c.ServerOptions = []grpc.ServerOption{grpc.MaxRecvMsgSize(1 << 20)}
		return plugin.Main(c)
	},
	"slow stop": func() int { c := config(); c.StopTimeout = time.Minute; return plugin.Main(c) },
	"patient": func() int { // with connections that may be silent for as long as they like
		c := config()
		c.ServerOptions = []grpc.ServerOption{grpc.ConnectionTimeout(time.Hour)}
		return plugin.Main(c)
	},
	"reflecting":            reflecting,
	"intercepted":           func() int { return intercepted(false) },
	"intercepted by option": func() int { return intercepted(true) },
	"greeter":               greeterMain,
	"own certificate":       ownCertificate,
	"leaks":                 leaks,
	"context":               withContext,
	"child":                 func() int { fmt.Print("from the child\n"); return 0 },
	"daemon":                func() int { _, _ = io.Copy(io.Discard, os.Stdin); return 0 }, // until nobody can write to its input
	"host":                  hostMain,
	"apart":                 func() int { c := config(); c.Apart = func(string) bool { return true }; return plugin.Main(c) },
	"no service":            func() int { c := versioned(1); c.Handshake.ProtocolVersions = []int{1, 3}; return plugin.Main(c) },
	"empty":                 func() int { return plugin.Main(plugin.Config{Handshake: config().Handshake}) },
	"no cookie":             func() int { c := config(); c.Handshake.MagicCookieKey = ""; return plugin.Main(c) },
	"unserved":              func() int { c := versioned(1, 5); c.Handshake.ProtocolVersions = []int{1}; return plugin.Main(c) },
	"twice": func() int {
		c := config()
		c.Services[1] = append(c.Services[1], echoImplementation(), runtime.Raw("x", registerWrongType))
		return plugin.Main(c)
	},
	"reserved": func() int {
		c := config()
		c.Services[1] = append(c.Services[1], runtime.Raw("x", func(r grpc.ServiceRegistrar) {
			r.RegisterService(&grpc.ServiceDesc{ServiceName: "plugin.GRPCController"}, nil)
		}))
		return plugin.Main(c)
	},
}

// What a package prints while it is initialised comes before anything that main could do.
//
//nolint:gochecknoinits // it is what is tested
func init() {
	if os.Getenv(modeEnv) == "chatty" {
		fmt.Println("printed by init")
	}
}

func TestMain(m *testing.M) {
	if mode := os.Getenv(modeEnv); mode != "" {
		exit(modes[mode]())
	}
	goleak.VerifyTestMain(m)
}

// exit is os.Exit without the second for which the race detector would have an example's plugin sleep: half of what a stop may take.
func exit(code int) {
	if os.Getenv("GORACE") == "" {
		syscall.Exit(code)
	}
	os.Exit(code)
}

func config() plugin.Config { return versioned(1) }

func versioned(versions ...int) plugin.Config {
	c := plugin.Config{
		Handshake: handshake.Config{MagicCookieKey: cookieKey, MagicCookieValue: cookieValue},
		Services:  map[int][]runtime.Implementation{},
	}
	for _, v := range versions {
		c.Services[v] = []runtime.Implementation{echoImplementation()}
	}
	return c
}

// chatty prints wherever a program can.
func chatty() int {
	fmt.Println("printed by main before")
	fmt.Fprintln(os.Stderr, "stderr of main")
	code := plugin.Main(config())
	fmt.Println("printed by main after")
	return code
}

// ownCertificate is a plugin with a certificate that its host knows from elsewhere: here, from standard error.
func ownCertificate() int {
	id, err := mtls.New()
	if err != nil {
		return 3
	}
	fmt.Fprint(os.Stderr, id.PEM())
	c := config()
	c.TLSConfig = &tls.Config{Certificates: id.Client(nil).Certificates, MinVersion: tls.VersionTLS13}
	return plugin.Main(c)
}

// withContext ends by itself, at once.
func withContext() int {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := plugin.Serve(ctx, config()); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 3
	}
	return 0
}

// leaks tells with its exit code whether Serve left something.
func leaks() int {
	before := openFiles()
	if err := plugin.Serve(context.Background(), config()); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 3
	}
	if err := goleak.Find(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 4
	}
	// The private duplicate of the real standard output is one that goes; Go's own poller may stay.
	if after := openFiles(); len(after) > len(before) {
		fmt.Fprintf(os.Stderr, "open before:\n%s\nopen after:\n%s\n", strings.Join(before, "\n"), strings.Join(after, "\n"))
		return 5
	}
	return 0
}

// openFiles lists what this process has open, on Linux, without the Go runtime's own poller.
func openFiles() []string {
	var open []string
	entries, _ := os.ReadDir("/proc/self/fd")
	for _, e := range entries {
		target, err := os.Readlink("/proc/self/fd/" + e.Name())
		if err == nil && !strings.Contains(target, "anon_inode") && !strings.HasPrefix(target, "/proc") {
			open = append(open, e.Name()+" "+target)
		}
	}
	return open
}

// echoService is a contract by hand: Echo returns what it gets, Do does what it is told.
type echoService interface {
	do(ctx context.Context, what string) (string, error)
}

type echo struct {
	broker *broker.Broker // of its registration
}

func echoImplementation() runtime.Implementation {
	return runtime.Raw("test.Echo", func(r grpc.ServiceRegistrar) {
		r.RegisterService(&grpc.ServiceDesc{
			ServiceName: "test.Echo",
			HandlerType: (*echoService)(nil),
			Methods: []grpc.MethodDesc{
				{MethodName: "Echo", Handler: func(_ any, _ context.Context, decode func(any) error, _ grpc.UnaryServerInterceptor) (any, error) {
					in := &wrapperspb.BytesValue{}
					return in, decode(in)
				}},
				{MethodName: "Do", Handler: func(srv any, ctx context.Context, decode func(any) error, _ grpc.UnaryServerInterceptor) (any, error) {
					in := &wrapperspb.StringValue{}
					if err := decode(in); err != nil {
						return nil, err
					}
					out, err := srv.(echoService).do(ctx, in.GetValue())
					return wrapperspb.String(out), err
				}},
			},
		}, echo{broker.FromRegistrar(r)})
	})
}

func registerWrongType(r grpc.ServiceRegistrar) {
	r.RegisterService(&grpc.ServiceDesc{ServiceName: "test.Other", HandlerType: (*echoService)(nil)}, 7)
}

func (e echo) do(ctx context.Context, what string) (string, error) {
	verb, arg, _ := strings.Cut(what, " ")
	switch verb {
	case "print":
		fmt.Print(arg)
	case "flood":
		return "", flood(arg)
	case "stderr":
		fmt.Fprintln(os.Stderr, arg)
	case "child":
		return "", runSelf("child")
	case "daemon":
		return "", startDaemon(arg)
	case "environ":
		return strings.Join(os.Environ(), "\n"), nil
	case "panic":
		panic(arg)
	case "wait": // until a file appears; the caller is told by a line on standard error that the call is under way
		fmt.Fprintln(os.Stderr, "waiting")
		return "", awaitFile(ctx, arg)
	case "callback": // to the number that the caller accepts
		return callBack(ctx, broker.FromContext(ctx), arg)
	case "keep-callback":
		return callBack(ctx, e.broker, arg)
	case "serve": // under a number that the caller is told
		return serveAgain(ctx, broker.FromContext(ctx)), nil
	case "usage": // goroutines, and MiB in use
		goruntime.GC()
		var m goruntime.MemStats
		goruntime.ReadMemStats(&m)
		return fmt.Sprintln(goruntime.NumGoroutine(), m.HeapAlloc>>20), nil
	case "goroutine": // that runs the handler
		first := make([]byte, 64)
		line, _, _ := strings.Cut(string(first[:goruntime.Stack(first, false)]), " [")
		return line, nil
	case "hang": // whatever the context says
		fmt.Fprintln(os.Stderr, "hanging")
		select {}
	}
	return what, nil
}

// callBack calls the echo that the caller accepts: what is after the number, or a greeting.
func callBack(ctx context.Context, b *broker.Broker, arg string) (string, error) {
	number, what, _ := strings.Cut(arg, " ")
	id, err := strconv.ParseUint(number, 10, 32)
	if err != nil {
		return "", err
	}
	cc, err := b.Dial(ctx, uint32(id))
	if err != nil {
		return "", err
	}
	defer func() { _ = cc.Close() }()
	return try(ctx, cc, cmp.Or(what, "called back"))
}

// serveAgain serves the echo once more, until the plugin stops.
func serveAgain(ctx context.Context, b *broker.Broker) string {
	id := b.NextID()
	ctx = context.WithoutCancel(ctx)
	go func() {
		err := b.AcceptAndServe(ctx, id, echoImplementation())
		fmt.Fprintln(os.Stderr, "served:", err)
	}()
	return strconv.FormatUint(uint64(id), 10)
}

// floodLine has a length that no buffer's size is a multiple of.
const floodLine = "0123456789abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ the flood goes on and on\n"

func flood(arg string) error {
	var n int
	if _, err := fmt.Sscan(arg, &n); err != nil {
		return err
	}
	line := []byte(floodLine)
	for n > 0 {
		m, err := os.Stdout.Write(line[:min(n, len(line))])
		if err != nil {
			return err
		}
		n -= m
	}
	return nil
}

func runSelf(mode string) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), modeEnv+"="+mode)
	cmd.Stdout = os.Stdout
	return cmd.Run()
}

// startDaemon leaves a child that holds standard output for as long as somebody has the pipe at path open for writing.
func startDaemon(path string) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), modeEnv+"=daemon")
	if cmd.Stdin, err = os.Open(path); err != nil {
		return err
	}
	cmd.Stdout = os.Stdout
	return cmd.Start()
}

func awaitFile(ctx context.Context, path string) error {
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for {
		if _, err := os.Stat(path); err == nil {
			return nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			<-time.After(100 * time.Millisecond) // what it takes to clean up
			fmt.Fprintln(os.Stderr, "the call was cut")
			return ctx.Err()
		}
	}
}
