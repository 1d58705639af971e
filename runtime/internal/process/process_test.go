//go:build unix

package process_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/plugingen/plugingen/runtime/internal/process"
)

const guard = time.Minute // for what would otherwise hang

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// shell starts a script.
func shell(t *testing.T, script string, change ...func(*process.Config)) *process.Process {
	t.Helper()
	cfg := process.Config{Path: "/bin/sh", Args: []string{"-c", script}, Env: []string{"PATH=" + os.Getenv("PATH")}}
	for _, c := range change {
		c(&cfg)
	}
	p, err := process.Start(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = p.Kill()
		await(t, p)
		p.Release()
	})
	return p
}

func await(t *testing.T, p *process.Process) process.Exit {
	t.Helper()
	select {
	case <-p.Done():
	case <-time.After(guard):
		t.Fatalf("still runs after %v", guard)
	}
	exit, ended := p.Exit()
	if !ended {
		t.Fatal("Exit does not know what Done says")
	}
	return exit
}

func readAll(t *testing.T, r io.Reader) string {
	t.Helper()
	b, err := io.ReadAll(r)
	if err != nil && !errors.Is(err, os.ErrClosed) {
		t.Fatal(err)
	}
	return string(b)
}

// awaitLine waits until the program has printed one.
func awaitLine(t *testing.T, r io.Reader) {
	t.Helper()
	if _, err := bufio.NewReader(r).ReadString('\n'); err != nil {
		t.Fatal(err)
	}
}

func TestExit(t *testing.T) {
	for script, want := range map[string]process.Exit{
		"exit 0":              {Code: 0},
		"exit 3":              {Code: 3},
		"kill -KILL $$":       {Code: -1, Signal: "SIGKILL"},
		"kill -SEGV $$":       {Code: -1, Signal: "SIGSEGV"},
		"read line || exit 4": {Code: 4}, // stdin is empty
	} {
		if got := await(t, shell(t, script)); got != want {
			t.Errorf("%s: %v, want %v", script, got, want)
		}
	}
	if got := (process.Exit{Code: 3}).String() + ", " + (process.Exit{Code: -1, Signal: "SIGKILL"}).String(); got != "exit code 3, signal SIGKILL" {
		t.Error(got)
	}
}

func TestOutputAndEnvironment(t *testing.T) {
	t.Setenv("PROCESS_TEST_OURS", "yes")
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	p := shell(t, `echo "$A-$PROCESS_TEST_OURS"; pwd >&2`, func(c *process.Config) {
		c.Env, c.Dir = []string{"A=1", "A=2"}, dir
	})
	if out, errs := readAll(t, p.Stdout()), readAll(t, p.Stderr()); out != "2-\n" || errs != dir+"\n" {
		t.Errorf("stdout %q, stderr %q", out, errs)
	}
}

func TestOwnGroup(t *testing.T) {
	p := shell(t, "sleep 300")
	group, err := syscall.Getpgid(p.PID())
	if err != nil || group != p.PID() || group == syscall.Getpgrp() {
		t.Errorf("group %d of process %d, %v", group, p.PID(), err)
	}
	if exit, ended := p.Exit(); ended {
		t.Errorf("ended: %v", exit)
	}
}

func TestKill(t *testing.T) {
	for name, script := range map[string]string{
		"deaf":     "trap '' TERM INT; echo ready; while :; do sleep 300; done",
		"stopped":  "echo ready; kill -STOP $$",
		"children": "sleep 300 & sleep 300 & echo ready; wait",
	} {
		t.Run(name, func(t *testing.T) {
			p := shell(t, script)
			awaitLine(t, p.Stdout())
			if err := p.Kill(); err != nil {
				t.Error(err)
			}
			if exit := await(t, p); exit.Signal != "SIGKILL" {
				t.Errorf("exit: %v", exit)
			}
			groupIsGone(t, p.PID())
			if err := errors.Join(p.Kill(), p.Terminate()); err != nil {
				t.Errorf("once more: %v", err)
			}
		})
	}
}

func TestTerminate(t *testing.T) {
	p := shell(t, "trap 'exit 6' TERM; echo ready; while :; do sleep 0.1; done")
	awaitLine(t, p.Stdout())
	if err := p.Terminate(); err != nil {
		t.Error(err)
	}
	if exit := await(t, p); exit.Code != 6 {
		t.Errorf("exit: %v, want code 6", exit)
	}
}

// TestGroupEndsWithItsLeader is what keeps a grandchild from holding the pipes, and from outliving the plugin.
func TestGroupEndsWithItsLeader(t *testing.T) {
	p := shell(t, "sleep 300 & exit 2")
	if exit := await(t, p); exit.Code != 2 {
		t.Errorf("exit: %v", exit)
	}
	if out := readAll(t, p.Stdout()); out != "" {
		t.Errorf("stdout %q", out)
	}
	groupIsGone(t, p.PID())
}

func groupIsGone(t *testing.T, group int) {
	t.Helper()
	for deadline := time.Now().Add(guard); !groupHasEnded(group); {
		if time.Now().After(deadline) {
			t.Fatalf("group %d is still there", group)
		}
		<-time.After(time.Millisecond)
	}
}

// groupHasEnded takes zombies that nobody has reaped yet for gone.
func groupHasEnded(group int) bool {
	if errors.Is(syscall.Kill(-group, 0), syscall.ESRCH) {
		return true
	}
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, stat := range stats {
		b, _ := os.ReadFile(stat)
		_, rest, _ := strings.Cut(string(b), ") ")
		if fields := strings.Fields(rest); len(fields) > 2 && fields[2] == strconv.Itoa(group) && fields[0] != "Z" {
			return false
		}
	}
	return len(stats) > 0
}

// TestWaitDelay has a grandchild that left the group and holds the pipes.
func TestWaitDelay(t *testing.T) {
	if _, err := os.Stat("/usr/bin/setsid"); err != nil {
		t.Skip("needs the setsid program: ", err)
	}
	p := shell(t, "setsid sh -c 'echo $$; exec sleep 300' & sleep 300", func(c *process.Config) { c.WaitDelay = 50 * time.Millisecond })
	out := bufio.NewReader(p.Stdout())
	line, err := out.ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	runaway, err := strconv.Atoi(strings.TrimSpace(line))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = syscall.Kill(runaway, syscall.SIGKILL) }()
	if err := p.Kill(); err != nil {
		t.Fatal(err)
	}
	await(t, p)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_, _ = io.Copy(io.Discard, out)
		_, _ = io.Copy(io.Discard, p.Stderr())
	}()
	select {
	case <-ended:
	case <-time.After(guard):
		t.Fatal("the pipes stay open")
	}
}

func TestReleaseUnblocksReaders(t *testing.T) {
	p := shell(t, "sleep 300")
	var readers sync.WaitGroup
	readers.Go(func() { readAll(t, p.Stdout()) })
	readers.Go(func() { readAll(t, p.Stderr()) })
	p.Release()
	readers.Wait()
	p.Release()
}

func TestConcurrently(t *testing.T) {
	p := shell(t, "sleep 300")
	var calls sync.WaitGroup
	for range 16 {
		calls.Go(func() { _ = p.Terminate() })
		calls.Go(func() { _ = p.Kill() })
		calls.Go(func() { p.Exit() })
		calls.Go(p.Release)
	}
	calls.Wait()
	await(t, p)
}

func TestTextBusy(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("only Linux refuses to run a file that is open for writing")
	}
	path, f := busyProgram(t)
	closed := time.AfterFunc(20*time.Millisecond, func() { _ = f.Close() })
	defer closed.Stop()
	p, err := process.Start(t.Context(), process.Config{Path: path})
	if err != nil {
		t.Fatalf("start: %v", err)
	}
	if exit := await(t, p); exit.Code != 0 {
		t.Errorf("exit: %v", exit)
	}
	p.Release()
}

func TestTextBusyForEver(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("only Linux refuses to run a file that is open for writing")
	}
	path, f := busyProgram(t)
	defer func() { _ = f.Close() }()
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(10*time.Millisecond, cancel)
	_, err := process.Start(ctx, process.Config{Path: path})
	if !errors.Is(err, syscall.ETXTBSY) {
		t.Errorf("start: %v, want text file busy", err)
	}
}

// busyProgram is a copy of a program that is still open for writing.
func busyProgram(t *testing.T) (string, *os.File) {
	t.Helper()
	program, err := os.ReadFile("/bin/true")
	if err != nil {
		t.Skip("needs /bin/true: ", err)
	}
	path := filepath.Join(t.TempDir(), "busy")
	f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY, 0o700)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Write(program); err != nil {
		t.Fatal(err)
	}
	return path, f
}
