package interop

import (
	"bufio"
	"context"
	"errors"
	"os"
	"os/exec"
	"syscall"
	"testing"

	"github.com/plugingen/plugingen/golden/interop/peers/goplugin/work"
	"github.com/plugingen/plugingen/runtime/handshake"
)

func TestPythonPluginAlone(t *testing.T) { testPeerAlone(t, python(t)) }

func TestNodePluginAlone(t *testing.T) { testPeerAlone(t, node(t)) }

// testPeerAlone shows that the peer's plugin does what every plugin must, without a host that calls it.
func testPeerAlone(t *testing.T, p peer) {
	cookie := work.CookieKey + "=" + work.CookieValue
	t.Run("run by hand", func(t *testing.T) { p.failsToStart(t) })
	t.Run("bad host certificate", func(t *testing.T) { p.failsToStart(t, cookie, handshake.EnvClientCert+"=nonsense") })
	t.Run("signals", func(t *testing.T) { p.endsByTerm(t, cookie) })
}

// failsToStart wants code 1, a reason on stderr and nothing on stdout.
func (p peer) failsToStart(t *testing.T, env ...string) {
	t.Helper()
	tmp := tempDir(t)
	out, err := p.command(t, tmp, env).Output()
	exit, ok := errors.AsType[*exec.ExitError](err)
	if !ok || exit.ExitCode() != 1 {
		t.Fatalf("it ended with %v, want exit status 1", err)
	}
	if len(out) > 0 || len(exit.Stderr) == 0 {
		t.Errorf("stdout %q, stderr %q; want a reason on stderr alone", out, exit.Stderr)
	}
	checkEmpty(t, tmp)
}

// endsByTerm wants SIGINT to be ignored, because the host's user meant the host, and SIGTERM to end it in good order.
func (p peer) endsByTerm(t *testing.T, env ...string) {
	t.Helper()
	tmp := tempDir(t)
	cmd := p.command(t, tmp, env)
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := handshake.Read(bufio.NewReader(stdout), nil); err != nil {
		t.Errorf("handshake: %v", err)
	}
	for _, s := range []os.Signal{syscall.SIGINT, syscall.SIGTERM} {
		if err := cmd.Process.Signal(s); err != nil {
			t.Errorf("%v: %v", s, err)
		}
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("it ended with %v, want exit status 0", err)
	}
	checkEmpty(t, tmp)
}

// command runs the peer's plugin, for a minute at most.
func (p peer) command(t *testing.T, tmp string, env []string) *exec.Cmd {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), work.Patience)
	t.Cleanup(cancel)
	cmd := exec.CommandContext(ctx, p.plugin[0], p.plugin[1:]...)
	cmd.Env = append(pluginEnv(tmp, p.mode), env...)
	return cmd
}
