package stdout_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/plugingen/plugingen/runtime/internal/stdout"
)

// modeEnv makes the test binary the process whose standard output is taken.
const modeEnv = "STDOUT_TEST_MODE"

func TestMain(m *testing.M) {
	if mode := os.Getenv(modeEnv); mode != "" {
		if err := play(mode); err != nil {
			fmt.Fprintln(os.Stderr, "error:", err)
			os.Exit(1)
		}
		return
	}
	goleak.VerifyTestMain(m)
}

// play prints before, while and after standard output is taken; what was printed meanwhile goes to standard error.
func play(mode string) error {
	if mode == "early" {
		stdout.MoveEarly()
	}
	fmt.Println("before")
	taken, err := stdout.Take()
	if err != nil {
		return err
	}
	gone := make(chan struct{})
	stop, err := taken.Watch(func() { close(gone) })
	if err != nil {
		return err
	}
	fmt.Println("meanwhile")
	fmt.Fprintln(taken.Real, "real")
	if err := errors.Join(taken.GiveBack(), taken.GiveBack()); err != nil {
		return err
	}
	fmt.Println("after")
	printed, err := io.ReadAll(taken.Printed)
	fmt.Fprintf(os.Stderr, "printed: %s", printed)
	if mode == "gone" {
		_, _ = os.Stdin.Read(make([]byte, 1)) // until the test has closed the pipe
		<-gone
	}
	stop()
	return errors.Join(err, taken.Close(), goleak.Find())
}

func command(mode string, env ...string) (cmd *exec.Cmd, stderr *bytes.Buffer) {
	cmd, stderr = exec.Command(os.Args[0]), &bytes.Buffer{}
	cmd.Env = append(os.Environ(), append(env, modeEnv+"="+mode, "GORACE=atexit_sleep_ms=0")...)
	cmd.Stderr = stderr
	return cmd, stderr
}

func TestTake(t *testing.T) {
	const hosted = "PLUGIN_PROTOCOL_VERSIONS=1"
	tests := []struct {
		name, mode, env        string
		wantStdout, wantStderr string
	}{
		{"late", "late", hosted, "before\nreal\nafter\n", "printed: meanwhile\n"},
		{"early", "early", hosted, "real\n", "before\nafter\nprinted: meanwhile\n"},
		{"early without a host", "early", "NOTHING=", "before\nreal\nafter\n", "printed: meanwhile\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			cmd, stderr := command(tt.mode, tt.env)
			out, err := cmd.Output()
			if err != nil || string(out) != tt.wantStdout || stderr.String() != tt.wantStderr {
				t.Errorf("standard output %q, standard error %q, %v; want %q and %q", out, stderr, err, tt.wantStdout, tt.wantStderr)
			}
		})
	}
}

// A file or a terminal is not a host's.
func TestEarlyLeavesAFileAlone(t *testing.T) {
	f, err := os.Create(t.TempDir() + "/out")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	cmd, stderr := command("early", "PLUGIN_PROTOCOL_VERSIONS=1")
	cmd.Stdout = f
	if err := cmd.Run(); err != nil {
		t.Fatalf("%v\n%s", err, stderr)
	}
	if got, err := os.ReadFile(f.Name()); err != nil || string(got) != "before\nreal\nafter\n" {
		t.Errorf("the file has %q, %v", got, err)
	}
}

func TestWatch(t *testing.T) {
	cmd, stderr := command("gone")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var got strings.Builder
	if _, err := io.CopyN(&got, out, int64(len("before\nreal\nafter\n"))); err != nil {
		t.Errorf("%v after %q", err, got.String())
	}
	if err := errors.Join(out.Close(), in.Close()); err != nil {
		t.Error(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("%v\n%s", err, stderr)
	}
}

func TestNoStandardOutput(t *testing.T) {
	cmd, stderr := command("late") // with os/exec's default, the null device
	if err := cmd.Run(); err == nil || !strings.Contains(stderr.String(), "standard output is closed or "+os.DevNull) {
		t.Errorf("%v\n%s", err, stderr)
	}
}
