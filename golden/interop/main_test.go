package interop

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"go.uber.org/goleak"

	"github.com/plugingen/plugingen/golden/interop/peers/goplugin/goplug"
)

// modeEnv makes the test binary a plugin: one of the cases of TestMain.
const modeEnv = "INTEROP_MODE"

var update = flag.Bool("update", false, "rewrite the table in the project's README")

func TestMain(m *testing.M) {
	switch os.Getenv(modeEnv) {
	case "ours":
		os.Exit(serveOurPlugin())
	case "go-plugin":
		goplug.Serve()
	case "keys":
		os.Exit(serveKeys())
	case "nested":
		os.Exit(serveNested())
	case "provider":
		os.Exit(serveProvider())
	case "logging":
		os.Exit(serveLogging())
	case "go-logging":
		serveGoLogging()
	case "versions":
		os.Exit(serveOurVersions())
	case "go-versions":
		serveGoVersions()
	case "live":
		os.Exit(serveOurLive())
	case "go-live":
		serveGoLive()
	case "padded":
		servePadded()
	case "uninvited":
		serveUninvited()
	default:
		goleak.VerifyTestMain(m,
			goleak.IgnoreAnyFunction("github.com/hashicorp/go-plugin.(*GRPCBroker).timeoutWait"),  // they end 5 s after an announcement
			goleak.IgnoreAnyFunction("github.com/hashicorp/go-plugin/internal/cmdrunner.pidWait"), // it waits for the end of the plugin's process, here the test's own
			goleak.IgnoreAnyFunction("github.com/hashicorp/go-plugin.copyChan"),                   // in a test it leaves its pipes to the garbage collector
			goleak.Cleanup(func(code int) { programs.remove(); os.Exit(max(code, openSockets())) }))
	}
}

// openSockets is 1 when a socket is still open, and says so. There is none that tests do not make.
func openSockets() int {
	const dir = "/proc/self/fd"
	entries, _ := os.ReadDir(dir) // none where there is no /proc
	for _, entry := range entries {
		if target, _ := os.Readlink(filepath.Join(dir, entry.Name())); strings.HasPrefix(target, "socket:") {
			fmt.Fprintf(os.Stderr, "descriptor %s is a socket that nobody closed\n", entry.Name())
			return 1
		}
	}
	return 0
}

func self(t testing.TB) string {
	t.Helper()
	path, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// tempDir is a folder for the sockets of one test, whose name leaves room for theirs.
func tempDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("/tmp", "interop") //nolint:usetesting // whose names are too long
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

// shortTemp makes tempDir the temporary folder of this test and its plugins.
func shortTemp(t *testing.T) string {
	t.Helper()
	dir := tempDir(t)
	t.Setenv("TMPDIR", dir)
	return dir
}

// checkEmpty asserts that no socket, folder or file is left in dir.
func checkEmpty(t *testing.T, dir string) {
	t.Helper()
	if left := entries(t, dir); len(left) > 0 {
		t.Errorf("left in the temporary folder: %v", left)
	}
}

// checkStopped asserts an orderly end: exit code 0, not a signal, and no socket left.
func checkStopped(t *testing.T, cmd *exec.Cmd, tmp string) {
	t.Helper()
	if state := cmd.ProcessState; state == nil || !state.Exited() || state.ExitCode() != 0 {
		t.Errorf("the plugin ended with %v, want exit status 0", state)
	}
	checkEmpty(t, tmp)
}

func entries(t *testing.T, dir string) []string {
	t.Helper()
	left, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, entry := range left {
		names = append(names, entry.Name())
	}
	return names
}

// gone says whether no process pid is left; one that nobody has reaped yet counts as gone.
func gone(pid int) bool {
	if syscall.Kill(pid, 0) != nil {
		return true
	}
	stat, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "stat"))
	if err != nil {
		return true
	}
	_, after, _ := strings.Cut(string(stat), ") ")
	return strings.HasPrefix(after, "Z")
}
