//go:build unix

package plugin_test

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/plugingen/plugingen/runtime/internal/wire"
	"github.com/plugingen/plugingen/runtime/transport"
)

func TestSignals(t *testing.T) {
	dir := socketDir(t)
	c, cc := open(t, "plain", "TMPDIR="+dir)
	for range 3 {
		if err := c.cmd.Process.Signal(os.Interrupt); err != nil {
			t.Fatal(err)
		}
		if got := do(t, cc, "still here"); got != "still here" {
			t.Errorf("after SIGINT the plugin answers %q", got)
		}
	}
	if err := c.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if code := c.wait(); code != 0 {
		t.Errorf("after SIGTERM the exit code is %d, want 0", code)
	}
	if left, _ := os.ReadDir(dir); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

// The first SIGTERM lets a call finish, the second does not wait for it.
func TestTerminateTwice(t *testing.T) {
	c, cc := open(t, "slow stop")
	failed := call(t, cc, "wait "+filepath.Join(t.TempDir(), "never"))
	c.stderr.await(t, "waiting")
	if err := c.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	awaitRefusal(t, cc)
	if err := c.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	c.wait()
	if ws, ok := c.cmd.ProcessState.Sys().(syscall.WaitStatus); !ok || ws.Signal() != syscall.SIGTERM {
		t.Errorf("the plugin ended with %v, want SIGTERM", c.cmd.ProcessState)
	}
	if err := <-failed; status.Code(err) != codes.Unavailable {
		t.Errorf("the call ended with %v, want Unavailable", err)
	}
}

func TestHostIsKilled(t *testing.T) {
	never := filepath.Join(t.TempDir(), "never")
	for name, call := range map[string]string{"idle": "", "call in flight": "wait " + never} {
		t.Run(name, func(t *testing.T) {
			dir := socketDir(t)
			host := start(t, "host", "HOST_CALLS="+call, "TMPDIR="+dir)
			line, err := host.stdout.ReadString('\n')
			if err != nil {
				t.Fatalf("%v\nstderr:\n%s", err, host.stderr)
			}
			var pid int
			var address string
			if _, err := fmt.Sscan(line, &pid, &address); err != nil {
				t.Fatal(err)
			}
			if call != "" {
				host.stderr.await(t, "waiting")
			}
			if err := host.cmd.Process.Kill(); err != nil {
				t.Fatal(err)
			}
			awaitDeath(t, pid)
			if left, _ := os.ReadDir(dir); len(left) > 0 {
				t.Errorf("left behind: %v", left)
			}
		})
	}
}

// A host that is gone has closed its ends of both pipes. The plugin must not die of writing to them: it has to clean up.
func TestHostIsGone(t *testing.T) {
	dir := socketDir(t)
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd := selfCommand(t)
	c := startCommandTo(t, cmd, w, "plain", append(hostEnv(), "TMPDIR="+dir)...)
	_ = w.Close()
	c.handshake()
	cc := c.dial()
	do(t, cc, "print and nobody reads it")
	if err := errors.Join(r.Close(), c.pipe.Close()); err != nil {
		t.Fatal(err)
	}
	if code := c.wait(); code != 0 {
		t.Errorf("the plugin ended with %v, want exit code 0", c.cmd.ProcessState)
	}
	if left, _ := os.ReadDir(dir); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

// Calls that are cut may clean up, for as long as a stop may take.
func TestCallsThatAreCutMayCleanUp(t *testing.T) {
	c, cc := open(t, "slow stop")
	result := call(t, cc, "wait "+filepath.Join(t.TempDir(), "never"))
	c.stderr.await(t, "waiting")
	if err := c.pipe.Close(); err != nil { // the host is gone
		t.Fatal(err)
	}
	if code := c.wait(); code != 0 {
		t.Errorf("exit code %d, want 0", code)
	}
	if got := c.stderr.String(); !strings.Contains(got, "the call was cut") {
		t.Errorf("the method was not told, or not waited for:\n%s", got)
	}
	if err := <-result; status.Code(err) != codes.Unavailable {
		t.Errorf("the call ended with %v, want Unavailable", err)
	}
}

// awaitDeath polls, because nothing tells about somebody else's child. A zombie is dead.
func awaitDeath(t *testing.T, pid int) {
	t.Helper()
	ctx, tick := guarded(t), time.NewTicker(5*time.Millisecond)
	defer tick.Stop()
	for isAlive(pid) {
		select {
		case <-tick.C:
		case <-ctx.Done():
			_ = syscall.Kill(pid, syscall.SIGKILL)
			t.Fatalf("process %d outlives its host", pid)
		}
	}
}

func isAlive(pid int) bool {
	if syscall.Kill(pid, 0) != nil {
		return false
	}
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return !errors.Is(err, os.ErrNotExist)
	}
	_, after, _ := strings.Cut(string(stat), ") ")
	return !strings.HasPrefix(after, "Z")
}

func TestNothingPrintedIsLostOnTerminate(t *testing.T) {
	c, cc := open(t, "plain")
	r := read(t, cc)
	do(t, cc, "flood 200000")
	if err := c.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if got := len(r.all(t)); got != 200000 {
		t.Errorf("got %d bytes, want 200000", got)
	}
	c.wait()
}

// A child that outlives the plugin holds up neither the stop nor the end of the host's pipe.
func TestChildHoldsStandardOutput(t *testing.T) {
	path := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	alive, err := os.OpenFile(path, os.O_RDWR, 0) // the child ends when this does, however the test ends
	if err != nil {
		t.Fatal(err)
	}
	defer alive.Close()
	c, cc := open(t, "plain")
	r := read(t, cc)
	do(t, cc, "daemon "+path)
	do(t, cc, "print last words")
	stop(t, c, cc)
	if got := r.all(t); got != "last words" {
		t.Errorf("got %q", got)
	}
	if rest := c.rest(); rest != "" { // ends although the child lives
		t.Errorf("standard output has %q", rest)
	}
}

// 200 connections that say nothing must not keep the host out, not even when the plugin has descriptors for a fraction of them.
func TestIdleConnectionsDoNotKeepTheHostOut(t *testing.T) {
	for _, limit := range []string{"64", "4096"} {
		t.Run(limit, func(t *testing.T) {
			cmd := exec.Command("sh", "-c", `ulimit -n "$1" && exec "$0"`, self(t), limit)
			c := startCommand(t, cmd, "plain", hostEnv()...)
			c.handshake()
			for range 200 {
				idle, err := transport.Dial(guarded(t), c.resp.Network, c.resp.Address)
				if err != nil {
					t.Fatal(err)
				}
				defer func(idle net.Conn) { _ = idle.Close() }(idle)
			}
			cc := c.dial()
			if err := wire.Check(guarded(t), cc); err != nil {
				t.Errorf("health: %v", err)
			}
			stop(t, c, cc)
		})
	}
}

func TestStandardOutputIsClosed(t *testing.T) {
	c := startCommand(t, exec.Command("sh", "-c", `exec "$0" >&-`, self(t)), "plain", hostEnv()...)
	if code := c.wait(); code != 1 {
		t.Errorf("exit code %d, want 1", code)
	}
	if got := c.stderr.String(); !strings.Contains(got, "standard output") {
		t.Errorf("standard error does not say why:\n%s", got)
	}
}
