//go:build unix

package host_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/plugingen/plugingen/runtime/host"
)

// stressEnv is how many processes the tests of this file kill each; see make stress.
const stressEnv = "PLUGINGEN_STRESS"

func stressRounds(t *testing.T, usual int) int {
	t.Helper()
	n, err := strconv.Atoi(os.Getenv(stressEnv))
	if err != nil {
		return usual
	}
	return n
}

// aTier takes turns.
func aTier(round int) (string, func(*host.Config)) {
	all := tiers()
	names := slices.Sorted(maps.Keys(all))
	name := names[round%len(names)]
	return name, all[name]
}

// TestPluginsAreKilled ends plugins at random moments of busy lives, some after they were stopped for a while. Every call ends, what
// comes back is the answer to it, no call is done twice, and nothing is left.
func TestPluginsAreKilled(t *testing.T) {
	before := heap()
	for round := range stressRounds(t, 12) {
		name, change := aTier(round)
		t.Run(fmt.Sprint(round, " ", name), func(t *testing.T) {
			s := newStage(t)
			cfg, n := s.config("noting"), newNotes(t)
			cfg.Env = append(cfg.Env, n.env())
			cfg.Logger = slog.New(slog.DiscardHandler) // the stage's keeps all lines
			change(&cfg)
			killBusy(t, s.open(cfg), n, rand.New(rand.NewPCG(uint64(round), 3)))
			n.check(t)
		})
	}
	if grown := int64(heap()) - int64(before); grown > 64<<20 {
		t.Errorf("the heap has grown by %d bytes", grown)
	}
}

// killBusy has callers keep p busy until it is killed.
func killBusy(t *testing.T, p *host.Plugin, n *notes, rng *rand.Rand) {
	t.Helper()
	var wg sync.WaitGroup
	answered := make(chan struct{}, 1)
	for range 1 + rng.IntN(4) {
		size := rng.IntN(1 << (1 + rng.IntN(16)))
		wg.Go(func() { callUntilGone(t, p, n, size, answered) })
	}
	await(t, answered, "the first answer")
	<-time.After(time.Duration(rng.IntN(3000)) * time.Microsecond)
	if rng.IntN(3) == 0 {
		signalPlugin(t, p, syscall.SIGSTOP)
		if rng.IntN(2) == 0 {
			_, _ = doWithin(p, n.deed(1), time.Duration(1+rng.IntN(5))*time.Millisecond)
			signalPlugin(t, p, syscall.SIGCONT)
			deed := n.deed(1)
			if got, err := doWithin(p, deed, guard); got != deed || err != nil {
				t.Errorf("after a stop: %q, %v", got, err)
			}
		}
	}
	signalPlugin(t, p, syscall.SIGKILL)
	await(t, p.Done(), "the plugin's end")
	ended := make(chan struct{})
	go func() { wg.Wait(); close(ended) }()
	await(t, ended, "the callers' end")
	if err := p.Close(); !errors.Is(err, host.ErrExited) {
		t.Errorf("close: %v, want ErrExited", err)
	}
}

func signalPlugin(t *testing.T, p *host.Plugin, sig syscall.Signal) {
	t.Helper()
	if err := syscall.Kill(p.PID(), sig); err != nil {
		t.Errorf("%v: %v", sig, err)
	}
}

func doWithin(p *host.Plugin, deed string, d time.Duration) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), d)
	defer cancel()
	return do(ctx, p.Conn(), deed)
}

// watch is do by a stream.
func watch(ctx context.Context, conn grpc.ClientConnInterface, deed string) (string, error) {
	s, err := conn.NewStream(ctx, &grpc.StreamDesc{StreamName: "Watch", ServerStreams: true}, "/test.Deeds/Watch")
	if err != nil {
		return "", err
	}
	_, _ = s.SendMsg(wrapperspb.String(deed)), s.CloseSend() // what goes wrong is what receiving says
	for err == nil {
		err = s.RecvMsg(&wrapperspb.StringValue{})
	}
	if errors.Is(err, io.EOF) {
		return deed, nil
	}
	return "", err
}

func callUntilGone(t *testing.T, p *host.Plugin, n *notes, size int, answered chan<- struct{}) {
	for i := 0; ; i++ {
		deed, call := n.deed(size), do
		if i%8 == 7 {
			call = watch
		}
		got, err := call(context.Background(), p.Conn(), deed)
		if err != nil {
			if status.Code(err) != codes.Unavailable {
				t.Errorf("call: %v, want Unavailable", err)
			}
			return
		}
		if got != deed {
			t.Errorf("a wrong answer: %.40q to %.40q", got, deed)
		}
		select {
		case answered <- struct{}{}:
		default:
		}
	}
}

// busyHost opens a plugin and keeps it busy until it is killed.
func busyHost() int {
	exe, err := os.Executable()
	if err != nil {
		return 1
	}
	cfg := host.Config{
		Handshake: testHandshake(), Path: exe, SocketDir: os.Getenv("SOCKET_DIR"), StartTimeout: roomy, Logger: slog.New(slog.DiscardHandler),
		Env: []string{faultEnv + "=noting", notesEnv + "=" + os.Getenv(notesEnv), markEnv + "=" + os.Getenv(markEnv), "GORACE=atexit_sleep_ms=0"},
	}
	tiers()[os.Getenv("TIER")](&cfg)
	p, err := host.Open(context.Background(), cfg)
	if err != nil {
		fmt.Println(err)
		return 1
	}
	var n notes
	for i := 0; ; i++ {
		if _, err := do(context.Background(), p.Conn(), n.deed(i*7919%(64<<10))); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		if i == 0 {
			fmt.Println("busy")
		}
	}
}

// TestHostsAreKilled kills busy hosts at random moments: their plugins end with them, and have done no call twice.
func TestHostsAreKilled(t *testing.T) {
	for round := range stressRounds(t, 6) {
		tier, _ := aTier(round)
		t.Run(fmt.Sprint(round, " ", tier), func(t *testing.T) {
			s, n := newStage(t), newNotes(t)
			killHost(t, s, n, tier, rand.New(rand.NewPCG(uint64(round), 4)))
			eventually(t, "the plugin is gone", func() bool { return len(s.processes()) == 0 })
			n.check(t)
			s.sweep()
		})
	}
}

func killHost(t *testing.T, s *stage, n *notes, tier string, rng *rand.Rand) {
	t.Helper()
	cmd := exec.Command(s.config("").Path)
	cmd.Env = []string{faultEnv + "=busy-host", markEnv + "=" + s.mark, n.env(), "TIER=" + tier, "SOCKET_DIR=" + s.dir, "GORACE=atexit_sleep_ms=0"}
	stdout, err := cmd.StdoutPipe()
	if err = errors.Join(err, cmd.Start()); err != nil {
		t.Fatal(err)
	}
	if line, err := bufio.NewReader(stdout).ReadString('\n'); err != nil || line != "busy\n" {
		t.Errorf("the host says %q, %v", line, err)
	}
	<-time.After(time.Duration(rng.IntN(5000)) * time.Microsecond)
	if rng.IntN(3) == 0 {
		_ = cmd.Process.Signal(syscall.SIGSTOP)
		<-time.After(time.Duration(rng.IntN(5000)) * time.Microsecond)
	}
	_ = cmd.Process.Kill()
	_ = cmd.Wait() // says that it was killed
}

// sweep removes the folder that the killed host has left, as the next start would.
func (s *stage) sweep() {
	s.t.Helper()
	p := s.open(s.config("plain"))
	if err := p.Close(); err != nil {
		s.t.Errorf("close: %v", err)
	}
}
