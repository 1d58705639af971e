// Package busy keeps cores busy with other work, in processes of their own.
package busy

import (
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
)

// Argument makes this program compute until its stdin ends.
const Argument = "busy"

// Main is the main of a process that computes. It returns when stdin has ended.
func Main() {
	ended := make(chan struct{})
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		close(ended)
	}()
	for n := 0; ; n++ {
		if n%(1<<20) != 0 {
			continue
		}
		select {
		case <-ended:
			return
		default:
		}
	}
}

// Processes compute until Stop.
type Processes []*exec.Cmd

// Start starts n of them. They end when ctx does, or this process.
func Start(ctx context.Context, n int) (Processes, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	var all Processes
	for range n {
		cmd := exec.CommandContext(ctx, self, Argument)
		cmd.Env = append(os.Environ(), "GOMAXPROCS=1")
		if _, err := cmd.StdinPipe(); err != nil {
			return nil, errors.Join(err, all.Stop())
		}
		if err := cmd.Start(); err != nil {
			return nil, errors.Join(err, all.Stop())
		}
		all = append(all, cmd)
	}
	return all, nil
}

// Stop ends them and waits until they are gone.
func (p Processes) Stop() error {
	var errs []error
	for _, cmd := range p {
		errs = append(errs, cmd.Process.Kill())
		_ = cmd.Wait() // says that it was killed
	}
	return errors.Join(errs...)
}
