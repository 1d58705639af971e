//go:build unix

package host_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/health"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/plugingen/plugingen/runtime/broker"
	"github.com/plugingen/plugingen/runtime/handshake"
	"github.com/plugingen/plugingen/runtime/internal/lane"
	"github.com/plugingen/plugingen/runtime/internal/wire"
)

// faultEnv tells this test binary which plugin to be.
const faultEnv = "HOST_TEST_FAULT"

// forever is longer than any test waits, and short enough not to survive a broken one for long.
const forever = 5 * time.Minute

// startFaults play a plugin that never serves. Each returns its exit code.
func startFaults() map[string]func() int {
	return map[string]func() int{
		"exit": func() int {
			fmt.Fprintln(os.Stderr, "reading the configuration")
			fmt.Fprintln(os.Stderr, "boom: no such table")
			return 3
		},
		"exit-silent":  func() int { return 0 },
		"exit-shell":   func() int { return 127 },
		"killed":       func() int { return signalSelf(syscall.SIGKILL) },
		"segfault":     func() int { return becomeShell("kill -SEGV $$") }, // a Go program would say so and exit
		"stop":         func() int { return signalSelf(syscall.SIGSTOP) },
		"hang":         func() int { return hang("hanging") },
		"partial-hang": func() int { fmt.Print("1|1|unix"); return hang("hanging") },
		"drip":         drip,
		"garbage":      func() int { fmt.Print("\x00\xff\x1b[2J not a plugin\n\x80\x81"); return 0 },
		"huge":         huge,
		"eof":          func() int { _ = os.Stdout.Close(); return hang("hanging") },
		"badnet":       func() int { return announce("1|1|pipe|/x|grpc|") },
		"badcore":      func() int { return announce("2|1|unix|/x|grpc|") },
		"badproto":     func() int { return announce("1|1|unix|/x|http|") },
		"netrpc":       func() int { return announce("1|1|unix|/x|netrpc|") },
		"legacy":       func() int { return announce("1|1|unix|/x") },
		"proto-7":      func() int { return announce("1|7|unix|/x|grpc|") },
		"mux":          func() int { return announce("1|1|unix|/x|grpc||true") },
		"no-mux":       func() int { return announce("1|1|unix|/x|grpc|") },
		"remote":       func() int { return announce("1|1|tcp|192.0.2.1:1|grpc|") },
		"nosock":       func() int { return announce("1|1|unix|" + socketPath() + "|grpc|") },
		"line-then-exit": func() int {
			fmt.Println("1|1|unix|" + socketPath() + "|grpc|")
			fmt.Fprintln(os.Stderr, "cannot listen: out of luck")
			return 4
		},
		"uninvited-cert": func() int { return announce("1|1|unix|/x|grpc|" + certificate()) },
		"cookie-goplugin": func() int {
			fmt.Fprintln(os.Stderr, "This binary is a plugin. These are not meant to be executed directly.\nPlease execute the program that consumes these plugins")
			return 1
		},
		"wants-tls":  func() int { fmt.Fprintln(os.Stderr, "PLUGIN_CLIENT_CERT is not set"); return 1 },
		"mux-hangup": func() int { return acceptAs("|true", func(c net.Conn) { _ = c.Close() }) },
		"mux-http11": func() int {
			return acceptAs("|true", func(c net.Conn) { _, _ = fmt.Fprint(c, "HTTP/1.1 400 Bad Request\r\n\r\n") })
		},
		"mux-mute": func() int {
			return acceptAs("|true", func(c net.Conn) {
				awaitWord(c, "PRI") // the host is sure to ask for the plugin's health then
				fmt.Fprintln(os.Stderr, "heard")
			})
		},
		"mute": func() int {
			return accept(func(c net.Conn) {
				_, _ = c.Read(make([]byte, 1)) // the host is sure to be connected then
				fmt.Fprintln(os.Stderr, "heard")
			})
		},
		"http11": func() int {
			return accept(func(c net.Conn) { _, _ = fmt.Fprint(c, "HTTP/1.1 400 Bad Request\r\n\r\n") })
		},
		"hangup":           func() int { return accept(func(c net.Conn) { _ = c.Close() }) },
		"left-socket":      leftSocket,
		"grandchild-start": func() int { startGrandchild(false); fmt.Fprintln(os.Stderr, "giving up"); return 5 },
	}
}

func signalSelf(sig syscall.Signal) int {
	_ = syscall.Kill(os.Getpid(), sig)
	return hang("still here")
}

func becomeShell(script string) int {
	_ = syscall.Exec("/bin/sh", []string{"sh", "-c", script}, os.Environ())
	return 98
}

func hang(text string) int {
	fmt.Fprintln(os.Stderr, text)
	<-time.After(forever)
	return 0
}

func announce(line string) int {
	fmt.Println(line)
	return hang("announced")
}

func drip() int {
	for _, b := range []byte("1|1|unix|" + strings.Repeat("x", 1<<16)) {
		_, _ = os.Stdout.Write([]byte{b})
		<-time.After(10 * time.Millisecond)
	}
	return 0
}

func huge() int {
	block := make([]byte, 1<<20)
	for range 64 {
		if _, err := os.Stdout.Write(block); err != nil {
			return 0
		}
	}
	return hang("wrote it all")
}

func accept(serve func(net.Conn)) int { return acceptAs("", serve) }

// acceptAs ends its line with more.
func acceptAs(more string, serve func(net.Conn)) int {
	l, err := net.Listen("unix", socketPath())
	if err != nil {
		return 9
	}
	fmt.Println("1|1|unix|" + l.Addr().String() + "|grpc|" + more)
	fmt.Fprintln(os.Stderr, "announced")
	for {
		c, err := l.Accept()
		if err != nil {
			return 9
		}
		fmt.Fprintln(os.Stderr, "accepted")
		serve(c)
	}
}

// leftSocket ends when it is connected to, and leaves the socket to a process that never answers.
func leftSocket() int {
	l, err := net.Listen("unix", socketPath())
	if err != nil {
		return 9
	}
	file, err := l.(*net.UnixListener).File()
	if err != nil {
		return 9
	}
	startGrandchild(true, file)
	fmt.Println("1|1|unix|" + l.Addr().String() + "|grpc|")
	if _, err := l.Accept(); err != nil {
		return 9
	}
	return 6
}

// awaitWord reads until word has come, among whatever else.
func awaitWord(r io.Reader, word string) {
	var got []byte
	for b := make([]byte, 1); !bytes.HasSuffix(got, []byte(word)); got = append(got, b...) {
		if _, err := r.Read(b); err != nil {
			return
		}
	}
}

func socketPath() string {
	return filepath.Join(os.Getenv(handshake.EnvUnixSocketDir), "s")
}

// grandchild is a process that holds what it inherits for long.
func startGrandchild(ownSession bool, files ...*os.File) {
	null, _ := os.Open(os.DevNull)
	_, err := os.StartProcess("/bin/sleep", []string{"sleep", "300"}, &os.ProcAttr{
		Env:   os.Environ(),
		Files: append([]*os.File{null, os.Stdout, os.Stderr}, files...),
		Sys:   &syscall.SysProcAttr{Setsid: ownSession},
	})
	if err != nil {
		fmt.Fprintln(os.Stderr, "grandchild:", err)
	}
}

// manyWords are more than fit into a socket.
const manyWords = 20000

// faulty is a plugin that serves, by hand and with what is wrong with it.
type faulty struct {
	network    string
	announced  string              // the line's certificate
	options    []grpc.ServerOption // such as TLS
	before     func()              // prints before the line
	after      func()              // prints after it
	status     healthpb.HealthCheckResponse_ServingStatus
	noHealth   bool
	shutdown   func(stop func()) error // nil: no controller
	ignoreTerm bool
	exit       int
	prints     string                   // by stdio; empty: no stdio service
	lastWords  int                      // how often it prints that again when it stops
	brokered   func(brokerStream) error // nil: no broker
}

func serveFaults() map[string]faulty {
	stop := func(stop func()) error { time.AfterFunc(10*time.Millisecond, stop); return nil } // after the answer
	return map[string]faulty{
		"plain":   {shutdown: stop},
		"foreign": {shutdown: stop, before: func() { _ = os.Unsetenv(handshake.EnvLane) }},
		"babbling": {shutdown: stop, before: func() {
			_, _ = unix.Write(3, []byte("PRI * HTTP/2.0"))
			_ = os.Unsetenv(handshake.EnvLane)
		}},
		"announcements": {shutdown: stop, brokered: flood(func(id uint32) *wire.ConnInfo {
			return &wire.ConnInfo{ServiceId: id, Network: "unix", Address: "/nowhere"}
		})},
		"knocks":           {shutdown: stop, brokered: flood(func(id uint32) *wire.ConnInfo { return knock(id, false) })},
		"answers":          {shutdown: stop, brokered: flood(func(id uint32) *wire.ConnInfo { return knock(id, true) })},
		"tcp":              {shutdown: stop, network: "tcp"},
		"prelog":           {shutdown: stop, before: func() { fmt.Print("loading\n\nloaded|3|parts\n") }},
		"multi":            {shutdown: stop, after: func() { fmt.Print("one more line\nand another\n") }},
		"unwell":           {shutdown: stop, status: healthpb.HealthCheckResponse_NOT_SERVING},
		"no-health":        {shutdown: stop, noHealth: true},
		"exit-7":           {shutdown: stop, exit: 7},
		"printing":         {shutdown: stop, prints: "hello from the plugin\n"},
		"printing-escapes": {shutdown: stop, prints: "printed \x1b[2J\u009b31m\u202e\n"},
		"last-words":       {shutdown: stop, prints: "hello from the plugin\n", lastWords: manyWords},
		"no-controller":    {},
		"hang-shutdown":    {shutdown: func(func()) error { <-time.After(forever); return nil }, ignoreTerm: true},
		"ignore-shutdown":  {shutdown: func(func()) error { return nil }, ignoreTerm: true},
		"late-shutdown":    {shutdown: func(func()) error { return nil }},
		"grandchild":       {shutdown: stop, before: func() { startGrandchild(false) }},
		"runaway":          {shutdown: stop, before: func() { startGrandchild(true) }},
		"stderr-flood": {shutdown: stop, after: func() {
			w := bufio.NewWriter(os.Stderr)
			for i := range 20000 {
				fmt.Fprintln(w, "flood", i, strings.Repeat("x", 100))
			}
			_ = w.Flush()
			fmt.Fprintln(os.Stderr, "the flood is over")
		}},
		"stderr-bigline": {shutdown: stop, after: func() {
			fmt.Fprintln(os.Stderr, strings.Repeat("y", 10<<20))
			fmt.Fprintln(os.Stderr, "the line is over")
		}},
		"stderr-binary": {shutdown: stop, after: func() {
			fmt.Fprint(os.Stderr, "\x00\x01\xff\xfe\x1b]0;title\x07\x1b[2J\u202e\n")
			fmt.Fprintln(os.Stderr, "the binary is over")
		}},
		"stderr-json": {shutdown: stop, after: func() {
			fmt.Fprintln(os.Stderr, `{"@message":1}`)
			fmt.Fprintln(os.Stderr, `{"@message":"m","@level":7}`)
			fmt.Fprintln(os.Stderr, `{"@message":"m","@level":"info","@timestamp":{"a":[1]}}`)
			fmt.Fprintln(os.Stderr, `{"@level":"info","@message":42}`)
			fmt.Fprintln(os.Stderr, "the json is over")
		}},
	}
}

func (f faulty) main() int {
	if f.ignoreTerm {
		signal.Ignore(syscall.SIGTERM)
	}
	if f.before != nil {
		f.before()
	}
	l, err := f.listen()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 9
	}
	line := fmt.Sprintf("1|1|%s|%s|grpc|%s", l.Addr().Network(), l.Addr(), f.announced)
	if os.Getenv(handshake.EnvMultiplexGRPC) == "true" {
		l = broker.NewMuxListener(l, slog.New(slog.DiscardHandler))
		line += "|true"
	}
	stopped := make(chan struct{})
	s := f.server(l, sync.OnceFunc(func() { close(stopped) }), stopped)
	fmt.Println(line)
	if f.after != nil {
		go f.after()
	}
	go func() { _ = s.Serve(l) }() // ends with Stop, or with the listener
	select {
	case <-stopped:
	case <-time.After(forever): // the test is broken, and its host gone
		return 96
	}
	if f.lastWords > 0 {
		s.GracefulStop()
		_ = s.lane.GracefulStop(context.Background())
	}
	s.Stop()
	s.lane.Stop()
	return f.exit
}

func (f faulty) listen() (net.Listener, error) {
	if f.network == "tcp" {
		return net.Listen("tcp", "127.0.0.1:0")
	}
	return net.Listen("unix", socketPath())
}

func (f faulty) server(l net.Listener, stop func(), stopped <-chan struct{}) *faultyServer {
	s := newFaultyServer(f.options)
	if !f.noHealth {
		h := health.NewServer()
		h.SetServingStatus("", cmpStatus(f.status))
		healthpb.RegisterHealthServer(s, h)
	}
	if f.shutdown != nil {
		wire.RegisterController(s, func(context.Context) error { return f.shutdown(stop) })
	}
	if f.prints != "" {
		wire.RegisterStdio(s, func(stream grpc.ServerStreamingServer[wire.StdioData]) error {
			_ = stream.Send(&wire.StdioData{Channel: wire.StdioData_CHANNEL_STDOUT, Data: []byte(f.prints)})
			_ = stream.Send(&wire.StdioData{Channel: wire.StdioData_CHANNEL_STDERR, Data: []byte("and an error\n")})
			select {
			case <-stream.Context().Done():
			case <-stopped:
			}
			for range f.lastWords {
				_ = stream.Send(&wire.StdioData{Channel: wire.StdioData_CHANNEL_STDOUT, Data: []byte(f.prints)})
			}
			return nil
		})
	}
	if f.brokered != nil {
		wire.RegisterBroker(s, f.brokered)
	}
	registerDeeds(s, l)
	if len(f.options) == 0 {
		s.takeLane()
	}
	return s
}

// faultyServer serves by gRPC and by the lane, if its host offers that.
type faultyServer struct {
	*grpc.Server
	lane *lane.Server
}

func newFaultyServer(options []grpc.ServerOption) *faultyServer {
	return &faultyServer{grpc.NewServer(options...), lane.NewServer(lane.ServerConfig{Crash: true})}
}

// RegisterService is grpc.ServiceRegistrar's.
func (s *faultyServer) RegisterService(desc *grpc.ServiceDesc, impl any) {
	s.Server.RegisterService(desc, impl)
	s.lane.RegisterService(desc, impl)
}

func (s *faultyServer) takeLane() {
	conn, err := lane.Accept(os.Getenv(handshake.EnvLane))
	if err != nil {
		return
	}
	serve, err := s.lane.Begin(lane.NewCarrier(conn))
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return
	}
	go func() { _ = serve() }() // ends with Stop
}

func cmpStatus(s healthpb.HealthCheckResponse_ServingStatus) healthpb.HealthCheckResponse_ServingStatus {
	if s == healthpb.HealthCheckResponse_UNKNOWN {
		return healthpb.HealthCheckResponse_SERVING
	}
	return s
}

// registerDeeds serves /test.Deeds/Do, which does what its argument names, and /test.Deeds/Watch, a stream that does it
// after its first answer.
func registerDeeds(s grpc.ServiceRegistrar, l net.Listener) {
	registerDoing(s, func(ctx context.Context, deed string) (*wrapperspb.StringValue, error) { return perform(ctx, deed, l) })
}

// registerDoing is registerDeeds for another way to do them.
func registerDoing(s grpc.ServiceRegistrar, do func(ctx context.Context, deed string) (*wrapperspb.StringValue, error)) {
	s.RegisterService(&grpc.ServiceDesc{
		ServiceName: "test.Deeds",
		Methods: []grpc.MethodDesc{{MethodName: "Do", Handler: func(_ any, ctx context.Context, decode func(any) error, _ grpc.UnaryServerInterceptor) (any, error) {
			in := &wrapperspb.StringValue{}
			if err := decode(in); err != nil {
				return nil, err
			}
			return do(ctx, in.GetValue())
		}}},
		Streams: []grpc.StreamDesc{{StreamName: "Watch", ServerStreams: true, Handler: func(_ any, stream grpc.ServerStream) error {
			in := &wrapperspb.StringValue{}
			if err := stream.RecvMsg(in); err != nil {
				return err
			}
			if err := stream.SendMsg(wrapperspb.String("watching")); err != nil {
				return err
			}
			_, err := do(stream.Context(), in.GetValue())
			return err
		}}},
	}, nil)
}

func perform(ctx context.Context, deed string, l net.Listener) (*wrapperspb.StringValue, error) {
	if verb, arg, more := strings.Cut(deed, " "); more || verb == "serve" {
		out, err := performBrokered(ctx, broker.FromContext(ctx), verb, arg)
		return wrapperspb.String(out), err
	}
	switch deed {
	case "crash":
		go panic("boom while serving")
		<-time.After(forever)
	case "child-files":
		out, err := childFiles()
		return wrapperspb.String(out), err
	case "peer":
		return wrapperspb.String(authOf(ctx)), nil
	case "metadata":
		return wrapperspb.String(strings.Join(metadata.ValueFromIncomingContext(ctx, "seen"), ",")), nil
	case "panic":
		panic("boom while serving")
	case "exit-5":
		os.Exit(5)
	case "exhaust":
		return nil, exhaust()
	case "hang":
		<-ctx.Done()
		return nil, ctx.Err()
	case "stop":
		_ = syscall.Kill(os.Getpid(), syscall.SIGSTOP)
		<-ctx.Done() // until all threads stand still
		return nil, ctx.Err()
	case "bigline":
		_, err := os.Stdout.WriteString(strings.Repeat("z", 4<<20))
		return wrapperspb.String("written"), err
	case "closesock":
		return wrapperspb.String("closed"), l.Close()
	case "env":
		return wrapperspb.String(strings.Join(os.Environ(), "\n")), nil
	case "stdin":
		n, err := os.Stdin.Read(make([]byte, 1))
		return wrapperspb.String(fmt.Sprint(n, " ", err)), nil
	case "dirmode":
		info, err := os.Stat(os.Getenv(handshake.EnvUnixSocketDir))
		if err != nil {
			return nil, err
		}
		return wrapperspb.String(info.Mode().String()), nil
	case "cwd":
		dir, err := os.Getwd()
		return wrapperspb.String(dir + " " + strings.Join(os.Args[1:], " ")), err
	case "big":
		return wrapperspb.String(strings.Repeat("b", 1<<20)), nil
	case "bad-utf8-status":
		return nil, status.Error(codes.NotFound, "no\x1b[2J such\nthing \u202e")
	case "unavailable":
		return nil, status.Error(codes.Unavailable, "come back later")
	}
	return wrapperspb.String(deed), nil
}

// exhaust leaves this process little more memory than it has, and then takes more.
func exhaust() error {
	var pages uint64
	statm, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return err
	}
	if _, err := fmt.Sscan(string(statm), &pages); err != nil {
		return err
	}
	limit := pages*uint64(os.Getpagesize()) + 32<<20
	if err := syscall.Setrlimit(syscall.RLIMIT_AS, &syscall.Rlimit{Cur: limit, Max: limit}); err != nil {
		return err
	}
	for kept := [][]byte{}; ; {
		kept = append(kept, make([]byte, 16<<20))
		if len(kept) > 1<<10 {
			return errors.New("16 GiB came out of a limit of 32 MiB more")
		}
	}
}
