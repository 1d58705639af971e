//go:build unix

package host_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"runtime/pprof"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"
	"golang.org/x/sys/unix"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/plugingen/plugingen/runtime/handshake"
	"github.com/plugingen/plugingen/runtime/host"
	"github.com/plugingen/plugingen/runtime/internal/stdout"
)

const (
	// guard is far beyond every bound of the product and far below what a hang would take.
	guard = 60 * time.Second
	// caseBound is what every row of the tables of faults asserts for its whole case, clean-up included: it hangs nowhere.
	caseBound = 2 * guard
	// roomy is a StartTimeout and a StopTimeout that a loaded machine never needs.
	roomy = 30 * time.Second
	// markEnv marks every process that descends from a test, so that none is overlooked.
	markEnv = "HOST_TEST_MARK"
)

func TestMain(m *testing.M) {
	if fault := os.Getenv(faultEnv); fault != "" {
		overlookPair()
		exit(playFault(fault))
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

func playFault(name string) int {
	if help, ok := helpers()[name]; ok {
		return help()
	}
	if err := undoStdout(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 97
	}
	if start, ok := startFaults()[name]; ok {
		return start()
	}
	if play, ok := tlsFaults()[name]; ok {
		return play()
	}
	if serve, ok := serveFaults()[name]; ok {
		return serve.main()
	}
	fmt.Fprintln(os.Stderr, "no such fault:", name)
	return 99
}

// undoStdout gives faulty plugins the standard output that linking package plugin has moved away.
func undoStdout() error {
	taken, err := stdout.Take()
	if err != nil {
		return err
	}
	return errors.Join(unix.Dup2(int(taken.Real.Fd()), 1), taken.Close())
}

func testHandshake() handshake.Config {
	return handshake.Config{MagicCookieKey: "HOST_TEST_COOKIE", MagicCookieValue: "c0ffee"}
}

// stage is one test's surroundings: it knows what there was before, and demands that no more is left afterwards.
type stage struct {
	t    *testing.T
	mark string
	dir  string // for socket folders
	log  *recorder
}

func newStage(t *testing.T) *stage {
	t.Helper()
	dir, err := os.MkdirTemp("", "ht") //nolint:usetesting // t.TempDir may be too long for a socket
	if err != nil {
		t.Fatal(err)
	}
	s := &stage{t: t, mark: filepath.Base(dir), dir: dir, log: newRecorder()}
	before := goleak.IgnoreCurrent()
	files := len(openFiles(t))
	timer := time.AfterFunc(caseBound, func() {
		_ = pprof.Lookup("goroutine").WriteTo(os.Stderr, 1)
		panic(t.Name() + " hangs")
	})
	t.Cleanup(func() {
		timer.Stop()
		s.nothingLeft(files)
		goleak.VerifyNone(t, before)
		_ = os.RemoveAll(dir)
	})
	return s
}

// config starts this test binary as the plugin that plays fault.
func (s *stage) config(fault string) host.Config {
	exe, err := os.Executable()
	if err != nil {
		s.t.Fatal(err)
	}
	cfg := host.Config{
		Handshake:    testHandshake(),
		Path:         exe,
		Env:          []string{faultEnv + "=" + fault, markEnv + "=" + s.mark, "GORACE=atexit_sleep_ms=0"},
		Logger:       slog.New(s.log),
		SocketDir:    s.dir,
		StartTimeout: roomy,
		StopTimeout:  roomy,
	}
	forceTier(&cfg, fault)
	return cfg
}

func (s *stage) open(cfg host.Config) *host.Plugin {
	s.t.Helper()
	p, err := host.Open(s.t.Context(), cfg)
	if err != nil {
		s.t.Fatalf("open: %v", err)
	}
	s.t.Cleanup(func() { _ = p.Close() })
	return p
}

// openFails returns the error that the start must end with.
func (s *stage) openFails(ctx context.Context, cfg host.Config) *host.Error {
	s.t.Helper()
	p, err := host.Open(ctx, cfg)
	if err == nil {
		_ = p.Close()
		s.t.Fatal("open: no error")
	}
	return hostError(s.t, err)
}

func hostError(t *testing.T, err error) *host.Error {
	t.Helper()
	e, ok := errors.AsType[*host.Error](err)
	if !ok {
		t.Fatalf("error is %T, want a *host.Error in it: %v", err, err)
	}
	return e
}

// do calls the plugin.
func do(ctx context.Context, conn grpc.ClientConnInterface, deed string) (string, error) {
	out := &wrapperspb.StringValue{}
	err := conn.Invoke(ctx, "/test.Deeds/Do", wrapperspb.String(deed), out)
	return out.GetValue(), err
}

func mustDo(t *testing.T, p *host.Plugin, deed string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), guard)
	defer cancel()
	out, err := do(ctx, p.Conn(), deed)
	if err != nil {
		t.Fatalf("do %s: %v", deed, err)
	}
	return out
}

// await waits for c with the hang guard.
func await(t *testing.T, c <-chan struct{}, what string) {
	t.Helper()
	select {
	case <-c:
	case <-time.After(guard):
		t.Fatalf("%s: nothing after %v", what, guard)
	}
}

// eventually polls what nothing can signal.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(guard); !ok(); {
		if time.Now().After(deadline) {
			t.Errorf("%s: not after %v", what, guard)
			return
		}
		<-time.After(2 * time.Millisecond)
	}
}

func (s *stage) nothingLeft(files int) {
	s.t.Helper()
	eventually(s.t, "processes are gone", func() bool { return len(s.processes()) == 0 })
	entries, err := os.ReadDir(s.dir)
	if err != nil || len(entries) > 0 {
		s.t.Errorf("socket folder: %v is left (%v)", entries, err)
	}
	eventually(s.t, "descriptors are closed", func() bool { return len(openFiles(s.t)) <= files })
	if s.t.Failed() {
		s.t.Logf("processes %v, files %v", s.processes(), openFiles(s.t))
	}
}

// processes finds what descends from this test. A zombie has no environment any more, so it counts as gone.
func (s *stage) processes() []int {
	if runtime.GOOS != "linux" {
		return nil
	}
	var found []int
	environs, _ := filepath.Glob("/proc/[0-9]*/environ")
	for _, path := range environs {
		environ, err := os.ReadFile(path)
		if err == nil && bytes.Contains(environ, []byte(markEnv+"="+s.mark+"\x00")) {
			pid, _ := strconv.Atoi(strings.Split(path, "/")[2])
			found = append(found, pid)
		}
	}
	return found
}

// killProcesses ends those that left their group, which nobody else can.
func (s *stage) killProcesses() {
	for _, pid := range s.processes() {
		_ = syscall.Kill(pid, syscall.SIGKILL)
	}
}

func openFiles(t *testing.T) []string {
	t.Helper()
	if runtime.GOOS != "linux" {
		return nil
	}
	links, err := filepath.Glob("/proc/self/fd/*")
	if err != nil {
		t.Fatal(err)
	}
	var files []string
	for _, link := range links {
		if target, err := os.Readlink(link); err == nil { // the folder's own descriptor is closed again
			files = append(files, target)
		}
	}
	return files
}

// recorder is a log handler that tests can wait on.
type recorder struct {
	attrs string
	state *recorded
}

type recorded struct {
	mu      sync.Mutex
	lines   []string
	changed chan struct{}
}

func newRecorder() *recorder { return &recorder{state: &recorded{changed: make(chan struct{})}} }

func (r *recorder) Enabled(context.Context, slog.Level) bool { return true }

func (r *recorder) Handle(_ context.Context, record slog.Record) error {
	line := record.Level.String() + " " + record.Message + r.attrs
	record.Attrs(func(a slog.Attr) bool {
		line += " " + a.String()
		return true
	})
	r.state.mu.Lock()
	defer r.state.mu.Unlock()
	r.state.lines = append(r.state.lines, line)
	close(r.state.changed)
	r.state.changed = make(chan struct{})
	return nil
}

func (r *recorder) WithAttrs(attrs []slog.Attr) slog.Handler {
	with := r.attrs
	for _, a := range attrs {
		with += " " + a.String()
	}
	return &recorder{attrs: with, state: r.state}
}

func (r *recorder) WithGroup(string) slog.Handler { return r }

func (r *recorder) find(text string) (line string, found bool, changed <-chan struct{}) {
	r.state.mu.Lock()
	defer r.state.mu.Unlock()
	for _, line := range r.state.lines {
		if strings.Contains(line, text) {
			return line, true, nil
		}
	}
	return "", false, r.state.changed
}

// await returns the first record that holds text.
func (r *recorder) await(t *testing.T, text string) string {
	t.Helper()
	late := time.After(guard)
	for {
		line, found, changed := r.find(text)
		if found {
			return line
		}
		select {
		case <-changed:
		case <-late:
			t.Fatalf("log: no %q after %v in %q", text, guard, r.all())
		}
	}
}

func (r *recorder) all() []string {
	r.state.mu.Lock()
	defer r.state.mu.Unlock()
	return append([]string(nil), r.state.lines...)
}

// cancelOn returns a context that is cancelled when a record holds text.
func (s *stage) cancelOn(text string) context.Context {
	ctx, cancel := context.WithCancel(s.t.Context())
	var watch sync.WaitGroup
	watch.Go(func() {
		defer cancel()
		for {
			_, found, changed := s.log.find(text)
			if found {
				return
			}
			select {
			case <-changed:
			case <-ctx.Done():
				return
			}
		}
	})
	s.t.Cleanup(func() {
		cancel()
		watch.Wait()
	})
	return ctx
}
