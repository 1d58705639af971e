package host_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"log/slog"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/plugingen/plugingen/runtime/host"
)

// doomedHost opens a plugin that knows nothing of its host's end, says so, and waits for its own.
func doomedHost() int {
	exe, err := os.Executable()
	if err != nil {
		return 1
	}
	p, err := host.Open(context.Background(), host.Config{
		Handshake:    testHandshake(),
		Path:         exe,
		Env:          []string{faultEnv + "=plain", markEnv + "=" + os.Getenv(markEnv), "GORACE=atexit_sleep_ms=0"},
		Launcher:     host.ProcessLauncher{EndWithHost: os.Getenv("END_WITH_HOST") != ""},
		SocketDir:    os.Getenv("SOCKET_DIR"),
		StartTimeout: roomy,
	})
	if err != nil {
		fmt.Println(err)
		return 1
	}
	fmt.Println("opened", p.PID())
	_, _ = io.Copy(io.Discard, os.Stdin) // until the test kills it, or is gone itself
	return 1
}

// killDoomedHost returns when a host that had opened a plugin has been killed.
func killDoomedHost(t *testing.T, s *stage, endWithHost string) {
	t.Helper()
	cmd := exec.Command(s.config("").Path)
	cmd.Env = []string{faultEnv + "=doomed-host", markEnv + "=" + s.mark, "END_WITH_HOST=" + endWithHost, "SOCKET_DIR=" + s.dir, "GORACE=atexit_sleep_ms=0"}
	stdin, errIn := cmd.StdinPipe()
	stdout, errOut := cmd.StdoutPipe()
	if err := errors.Join(errIn, errOut, cmd.Start()); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil || !strings.HasPrefix(line, "opened ") {
		t.Errorf("the host says %q, %v", line, err)
	}
	if err := cmd.Process.Signal(syscall.SIGKILL); err != nil {
		t.Error(err)
	}
	_ = cmd.Wait() // says that it was killed
	_ = stdin.Close()
}

// A host that is killed takes a plugin of any make with it, where it was asked to: row 28 of the faults.
func TestEndWithHost(t *testing.T) {
	t.Run("asked for", func(t *testing.T) {
		s := newStage(t)
		killDoomedHost(t, s, "yes")
		eventually(t, "the plugin is gone", func() bool { return len(s.processes()) == 0 })
		s.sweep()
	})
	t.Run("not asked for", func(t *testing.T) { // what such a plugin does otherwise: this test can fail
		s := newStage(t)
		killDoomedHost(t, s, "")
		if len(s.processes()) == 0 {
			t.Error("the plugin is gone all the same")
		}
		s.killProcesses()
		eventually(t, "the plugin is gone", func() bool { return len(s.processes()) == 0 })
		s.sweep()
	})
}

// The end of a thread of the host is not the host's.
func TestEndWithHostOutlivesThreads(t *testing.T) {
	s := newStage(t)
	cfg := s.config("plain")
	cfg.Launcher = host.ProcessLauncher{EndWithHost: true}
	p := s.open(cfg)
	var threads sync.WaitGroup
	for range 50 {
		threads.Go(func() { runtime.LockOSThread() }) // the thread ends with the goroutine
	}
	threads.Wait()
	mustDo(t, p, "still there")
	if err := p.Close(); err != nil {
		t.Errorf("close: %v", err)
	}
}

// A plugin that would outlive a host that is killed: most that are not made with runtime/plugin do.
func ExampleProcessLauncher() {
	p, err := host.Open(context.Background(), host.Config{
		Handshake: testHandshake(),
		Path:      os.Args[0],
		Env:       []string{faultEnv + "=" + "plain"},
		Logger:    slog.New(slog.DiscardHandler),
		Launcher:  host.ProcessLauncher{EndWithHost: true},
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(p.Ping(context.Background()), p.Close())
	// Output: <nil> <nil>
}
