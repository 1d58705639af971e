package transport_test

import (
	"bufio"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"

	"go.uber.org/goleak"
)

// envMode makes this test binary a process of the tests: it does what testModes has under the variable's value.
const envMode = "PLUGINGEN_TRANSPORT_TEST"

func TestMain(m *testing.M) {
	if mode := os.Getenv(envMode); mode != "" {
		os.Exit(testModes()[mode]())
	}
	goleak.VerifyTestMain(m)
}

// process is this test binary in another role. It lives until its stdin ends.
type process struct {
	*exec.Cmd
	stdin io.Closer
	line  string // what it said first
}

// start runs mode with more environment, and waits for the line that it prints when it is ready.
func start(t *testing.T, mode string, environment ...string) *process {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(append(os.Environ(), envMode+"="+mode, "GORACE=atexit_sleep_ms=0"), environment...)
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		t.Fatalf("%s said %q: %v", mode, line, err)
	}
	return &process{cmd, stdin, strings.TrimSpace(line)}
}

// end lets the process finish its work.
func (p *process) end(t *testing.T) {
	t.Helper()
	_ = p.stdin.Close()
	if err := p.Wait(); err != nil {
		t.Error(err)
	}
}

func (p *process) kill(t *testing.T) {
	t.Helper()
	if err := p.Process.Kill(); err != nil {
		t.Error(err)
	}
	_ = p.Wait() // says that it was killed
}
