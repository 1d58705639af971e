package relay_test

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
	"runtime/debug"
	"strings"
	"testing"
	"time"

	"github.com/plugingen/plugingen/runtime/relay"
)

// perform is the other process.
func perform(act string) int {
	switch act {
	case "panic":
		fmt.Fprintln(os.Stderr, "about to")
		done := make(chan struct{})
		go func() { <-done }() // has a stack as well
		panic("boom \x1b[31m\nof two lines")
	case "nil map":
		var m map[string]int
		m["a"] = 1 //nolint:staticcheck // the fault that is played
	case "overflow":
		debug.SetMaxStack(64 << 10)
		return overflow(0)
	case "flood":
		for i := range 10_000 {
			fmt.Fprintln(os.Stderr, "line", i)
		}
		return 3
	case "half":
		fmt.Fprint(os.Stderr, "whole\nhalf of a li")
		if err := kill(os.Getpid()); err != nil {
			return 1
		}
		select {}
	case "loggers":
		log.Print("[WARN] from package log")
		slog.Info("from slog without a handler", "a", 1)
		slog.New(slog.NewTextHandler(os.Stderr, nil)).Error("from slog's text", "a", 1)
		slog.New(slog.NewJSONHandler(os.Stderr, nil)).Warn("from slog's JSON", "a", 1)
	case "grandchild":
		return grandchild()
	case "hold":
		fmt.Println("holding")
		_, _ = io.Copy(io.Discard, os.Stdin) // until the test ends
	}
	return 0
}

func overflow(n int) int { return overflow(n+1) + n } //nolint:staticcheck // the fault that is played

// grandchild leaves a process behind that holds stderr, and ends.
func grandchild() int {
	exe, err := os.Executable()
	if err != nil {
		return 1
	}
	cmd := exec.Command(exe)
	cmd.Env = append(os.Environ(), actEnv+"=hold")
	cmd.Stdin, cmd.Stderr = os.Stdin, os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil || cmd.Start() != nil {
		return 1
	}
	if _, err := bufio.NewReader(out).ReadString('\n'); err != nil {
		return 1
	}
	fmt.Fprintln(os.Stderr, "my child stays")
	return 0
}

func kill(pid int) error {
	p, err := os.FindProcess(pid)
	if err != nil {
		return err
	}
	return p.Kill()
}

// process starts the test binary as act; pipe is the end of its stderr to read from, and nobody here holds the other one.
func process(t *testing.T, act string) (cmd *exec.Cmd, pipe *os.File) {
	t.Helper()
	pipe, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	stdin, hold, err := os.Pipe() // closed in the end: who waits for that then ends, too
	if err != nil {
		t.Fatal(err)
	}
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute) // a guard
	cmd = exec.CommandContext(ctx, exe)
	cmd.Env = append(os.Environ(), actEnv+"="+act, "GOTRACEBACK=all")
	cmd.Stdin, cmd.Stderr = stdin, w
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cancel()
		closeAll(pipe, hold)
	})
	closeAll(stdin, w)
	return cmd, pipe
}

func closeAll(files ...*os.File) {
	for _, f := range files {
		f.Close()
	}
}

// play runs act to its end, and returns its records as text and the tail.
func play(t *testing.T, act string) (records []string, tail []string) {
	cmd, pipe := process(t, act)
	r := relay.New(relay.Config{Patience: time.Minute, DrainTimeout: time.Minute, Logger: logTo(func(r slog.Record) error {
		records = append(records, r.Level.String()+" "+text(r))
		return nil
	})})
	if err := r.Run(pipe); err != nil {
		t.Error(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Logf("%s: %v", act, err)
	}
	return records, r.Tail()
}

func TestProcessPanics(t *testing.T) {
	for act, head := range map[string]string{
		"panic":    `ERROR panic: boom \x1b[31m`,
		"nil map":  "ERROR panic: assignment to entry in nil map",
		"overflow": "ERROR runtime: goroutine stack exceeds 65536-byte limit",
	} {
		t.Run(act, func(t *testing.T) {
			records, tail := play(t, act)
			if act == "panic" {
				if len(records) == 0 || records[0] != "INFO about to" {
					t.Fatalf("got %q", records)
				}
				records = records[1:]
			}
			if len(records) != 1 {
				t.Fatalf("%d records:\n%s", len(records), strings.Join(records, "\n"))
			}
			if !strings.HasPrefix(records[0], head) || !strings.Contains(records[0], "main_test.go:") {
				t.Errorf("got %s", records[0])
			}
			if whole := strings.Join(tail, "\n"); !strings.Contains(whole, head[len("ERROR "):]) || strings.ContainsRune(whole, '\x1b') {
				t.Errorf("tail is %s", whole)
			}
		})
	}
}

// TestProcessLosesNothing: what was written before the exit is logged after it.
func TestProcessLosesNothing(t *testing.T) {
	records, tail := play(t, "flood")
	if len(records) != 10_000 || records[9_999] != "INFO line 9999" {
		t.Errorf("%d records", len(records))
	}
	if len(tail) != 20 || tail[0] != "line 9980" || tail[19] != "line 9999" {
		t.Errorf("tail is %q", tail)
	}
}

// TestProcessAndBlockedSink: a plugin that writes more than pipe and buffer hold comes to its end, whatever the logger does.
func TestProcessAndBlockedSink(t *testing.T) {
	gate := make(chan struct{})
	defer close(gate)
	cmd, pipe := process(t, "flood")
	done := make(chan error, 1)
	cfg := relay.Config{MaxLine: 1 << 10, Buffer: 1, Patience: time.Millisecond, DrainTimeout: time.Millisecond}
	cfg.Logger = logTo(func(slog.Record) error { <-gate; return nil })
	go func() { done <- relay.New(cfg).Run(pipe) }()
	var exit *exec.ExitError
	if err := cmd.Wait(); !errors.As(err, &exit) || exit.ExitCode() != 3 {
		t.Errorf("the process: %v", err)
	}
	if err := <-done; !errors.Is(err, relay.ErrBlocked) {
		t.Errorf("got %v", err)
	}
}

func TestProcessDiesMidLine(t *testing.T) {
	records, tail := play(t, "half")
	if fmt.Sprint(records) != "[INFO whole INFO half of a li]" || fmt.Sprint(tail) != "[whole half of a li]" {
		t.Errorf("got %q, tail %q", records, tail)
	}
}

func TestProcessLoggers(t *testing.T) {
	records, _ := play(t, "loggers")
	want := []string{
		"WARN TIME [WARN] from package log",
		"INFO TIME INFO from slog without a handler a=1",
		"ERROR from slog's text a=1",
		"WARN from slog's JSON a=1",
	}
	if len(records) != len(want) {
		t.Fatalf("got %q", records)
	}
	for i, got := range records {
		if level, stamped, ok := strings.Cut(want[i], " TIME "); ok {
			if !strings.HasPrefix(got, level+" 20") || !strings.HasSuffix(got, stamped) {
				t.Errorf("got %q, want %q", got, want[i])
			}
		} else if got != want[i] {
			t.Errorf("got %q, want %q", got, want[i])
		}
	}
}

// TestGrandchild is row 16 of the faults, the relay's side: a process that the plugin left behind holds the pipe; closing
// our end of it ends Run, with everything logged.
func TestGrandchild(t *testing.T) {
	cmd, pipe := process(t, "grandchild")
	logged := make(chan string, 10)
	r := relay.New(relay.Config{Logger: logTo(func(r slog.Record) error {
		logged <- r.Message
		return nil
	})})
	done := make(chan error, 1)
	go func() { done <- r.Run(pipe) }()
	if err := cmd.Wait(); err != nil {
		t.Error(err)
	}
	if got := <-logged; got != "my child stays" {
		t.Errorf("got %q", got)
	}
	pipe.Close()
	select {
	case err := <-done:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(time.Minute):
		t.Fatal("Run hangs")
	}
}
