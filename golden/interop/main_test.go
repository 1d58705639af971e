package interop

import (
	"bytes"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// modeEnv makes the test binary a plugin: one of the cases of TestMain.
const modeEnv = "INTEROP_MODE"

func TestMain(m *testing.M) {
	switch os.Getenv(modeEnv) {
	case "ours":
		os.Exit(serveOurPlugin())
	case "go-plugin":
		os.Exit(serveGoPlugin())
	case "logging":
		os.Exit(serveLogging())
	case "go-logging":
		os.Exit(serveGoLogging())
	case "padded":
		os.Exit(servePadded())
	case "uninvited":
		os.Exit(serveUninvited())
	default:
		goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("github.com/hashicorp/go-plugin.(*GRPCBroker).timeoutWait")) // they end 5 s after an announcement
	}
}

func self(t *testing.T) string {
	t.Helper()
	path, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// output is what a peer printed, safe to read while it prints.
type output struct {
	mu      sync.Mutex
	buf     bytes.Buffer
	written chan struct{} // has room for one: somebody wrote since the last look
}

func newOutput() *output { return &output{written: make(chan struct{}, 1)} }

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	select {
	case o.written <- struct{}{}:
	default:
	}
	return o.buf.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.String()
}

// waitFor fails the test unless text is printed within a minute.
func (o *output) waitFor(t *testing.T, text string) {
	t.Helper()
	deadline := time.After(time.Minute)
	for !strings.Contains(o.String(), text) {
		select {
		case <-o.written:
		case <-deadline:
			t.Fatalf("%q was not printed; got %q", text, o.String())
		}
	}
}

// shortTemp makes the temporary folder of this test and its plugins one that leaves room for a socket's name.
func shortTemp(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("/tmp", "interop")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	t.Setenv("TMPDIR", dir)
	return dir
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
